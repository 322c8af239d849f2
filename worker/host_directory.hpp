// A new directory tree on the host, written from paths of an image that nobody has to trust: no name leaves
// it, no link in it is followed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/cancel.hpp"
#include "base/file_time.hpp"
#include "base/handle.hpp"
#include "base/stream.hpp"

namespace mullion::worker {

// Paths are relative, separated by '/'. What exists already is an error (Exists): nothing is overwritten.
// For one thread; several objects may write below one root.
class HostDirectory {
  public:
    explicit HostDirectory(std::filesystem::path root);

    void make_directory(std::string_view path);
    // `mode` is the file's, whatever the umask.
    void make_file(std::string_view path, base::Source& bytes, base::FileTime modified, std::uint32_t mode,
                   const base::CancelToken& cancel);
    // Moves a file of `from` here. False if there is none, or it lies on another file system.
    bool adopt_file(HostDirectory& from, std::string_view existing, std::string_view path,
                    base::FileTime modified, std::uint32_t mode);
    void make_symlink(std::string_view path, const std::string& target);
    void make_hard_link(std::string_view existing, std::string_view path);
    // Of a directory; last, because whatever is made in it changes its time and needs the right to.
    void finish_directory(std::string_view path, base::FileTime modified, std::uint32_t mode);

  private:
    // The directory that holds `path`, opened name by name; the last one stays open.
    int parent(std::string_view path);
    base::UniqueFd open_directory(std::string_view path) const;

    std::filesystem::path root_;
    base::UniqueFd root_fd_;
    std::string parent_path_;
    base::UniqueFd parent_fd_;
};

}  // namespace mullion::worker
