// The ignore-file cases in tests/golden/ignore/: each says which paths a file keeps (dockerfile.md §14). They
// have the form of the front-end conformance kit, which can run them through the program too.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "tree/pattern.hpp"

namespace mullion::tree {
namespace {

using base::Json;

std::vector<Json> cases() {
    std::vector<Json> out;
    std::istringstream lines(base::read_file(MULLION_GOLDEN_DIR "/ignore/ignore.jsonl", 1 << 20));
    for (std::string line; std::getline(lines, line);) out.push_back(Json::parse(line));
    return out;
}

std::vector<std::string> kept(const Json& entry) {
    const auto patterns = IgnorePatterns::parse(entry.at("patterns").get<std::string>());
    std::vector<std::string> out;
    for (const auto& path : entry.at("paths"))
        if (!patterns.ignored(path.get<std::string>())) out.push_back(path);
    return out;
}

TEST(IgnoreConformance, FilesKeepWhatTheyShould) {
    for (const auto& entry : cases()) {
        if (entry.at("rc") != 0) continue;
        EXPECT_EQ(kept(entry), entry.at("kept").get<std::vector<std::string>>()) << entry.at("id");
    }
}

TEST(IgnoreConformance, BadFilesAreRefused) {
    for (const auto& entry : cases()) {
        if (entry.at("rc") == 0) continue;
        EXPECT_THROW(kept(entry), base::Error) << entry.at("id");
    }
}

// Files are read once, their patterns travel on as lines.
TEST(IgnoreConformance, CleanedPatternsMeanTheSame) {
    for (const auto& entry : cases()) {
        if (entry.at("rc") != 0) continue;
        const auto patterns = IgnorePatterns::parse(entry.at("patterns").get<std::string>());
        const auto again = IgnorePatterns::from_lines(patterns.normalised());
        for (const auto& path : entry.at("paths"))
            EXPECT_EQ(again.ignored(path.get<std::string>()), patterns.ignored(path.get<std::string>()))
                << entry.at("id") << ": " << path;
    }
}

}  // namespace
}  // namespace mullion::tree
