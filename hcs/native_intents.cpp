#include "hcs/native_intents.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"
#include "base/win32.hpp"
#include "hcs/native_owner.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostText = 1 << 17;

}  // namespace

NativeIntents::NativeIntents(fs::path directory) : directory_(std::move(directory)) {
    base::make_directories(directory_);
}

// Paths are too long for names.
fs::path NativeIntents::file_of(const fs::path& scratch) const {
    return directory_ / base::Digest::of(base::from_wide(scratch.native())).hex();
}

void NativeIntents::record(const fs::path& scratch) const {
    std::string text = fmt::format("{}\n{}\n", this_process(), base::from_wide(scratch.native()));
    base::AtomicFile file(file_of(scratch), true);
    file.write(text);
    file.finish();
}

void NativeIntents::forget(const fs::path& scratch) const {
    base::remove_tree(file_of(scratch));
}

void NativeIntents::roll_back(const std::function<void(const fs::path&)>& undo) const {
    for (const std::string& name : base::list_directory(directory_)) {
        if (name.front() == '.') continue;  // being written
        std::optional<std::string> text = base::try_read_file(directory_ / name, kMostText);
        if (!text) continue;  // its owner was quicker
        std::size_t end = text->find('\n');
        if (end == text->npos || text->back() != '\n' || end + 1 == text->size()) {
            base::log("hcs").warn("{} is no record of a scratch", name);
            continue;
        }
        if (!is_gone(text->substr(0, end))) continue;
        fs::path scratch = base::to_path(text->substr(end + 1, text->size() - end - 2));
        try {
            undo(scratch);
            forget(scratch);
        } catch (const std::exception& error) {
            base::log("hcs").warn("a scratch that a killed process left: {}", error.what());
        }
    }
}

}  // namespace mullion::hcs
