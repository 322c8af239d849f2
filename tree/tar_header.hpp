// Headers of the tar format as layers use it: POSIX ustar blocks preceded by PAX extended headers (pax(1),
// "pax Interchange Format"). The bytes written are those of Go's archive/tar in its PAX format, which is what
// Windows and BuildKit make layers with.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_time.hpp"

namespace mullion::tree {

constexpr std::size_t kTarBlock = 512;

// Two zero blocks end an archive.
constexpr std::size_t kTarTrailer = 2 * kTarBlock;

// Bytes from the end of `size` bytes of content to the next block.
constexpr std::size_t tar_padding(std::uint64_t size) {
    return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}

enum class TarType : char {
    File = '0',
    HardLink = '1',
    Symlink = '2',
    CharDevice = '3',
    BlockDevice = '4',
    Directory = '5',
    Fifo = '6',
    Contiguous = '7',
};

// File type bits of the mode field.
constexpr std::uint32_t kModeTypeMask = 0170000;
constexpr std::uint32_t kModeDirectory = 0040000;
constexpr std::uint32_t kModeFile = 0100000;
constexpr std::uint32_t kModeSymlink = 0120000;

// A time with PAX resolution: `nanoseconds` (0..999'999'999) count upwards from `seconds`, also before 1970.
struct PaxTime {
    std::int64_t seconds = 0;
    std::int32_t nanoseconds = 0;
    auto operator<=>(const PaxTime&) const = default;

    static PaxTime from(base::FileTime time);
    // Rounded down to 100 ns.
    base::FileTime file_time() const;
};

// The largest distance from 1970 that is accepted: the largest base::FileTime::from_timespec() gives, so that
// whatever time a file has can be written and read again.
constexpr std::int64_t kMaxPaxSeconds =
    std::numeric_limits<std::int64_t>::max() / base::FileTime::kTicksPerSecond - 1;

// "1700000000", "1700000000.000000005", "-0.5": at most nine fraction digits, trailing zeros trimmed.
std::string format_pax_time(PaxTime time);
// nullopt for anything that is not a decimal number or lies outside kMaxPaxSeconds. Digits beyond
// the ninth are dropped.
std::optional<PaxTime> parse_pax_time(std::string_view text);

// Appends "<length> <key>=<value>\n", the length counting itself.
void append_pax_record(std::string& out, std::string_view key, std::string_view value);

// Go's splitUSTARPath: where a name too long for the name field is cut into prefix and name; nullopt if it
// needs no cut or has no place for one.
std::optional<std::size_t> ustar_split(std::string_view name);

struct TarHeader {
    std::string_view name;
    std::string_view link_name;
    TarType type = TarType::File;
    std::uint64_t size = 0;
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    PaxTime modified;
    std::optional<PaxTime> accessed;
    std::optional<PaxTime> changed;
    // Ready records with keys that sort before "atime" (all vendor keys are upper-case), sorted by key.
    std::string_view vendor_records;
    // A header that needs no PAX record may cut a long name into the ustar prefix field (Go's habit when no
    // format is asked for; layers have it in whiteouts).
    bool allow_split = false;
};

// Appends the entry's blocks up to its content: the extended header, if any record is needed, and the main
// one.
void append_tar_header(std::string& out, const TarHeader& header);

}  // namespace mullion::tree
