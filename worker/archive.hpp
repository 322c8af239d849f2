// Archives as file systems: what ADD unpacks, and contexts that come as a tar (dockerfile.md §10).
//
// Names are relative to the archive's root, a leading "/" is dropped. Refused (Invalid, naming the entry):
// names with "..", names the image's OS does not allow, names that clash by case, what lies below a file or a
// link of the same archive, relative symlinks that lead above the root, hard links to what was not there
// before, devices, FIFOs and sockets. An entry replaces an earlier one of the same name. Absolute symlinks
// mean the image's root, as they do in a context.
#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/cancel.hpp"
#include "tree/content.hpp"
#include "tree/tree.hpp"
#include "worker/archive_reader.hpp"

namespace mullion::worker {

// Thread-safe. Contents of the trees it makes lie in `spool`, which must outlive them.
class Archives {
  public:
    // Keeps a reference to `contents`, which is read only to look into archives.
    Archives(tree::ContentProvider& contents, std::filesystem::path spool)
        : contents_(contents), spool_(std::move(spool)) {}

    // nullopt if the file is no archive of these formats. `name` is for messages.
    std::optional<tree::Tree> unpack(std::string_view name, const tree::Content& file, ArchiveFormats formats,
                                     tree::Os os, const base::CancelToken& cancel);
    bool is_archive(const tree::Content& file, ArchiveFormats formats, const base::CancelToken& cancel);

  private:
    tree::ContentProvider& contents_;
    std::filesystem::path spool_;
    std::atomic<std::uint64_t> next_file_{0};
};

// The latest modification time in a tree; nullopt for one without objects.
std::optional<base::FileTime> newest_file(const tree::Tree& tree);

}  // namespace mullion::worker
