#include "cli/display_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tree/utf8.hpp"

namespace mullion::cli {
namespace {

constexpr std::size_t kMaxLine = 64 << 10;
constexpr std::size_t kTab = 8;
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

struct Range {
    char32_t first;
    char32_t last;
};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, char32_t point) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const Range& range) { return point >= range.first && point <= range.last; });
}

// Blocks of East_Asian_Width W and F (Unicode Standard Annex 11), by block.
constexpr std::array<Range, 10> kWide = {{{0x1100, 0x115f},
                                          {0x2e80, 0x303e},
                                          {0x3041, 0xa4cf},
                                          {0xac00, 0xd7a3},
                                          {0xf900, 0xfaff},
                                          {0xfe30, 0xfe6f},
                                          {0xff00, 0xff60},
                                          {0xffe0, 0xffe6},
                                          {0x1f300, 0x1faff},
                                          {0x20000, 0x3fffd}}};
// Combining marks, joiners and variation selectors.
constexpr std::array<Range, 7> kZeroWidth = {{{0x0300, 0x036f},
                                              {0x1ab0, 0x1aff},
                                              {0x1dc0, 0x1dff},
                                              {0x200b, 0x200d},
                                              {0x20d0, 0x20ff},
                                              {0xfe00, 0xfe0f},
                                              {0xfe20, 0xfe2f}}};
// C0, DEL and C1; line and paragraph separators; marks that change the direction of text.
constexpr std::array<Range, 6> kControl = {
    {{0x00, 0x1f}, {0x7f, 0x9f}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}}};

std::size_t width_of(char32_t point) {
    if (within(kZeroWidth, point)) return 0;
    return within(kWide, point) ? 2 : 1;
}

// Length of the escape sequence that `text` begins with; 1 for a lone ESC.
std::size_t escape_length(std::string_view text) {
    if (text.size() < 2) return 1;
    if (text[1] == '[') {
        std::size_t end = 2;
        while (end < text.size() && text[end] >= 0x20 && text[end] < 0x40) ++end;
        return std::min(end + 1, text.size());
    }
    if (text[1] == ']') {
        for (std::size_t end = 2; end < text.size(); ++end) {
            if (text[end] == '\a') return end + 1;
            if (text[end] == '\x1b') return std::min(end + 2, text.size());
        }
        return text.size();
    }
    return 2;
}

// What a terminal would have left of "10%\r20%\r30%".
std::string_view after_last_return(std::string_view line) {
    while (line.ends_with('\r')) line.remove_suffix(1);
    std::size_t at = line.rfind('\r');
    return at == std::string_view::npos ? line : line.substr(at + 1);
}

// Where a line that is too long may be cut without cutting a character.
std::size_t cut_before(std::string_view text, std::size_t limit) {
    std::size_t cut = limit;
    while (cut > limit - 4 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
    return cut;
}

}  // namespace

std::string shown_line(std::string_view line) {
    std::string shown;
    std::size_t column = 0;
    std::string_view rest = after_last_return(line);
    while (!rest.empty()) {
        if (rest.front() == '\x1b') {
            rest.remove_prefix(escape_length(rest));
            continue;
        }
        tree::CodePoint point = tree::decode_utf8(rest);
        if (point.valid && point.value == '\t') {
            std::size_t blanks = kTab - column % kTab;
            shown.append(blanks, ' ');
            column += blanks;
        } else if (!point.valid || within(kControl, point.value)) {
            shown += kReplacement;
            column += 1;
        } else {
            shown += rest.substr(0, point.length);
            column += width_of(point.value);
        }
        rest.remove_prefix(point.length);
    }
    return shown;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        tree::CodePoint point = tree::decode_utf8(text);
        width += width_of(point.value);
        text.remove_prefix(point.length);
    }
    return width;
}

std::string fit(std::string_view text, std::size_t columns) {
    if (display_width(text) <= columns) return std::string(text);
    constexpr std::string_view kCut = "...";
    const std::size_t room = columns > kCut.size() ? columns - kCut.size() : columns;
    std::string result;
    std::size_t width = 0;
    while (!text.empty()) {
        tree::CodePoint point = tree::decode_utf8(text);
        width += width_of(point.value);
        if (width > room) break;
        result += text.substr(0, point.length);
        text.remove_prefix(point.length);
    }
    if (room < columns) result += kCut;
    return result;
}

std::vector<std::string> LineBuffer::add(std::string_view data) {
    std::vector<std::string> lines;
    while (!data.empty()) {
        std::size_t end = data.find('\n');
        std::size_t take = std::min(end == std::string_view::npos ? data.size() : end, kMaxLine);
        partial_ += data.substr(0, take);
        data.remove_prefix(take);
        if (take == end) {
            data.remove_prefix(1);
            lines.push_back(flush());
        } else if (partial_.size() > kMaxLine) {
            std::size_t cut = cut_before(partial_, kMaxLine);
            lines.push_back(shown_line(std::string_view(partial_).substr(0, cut)));
            partial_.erase(0, cut);
        }
    }
    return lines;
}

std::string LineBuffer::rest() const {
    return shown_line(partial_);
}

std::string LineBuffer::flush() {
    return shown_line(std::exchange(partial_, {}));
}

bool is_cancellation(std::string_view error) {
    return error.ends_with("canceled");
}

}  // namespace mullion::cli
