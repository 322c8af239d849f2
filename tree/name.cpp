#include "tree/name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "base/error.hpp"
#include "tree/utf8.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

struct UpcaseRange {
    char16_t first;
    char16_t last;
    std::int32_t delta;
    std::uint8_t stride;  // 2: every other code point, where upper and lower case alternate
};

constexpr UpcaseRange kUpcase[] = {
#include "tree/upcase_table.inc"
};

constexpr char ascii_upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool is_ascii(char c) {
    return static_cast<unsigned char>(c) < 0x80;
}

int sign(int value) {
    return (value > 0) - (value < 0);
}

}  // namespace

char32_t upcase(char32_t point) {
    if (point > 0xFFFF) return point;
    const UpcaseRange* range = std::lower_bound(std::begin(kUpcase), std::end(kUpcase), point,
                                                [](const UpcaseRange& r, char32_t p) { return r.last < p; });
    if (range == std::end(kUpcase) || point < range->first) return point;
    if ((point - range->first) % range->stride != 0) return point;
    return static_cast<char32_t>(static_cast<std::int32_t>(point) + range->delta);
}

char32_t downcase(char32_t point) {
    if (point > 0xFFFF) return point;
    for (const UpcaseRange& range : kUpcase) {
        auto lower = static_cast<char32_t>(static_cast<std::int32_t>(point) - range.delta);
        if (range.first <= lower && lower <= range.last && (lower - range.first) % range.stride == 0) {
            return lower;
        }
    }
    return point;
}

std::string fold(Os os, std::string_view name) {
    std::string folded(name);
    if (os == Os::Linux) return folded;
    if (std::all_of(name.begin(), name.end(), is_ascii)) {
        std::transform(name.begin(), name.end(), folded.begin(), ascii_upper);
        return folded;
    }
    folded.clear();
    while (!name.empty()) {
        CodePoint point = decode_utf8(name);
        if (point.valid) {
            append_utf8(folded, upcase(point.value));
        } else {
            folded += name.front();
        }
        name.remove_prefix(point.length);
    }
    return folded;
}

int compare_names(Os os, std::string_view a, std::string_view b) {
    if (os == Os::Linux) return sign(a.compare(b));
    std::size_t common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < common; ++i) {
        if (!is_ascii(a[i]) || !is_ascii(b[i])) {
            return sign(fold(os, a.substr(i)).compare(fold(os, b.substr(i))));
        }
        int difference = ascii_upper(a[i]) - ascii_upper(b[i]);
        if (difference != 0) return sign(difference);
    }
    return (a.size() > b.size()) - (a.size() < b.size());
}

bool names_equal(Os os, std::string_view a, std::string_view b) {
    return compare_names(os, a, b) == 0;
}

namespace {

constexpr std::size_t kMaxNameUnits = 255;  // UTF-16 units on NTFS, bytes on Linux

// "NUL", "nul.txt", "COM¹": the Win32 subsystem opens a device for them, whatever the directory.
bool is_reserved_device(std::string_view name) {
    static constexpr std::array<std::string_view, 6> kDevices = {"CON", "PRN",    "AUX",
                                                                 "NUL", "CONIN$", "CONOUT$"};
    static constexpr std::array<std::string_view, 3> kSuperscripts = {"\u00B9", "\u00B2", "\u00B3"};
    std::string stem = fold(Os::Windows, name.substr(0, name.find('.')));
    stem.erase(stem.find_last_not_of(' ') + 1);
    if (std::find(kDevices.begin(), kDevices.end(), stem) != kDevices.end()) return true;
    if (!stem.starts_with("COM") && !stem.starts_with("LPT")) return false;
    std::string_view number = std::string_view(stem).substr(3);
    if (number.size() == 1) return number[0] >= '1' && number[0] <= '9';
    return std::find(kSuperscripts.begin(), kSuperscripts.end(), number) != kSuperscripts.end();
}

std::optional<std::string> windows_problem(std::string_view name) {
    std::size_t units = 0;
    for (std::string_view rest = name; !rest.empty();) {
        CodePoint point = decode_utf8(rest);
        if (!point.valid) return "is not valid UTF-8";
        if (point.value < 0x20) return fmt::format("contains the control character {:#04x}", rest.front());
        if (std::string_view("<>:\"/\\|?*").find(rest.front()) != std::string_view::npos) {
            return fmt::format("contains '{}'", rest.front());
        }
        units += point.value > 0xFFFF ? 2 : 1;
        rest.remove_prefix(point.length);
    }
    if (units > kMaxNameUnits) return "is longer than 255 UTF-16 units";
    if (name.back() == '.') return "ends with a dot";
    if (name.back() == ' ') return "ends with a space";
    if (is_reserved_device(name)) return "is a reserved device name";
    return {};
}

std::optional<std::string> linux_problem(std::string_view name) {
    if (name.find('/') != std::string_view::npos) return "contains '/'";
    if (name.find('\0') != std::string_view::npos) return "contains a NUL byte";
    if (name.size() > kMaxNameUnits) return "is longer than 255 bytes";
    return {};
}

}  // namespace

std::optional<std::string> name_problem(Os os, std::string_view name) {
    if (name.empty()) return "is empty";
    if (name == "." || name == "..") return "is a relative path element";
    return os == Os::Windows ? windows_problem(name) : linux_problem(name);
}

namespace {

bool is_separator(Os os, char c) {
    return c == '/' || (os == Os::Windows && c == '\\');
}

// Drops "C:". The order of the checks and their texts are the reference's (dockerfile.md §11).
std::string_view without_drive(std::string_view path) {
    if (path.size() == 2 && path[1] == ':') {
        throw fail(ErrorCode::Invalid, "No relative path specified in \"{}\"", printable(path));
    }
    if (path.size() >= 2 && is_separator(Os::Windows, path[0]) && is_separator(Os::Windows, path[1])) {
        throw fail(ErrorCode::Invalid, "UNC paths are not supported");
    }
    std::size_t colon = path.find(':');
    if (colon == std::string_view::npos) return path;
    if (colon != 1 || ascii_upper(path[0]) != 'C') {
        throw fail(ErrorCode::Invalid, "The specified path is not on the system drive (C:)");
    }
    return path.substr(2);
}

}  // namespace

std::string normalise(Os os, std::string_view path, std::string_view working_directory) {
    if (os == Os::Windows) path = without_drive(path);
    std::vector<std::string_view> elements;
    if (path.empty() || !is_separator(os, path.front())) elements = split(working_directory);
    while (!path.empty()) {
        auto end = std::find_if(path.begin(), path.end(), [&](char c) { return is_separator(os, c); });
        auto length = static_cast<std::size_t>(end - path.begin());
        std::string_view element = path.substr(0, length);
        path.remove_prefix(std::min(length + 1, path.size()));
        if (element.empty() || element == ".") continue;
        if (element != "..") {
            elements.push_back(element);
        } else if (!elements.empty()) {
            elements.pop_back();
        }
    }
    return fmt::format("{}", fmt::join(elements, "/"));
}

bool is_absolute(Os os, std::string_view path) {
    if (os == Os::Windows && path.size() >= 2 && path[1] == ':') path.remove_prefix(2);
    return !path.empty() && is_separator(os, path.front());
}

std::string join(std::string_view directory, std::string_view name) {
    if (directory.empty()) return std::string(name);
    if (name.empty()) return std::string(directory);
    std::string path;
    path.reserve(directory.size() + 1 + name.size());
    return path.append(directory).append(1, '/').append(name);
}

std::string_view parent_of(std::string_view path) {
    std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view base_name(std::string_view path) {
    std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> elements;
    if (path.empty()) return elements;
    for (;;) {
        std::size_t slash = path.find('/');
        elements.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) return elements;
        path.remove_prefix(slash + 1);
    }
}

std::string display_path(Os os, std::string_view path) {
    if (os == Os::Linux) return "/" + std::string(path);
    std::string text = "C:\\" + std::string(path);
    std::replace(text.begin(), text.end(), '/', '\\');
    return text;
}

std::string printable(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        CodePoint point = decode_utf8(text);
        std::string_view bytes = text.substr(0, point.length);
        bool control = point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0);
        if (point.valid && !control) {
            shown += bytes;
        } else {
            for (char byte : bytes) shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
        }
        text.remove_prefix(point.length);
    }
    return shown;
}

}  // namespace mullion::tree
