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

    // "windows/amd64", "windows(10.0.20348.2700+win32k)/amd64", "linux/arm64/v8"; throws Invalid
    // ("failed to parse platform X: ...").
    static Platform parse(std::string_view text);
    std::string string() const;  // with the OS version if there is one
    std::string string_without_version() const;
    bool is_windows() const { return os == "windows"; }

    bool operator==(const Platform&) const = default;
};

// "10.0.20348.2700" as numbers, for ordering. nullopt if it is not 1 to 4 dot-separated numbers.
struct OsVersion {
    std::uint32_t major = 0, minor = 0, build = 0, revision = 0;
    static std::optional<OsVersion> parse(std::string_view text);
    auto operator<=>(const OsVersion&) const = default;
};

// Does an image entry of platform `offered` serve a request for `wanted`? OS and architecture (normalised)
// must agree; os.version: equal major.minor.build if the request names one, anything if not.
bool satisfies(const Platform& offered, const Platform& wanted);

}  // namespace mullion::oci
