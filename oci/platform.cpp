#include "oci/platform.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.hpp"
#include "base/error.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr std::size_t kMaxText = 256;
constexpr std::size_t kMaxComponents = 3;

constexpr std::array<std::string_view, 17> kKnownOs = {
    "aix",   "android", "darwin", "dragonfly", "freebsd", "hurd",    "illumos", "ios", "js",
    "linux", "nacl",    "netbsd", "openbsd",   "plan9",   "solaris", "windows", "zos"};

constexpr std::array<std::string_view, 23> kKnownArchitectures = {
    "386",     "amd64",   "amd64p32", "arm",    "armbe",  "arm64",    "arm64be",   "ppc64",
    "ppc64le", "loong64", "mips",     "mipsle", "mips64", "mips64le", "mips64p32", "mips64p32le",
    "ppc",     "riscv",   "riscv64",  "s390",   "s390x",  "sparc64",  "wasm"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

bool is_word(std::string_view text, std::string_view punctuation) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               punctuation.find(c) != std::string_view::npos;
    });
}

std::string normalize_os(std::string_view os) {
    std::string result = base::lower_ascii(os);
    return result == "macos" ? "darwin" : result;
}

// The pairs containerd's platform package knows.
void normalize_architecture(std::string& architecture, std::string& variant) {
    architecture = base::lower_ascii(architecture);
    variant = base::lower_ascii(variant);
    if (architecture == "i386") {
        architecture = "386";
        variant.clear();
    } else if (architecture == "x86_64" || architecture == "x86-64" || architecture == "amd64") {
        architecture = "amd64";
        if (variant == "v1") variant.clear();
    } else if (architecture == "aarch64" || architecture == "arm64") {
        architecture = "arm64";
        if (variant == "8" || variant == "v8") variant.clear();
    } else if (architecture == "armhf") {
        architecture = "arm";
        variant = "v7";
    } else if (architecture == "armel") {
        architecture = "arm";
        variant = "v6";
    } else if (architecture == "arm") {
        if (variant.empty()) variant = "v7";
        if (variant.size() == 1 && variant >= "5" && variant <= "8") variant.insert(0, 1, 'v');
    }
}

void normalize_features(std::vector<std::string>& features) {
    std::sort(features.begin(), features.end());
    features.erase(std::unique(features.begin(), features.end()), features.end());
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

[[noreturn]] void refuse(std::string_view text, const std::string& reason) {
    throw base::fail(ErrorCode::Invalid, "failed to parse platform {}: {}", text.substr(0, kMaxText), reason);
}

// "windows(10.0.17763+win32k)" into os, version and features.
void parse_os(std::string_view text, std::string_view part, Platform& platform) {
    std::string_view name = part.substr(0, part.find('('));
    auto bad = [&] {
        refuse(text, fmt::format("\"{}\" is an invalid OS component of \"{}\": expected "
                                 "OS or OS(VERSION[+FEATURE]...): invalid argument",
                                 part, text));
    };
    if (!is_word(name, "_-")) bad();
    platform.os = normalize_os(name);
    if (name.size() == part.size()) return;
    if (part.back() != ')') bad();
    std::vector<std::string_view> options =
        split(part.substr(name.size() + 1, part.size() - name.size() - 2), '+');
    for (std::size_t i = 0; i < options.size(); ++i) {
        // The version may be left out: "windows(+win32k)".
        if (i == 0 && options[i].empty()) continue;
        if (!is_word(options[i], "_.-")) bad();
        if (i > 0) platform.os_features.emplace_back(options[i]);
    }
    platform.os_version = options[0];
    normalize_features(platform.os_features);
    if (platform.is_windows() && !options[0].empty() && !OsVersion::parse(options[0])) {
        refuse(text, fmt::format("\"{}\" is not an OS version such as 10.0.20348 or 10.0.20348.2700: "
                                 "invalid argument",
                                 options[0]));
    }
}

Platform parse_single(std::string_view text, Platform platform) {
    if (contains(kKnownOs, platform.os)) {
        normalize_architecture(platform.architecture, platform.variant);
        return platform;
    }
    platform.architecture = text;
    normalize_architecture(platform.architecture, platform.variant);
    if (platform.architecture == "arm" && platform.variant == "v7") platform.variant.clear();
    if (!contains(kKnownArchitectures, platform.architecture)) {
        refuse(text, fmt::format("\"{}\": unknown operating system or architecture: invalid argument", text));
    }
    platform.os = Platform{}.os;
    return platform;
}

}  // namespace

Platform Platform::parse(std::string_view text) {
    if (text.size() > kMaxText) refuse(text, "the text is too long: invalid argument");
    std::vector<std::string_view> parts = split(text, '/');
    Platform platform;
    parse_os(text, parts[0], platform);
    for (std::size_t i = 1; i < parts.size(); ++i) {
        if (!is_word(parts[i], "_.-")) {
            refuse(text,
                   fmt::format("\"{}\" is an invalid component of \"{}\": invalid argument", parts[i], text));
        }
    }
    if (parts.size() > kMaxComponents) {
        refuse(text, fmt::format("\"{}\": cannot parse platform specifier: invalid argument", text));
    }
    if (parts.size() == 1) return parse_single(text, platform);
    platform.architecture = parts[1];
    if (parts.size() == kMaxComponents) platform.variant = parts[2];
    normalize_architecture(platform.architecture, platform.variant);
    // The variant is shown as it was typed: none if none, v8 if v8.
    if (parts.size() == 2 && platform.architecture == "arm" && platform.variant == "v7")
        platform.variant.clear();
    if (parts.size() == kMaxComponents && platform.architecture == "arm64" && platform.variant.empty()) {
        platform.variant = "v8";
    }
    return platform;
}

std::string Platform::string_without_version() const {
    if (os.empty()) return "unknown";
    std::string text = os;
    if (!architecture.empty()) text += "/" + architecture;
    if (!variant.empty()) text += "/" + variant;
    return text;
}

std::string Platform::string() const {
    std::string text = string_without_version();
    if (os.empty() || (os_version.empty() && os_features.empty())) return text;
    std::string options = os_version;
    std::vector<std::string> features = os_features;
    normalize_features(features);
    for (const std::string& feature : features) options += "+" + feature;
    return text.insert(os.size(), "(" + options + ")");
}

Platform Platform::normalized() const {
    Platform result = *this;
    result.os = normalize_os(os);
    normalize_architecture(result.architecture, result.variant);
    normalize_features(result.os_features);
    return result;
}

std::optional<OsVersion> OsVersion::parse(std::string_view text) {
    std::array<std::uint32_t, 4> numbers{};
    std::vector<std::string_view> parts = split(text, '.');
    if (parts.size() > numbers.size()) return {};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const char* end = parts[i].data() + parts[i].size();
        auto [stop, error] = std::from_chars(parts[i].data(), end, numbers[i]);
        if (parts[i].empty() || error != std::errc{} || stop != end) return {};
    }
    return OsVersion{numbers[0], numbers[1], numbers[2], numbers[3]};
}

namespace {

bool version_satisfies(const std::string& offered, const std::string& wanted) {
    if (offered.empty() || wanted.empty()) return true;
    std::optional<OsVersion> offer = OsVersion::parse(offered);
    std::optional<OsVersion> want = OsVersion::parse(wanted);
    return offer && want ? offer->same_build(*want) : offered == wanted;
}

}  // namespace

bool satisfies(const Platform& offered, const Platform& wanted) {
    Platform offer = offered.normalized();
    Platform want = wanted.normalized();
    bool features =
        std::all_of(offer.os_features.begin(), offer.os_features.end(), [&](const std::string& name) {
            return name == "win32k" ||
                   std::binary_search(want.os_features.begin(), want.os_features.end(), name);
        });
    return features && offer.os == want.os && offer.architecture == want.architecture &&
           offer.variant == want.variant && version_satisfies(offer.os_version, want.os_version);
}

}  // namespace mullion::oci
