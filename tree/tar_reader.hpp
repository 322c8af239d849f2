// Reads tar archives entry by entry, whatever wrote them: ustar, PAX, GNU long names and base-256 numbers.
// Input is hostile: headers are checksummed and bounded, nothing but the current header is held in memory,
// and what cannot be read faithfully (sparse files, unknown types, archives without an end) is refused.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/stream.hpp"
#include "tree/tar_header.hpp"

namespace mullion::tree {

constexpr std::uint64_t kMaxPaxHeader = 1 << 20;
constexpr std::size_t kMaxTarName = 32'767;  // the longest path Windows has

struct PaxRecord {
    std::string_view key;
    std::string_view value;
};

struct TarEntry {
    std::string name;  // as stored, not checked; a directory's may end in '/'
    std::string link_name;
    TarType type = TarType::File;
    std::uint64_t size = 0;    // of the content
    std::uint64_t offset = 0;  // of the content in the archive
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    PaxTime modified;
    // PAX records that are not in the fields above, in the order of the archive; valid until the next entry.
    std::vector<PaxRecord> records;

    // The last record of that key; nullptr if there is none.
    const std::string_view* find(std::string_view key) const;
};

// Errors: Corrupt for damage and truncation, Unsupported for what tar can say and we cannot read, Invalid for
// names over the limit.
class TarReader {
  public:
    explicit TarReader(base::Source& source);
    ~TarReader();

    // Skips what is left of the current content and reads the next header. False after the last entry; the
    // source has then been read to its end, which holds nothing but zero blocks.
    bool next(TarEntry& entry);
    // The current entry's bytes, nothing beyond. Valid until next().
    base::Source& content();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mullion::tree
