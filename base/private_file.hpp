// Bytes that one other process may read and that never touch a disk: an unnamed file in memory. Whatever ends
// this process, nothing of it stays.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/handle.hpp"

namespace mullion::base {

class PrivateFile {
  public:
    explicit PrivateFile(std::string_view data);

    // A name for it in this process, as long as the object lives. Others have to be handed the open file.
    std::filesystem::path path() const;
    // Whether `path` is such a name.
    static bool is_name(const std::filesystem::path& path);

  private:
    UniqueFd fd_;
};

}  // namespace mullion::base
