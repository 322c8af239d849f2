// A new directory tree on the host, written from paths of an image that nobody has to trust: no name leaves
// it, no link in it is followed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel.hpp"
#include "base/file_time.hpp"
#include "base/stream.hpp"

namespace mullion::worker {

// Paths are relative, separated by '/'. What exists already is an error (Exists): nothing is overwritten.
// For one thread; several objects may write below one root.
class HostDirectory {
  public:
    explicit HostDirectory(const std::filesystem::path& root);
    ~HostDirectory();

    void make_directory(std::string_view path);
    // `mode` is the file's, whatever the umask; Windows has no such thing.
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
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mullion::worker
