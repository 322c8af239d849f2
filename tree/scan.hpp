// Host directories as Trees.
#pragma once

#include <filesystem>
#include <optional>

#include "base/cancel.hpp"
#include "tree/pattern.hpp"
#include "tree/tree.hpp"

namespace mullion::tree {

// Remembers digests of host files by their stat identity, so that an unchanged file is not read again.
// Implemented by the cache room; thread-safe. An entry is trusted only if the file was older than the moment
// it was hashed (racy changes within the clock's resolution are not stored).
class StatCache {
  public:
    virtual ~StatCache() = default;
    virtual std::optional<base::Digest> find(const StatIdentity& identity) = 0;
    virtual void remember(const StatIdentity& identity, const base::Digest& digest) = 0;
};

struct ScanOptions {
    Os os = Os::Windows;  // the image's OS: its name rules apply
    const IgnorePatterns* ignore = nullptr;
    StatCache* stat_cache = nullptr;  // only looked up here; digest_of-type work fills it
};

// Walks `root` in parallel. Symlinks are kept as links, never followed; sockets, devices and FIFOs are
// Invalid unless ignored. Names illegal on the image's OS and names that clash by case are Invalid, naming
// both and what to do. File bytes are not read.
Tree scan(const std::filesystem::path& root, const ScanOptions& options, const base::CancelToken& cancel);

// The same for one file or directory already known to be wanted (single-file contexts).
StatIdentity stat_identity(const std::filesystem::path& path);

}  // namespace mullion::tree
