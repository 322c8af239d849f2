// File times with Windows' resolution.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>

namespace mullion::base {

// Counts 100 ns steps since 1970-01-01T00:00:00Z; may be negative.
struct FileTime {
    std::int64_t ticks = 0;

    static constexpr std::int64_t kTicksPerSecond = 10'000'000;
    // FILETIME counts the same steps from 1601-01-01.
    static constexpr std::int64_t kFiletimeOffset = 116'444'736'000'000'000;

    static constexpr FileTime from_seconds(std::int64_t seconds) { return {seconds * kTicksPerSecond}; }
    // Times that do not fit (29 000 years from now) become the nearest that does.
    static FileTime from_timespec(const timespec& time);
    static FileTime now();
    // "2024-05-06T07:08:09.123Z"; throws Invalid. Accepts what OCI documents hold (RFC 3339, with offset).
    static FileTime parse_rfc3339(const std::string& text);

    timespec to_timespec() const;
    std::int64_t seconds() const;  // rounded down
    std::string rfc3339() const;   // UTC, fraction only if non-zero, trailing zeros trimmed

    auto operator<=>(const FileTime&) const = default;
};

}  // namespace mullion::base
