// The table of contents of an image archive: which name is where in the file. Reads ustar with pax and GNU
// long names and sizes (POSIX pax, "ustar Interchange Format"); contents are not touched. This is for the
// archives that images travel in; layer tars have their own codec (tree/).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci/archive_file.hpp"

namespace mullion::oci {

class TarIndex {
  public:
    struct Range {
        std::uint64_t offset = 0;  // in the file
        std::uint64_t size = 0;
    };

    // Throws Corrupt (truncated, bad header, size beyond the end of the file) or Invalid (a name that is
    // absolute or has "..", a name twice, too many entries), naming the entry. An archive must end with its
    // end marker: one cut between two entries is noticed.
    TarIndex(const ArchiveFile& file, const base::CancelToken& cancel);

    // The regular file `name` ("blobs/sha256/..."), through symbolic and hard links inside the archive
    // (docker save links equal layers). nullopt if there is none; Invalid for a link that leads outside or in
    // circles.
    std::optional<Range> find(std::string_view name) const;

  private:
    struct Entry {
        bool is_link = false;
        Range range;
        std::string target;  // of a link: normalised, inside the archive
    };
    std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace mullion::oci
