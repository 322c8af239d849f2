// Runs a target over the files of a corpus directory: replay DIRECTORY.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "base/file.hpp"
#include "tests/fuzz/target.hpp"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        std::printf("%s\n", file.filename().c_str());
        std::fflush(stdout);
        mullion::test::fuzz(mullion::base::read_file(file, 1 << 20));
    }
    return files.empty() ? 1 : 0;
}
