// Scratches that exist, written down before they are made: what a killed process leaves is undone at the next
// start.
//
// One small file per scratch in a directory: whose it is, and its path. A file that cannot be read is left
// alone and reported.
#pragma once

#include <filesystem>
#include <functional>

namespace mullion::hcs {

class NativeIntents {
  public:
    // Makes the directory.
    explicit NativeIntents(std::filesystem::path directory);

    // Before the scratch is made, and when it is moved away to be destroyed.
    void record(const std::filesystem::path& scratch) const;
    // When nothing is left of it. Quiet if it is not there.
    void forget(const std::filesystem::path& scratch) const;
    // Calls `undo` for the scratches of processes that are gone, and forgets them unless it throws (logged:
    // the next start tries again).
    void roll_back(const std::function<void(const std::filesystem::path& scratch)>& undo) const;

  private:
    std::filesystem::path file_of(const std::filesystem::path& scratch) const;

    std::filesystem::path directory_;
};

}  // namespace mullion::hcs
