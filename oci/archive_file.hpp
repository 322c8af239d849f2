// An archive file on the host with random access, also when it is compressed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/cancel.hpp"
#include "base/handle.hpp"
#include "base/stream.hpp"

namespace mullion::oci {

// A gzip'd or zstd'd archive is decompressed into a file without a name (in `temporary`; empty: the system's
// directory for temporary files) that goes away with this object or with the process. What is read is the
// file that was opened, even if its name is taken by another one later.
class ArchiveFile {
  public:
    // Throws NotFound (of `temporary` too), Denied; Invalid if it is not a regular file or decompresses to
    // more than 64 GiB; Corrupt.
    ArchiveFile(const std::filesystem::path& path, const base::CancelToken& cancel,
                const std::filesystem::path& temporary = {});

    std::uint64_t size() const { return size_; }
    // Independent of other sources of the same file; may outlive this object.
    std::unique_ptr<base::Source> range(std::uint64_t offset, std::uint64_t length) const;

  private:
    base::UniqueFd fd_;
    std::uint64_t size_;
};

}  // namespace mullion::oci
