// Platforms (OCI image-spec, image-index.md "platform"; hcs.md §5 for os.version).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::oci {

struct Platform {
    std::string os = "windows";
    std::string architecture = "amd64";
    std::string variant;
    std::string os_version;                // "10.0.20348.2700" or empty
    std::vector<std::string> os_features;  // "win32k"

    // "windows/amd64", "windows(10.0.20348.2700+win32k)/amd64", "linux/arm64/v8". One component alone is an
    // OS or an architecture; the other half is then windows or amd64, whatever the host: what we build does
    // not depend on the machine. Aliases are normalised (x86_64, aarch64, macos), features sorted. Throws
    // Invalid ("failed to parse platform X: ...").
    static Platform parse(std::string_view text);
    std::string string() const;  // with the OS version and features if there are any
    std::string string_without_version() const;
    bool is_windows() const { return os == "windows"; }

    // Aliases resolved, variants that mean "the usual one" dropped (arm64/v8, amd64/v1), features sorted: two
    // platforms that mean the same become equal.
    Platform normalized() const;

    bool operator==(const Platform&) const = default;
};

// "10.0.20348.2700" as numbers, for ordering. nullopt if it is not 1 to 4 dot-separated numbers.
struct OsVersion {
    std::uint32_t major = 0, minor = 0, build = 0, revision = 0;
    static std::optional<OsVersion> parse(std::string_view text);
    bool same_build(const OsVersion& other) const {
        return major == other.major && minor == other.minor && build == other.build;
    }
    auto operator<=>(const OsVersion&) const = default;
};

// Does an image entry of platform `offered` serve a request for `wanted`? OS, architecture and variant
// (normalised) must agree. os.version: equal major.minor.build if both name one, anything if one of them does
// not (versions that are not numbers must be the same text). os.features: every feature of the image must be
// in the request, except win32k, which any Windows that runs us has.
bool satisfies(const Platform& offered, const Platform& wanted);

}  // namespace mullion::oci
