#include "hcs/pe_strip.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace mullion::hcs {
namespace {

// Offsets in the "PE Format" specification's structures.
constexpr std::size_t kNewHeaderOffset = 0x3c;
constexpr std::size_t kCoffSize = 24;  // signature and COFF header
constexpr std::size_t kSectionSize = 40;
constexpr std::size_t kChecksumEnd = 68;  // in the optional header; what we write lies before
constexpr std::uint16_t kLineNumbersStripped = 0x4, kLocalSymbolsStripped = 0x8, kDebugStripped = 0x200;

// A PE file's fields, every access checked: reading something outside makes the whole image unusable for us.
class Image {
  public:
    explicit Image(std::string_view bytes) : bytes_(bytes) {}

    template <typename Number>
    Number get(std::size_t offset) {
        Number value = 0;
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof value) {
            bad_ = true;
        } else {
            std::memcpy(&value, bytes_.data() + offset, sizeof value);
        }
        return value;
    }
    bool bad() const { return bad_; }

    // The section's name; long ones are an offset into the string table.
    std::string name(std::size_t header, std::size_t string_table) {
        if (header > bytes_.size() || bytes_.size() - header < 8) {
            bad_ = true;
            return {};
        }
        std::string text(bytes_.data() + header, ::strnlen(bytes_.data() + header, 8));
        if (text.empty() || text[0] != '/') return text;
        std::size_t offset = string_table + static_cast<std::size_t>(std::atoi(text.c_str() + 1));
        if (offset >= bytes_.size()) return {};
        return {bytes_.data() + offset, ::strnlen(bytes_.data() + offset, bytes_.size() - offset)};
    }

  private:
    std::string_view bytes_;
    bool bad_ = false;
};

template <typename Number>
void put(std::string& bytes, std::size_t offset, Number value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
}

struct Layout {
    std::size_t coff = 0;
    std::size_t optional = 0;
    std::size_t sections = 0;
    std::uint16_t kept = 0;
    std::uint16_t count = 0;
    std::size_t file_end = 0;
    std::uint32_t image_end = 0;
};

std::optional<Layout> plan(Image& image, std::size_t file_size) {
    Layout layout;
    layout.coff = image.get<std::uint32_t>(kNewHeaderOffset);
    if (image.get<std::uint32_t>(layout.coff) != 0x4550) return std::nullopt;  // "PE\0\0"
    layout.count = image.get<std::uint16_t>(layout.coff + 6);
    std::size_t symbols = image.get<std::uint32_t>(layout.coff + 12);
    std::size_t string_table = symbols + std::size_t{18} * image.get<std::uint32_t>(layout.coff + 16);
    layout.optional = layout.coff + kCoffSize;
    layout.sections = layout.optional + image.get<std::uint16_t>(layout.coff + 20);
    std::uint32_t alignment = image.get<std::uint32_t>(layout.optional + 32);
    if (image.bad() || symbols == 0 || alignment == 0) return std::nullopt;
    if (layout.sections - layout.optional < kChecksumEnd) return std::nullopt;

    bool in_debug = false;
    for (std::uint16_t i = 0; i < layout.count; ++i) {
        std::size_t header = layout.sections + i * kSectionSize;
        bool debug = image.name(header, string_table).rfind(".debug", 0) == 0;
        if (image.bad() || (in_debug && !debug)) return std::nullopt;
        in_debug = debug;
        if (debug) continue;
        ++layout.kept;
        std::uint32_t virtual_end =
            image.get<std::uint32_t>(header + 12) + image.get<std::uint32_t>(header + 8);
        layout.image_end = std::max(layout.image_end, (virtual_end + alignment - 1) / alignment * alignment);
        std::size_t raw_size = image.get<std::uint32_t>(header + 16);
        if (raw_size != 0) {
            layout.file_end = std::max(layout.file_end, image.get<std::uint32_t>(header + 20) + raw_size);
        }
    }
    if (image.bad() || layout.kept == 0 || layout.file_end > file_size) return std::nullopt;
    return layout;
}

}  // namespace

std::string strip_debug_sections(std::string_view image) {
    Image fields(image);
    std::optional<Layout> layout = plan(fields, image.size());
    if (!layout) return std::string(image);
    auto characteristics = fields.get<std::uint16_t>(layout->coff + 22);
    std::size_t dropped = layout->sections + layout->kept * kSectionSize;
    std::size_t headers_end = layout->sections + layout->count * kSectionSize;
    if (headers_end > layout->file_end) return std::string(image);
    std::string stripped(image.substr(0, layout->file_end));
    put<std::uint16_t>(stripped, layout->coff + 6, layout->kept);
    put<std::uint32_t>(stripped, layout->coff + 12, 0);  // symbol table
    put<std::uint32_t>(stripped, layout->coff + 16, 0);
    put<std::uint16_t>(stripped, layout->coff + 22,
                       static_cast<std::uint16_t>(characteristics | kLineNumbersStripped |
                                                  kLocalSymbolsStripped | kDebugStripped));
    put<std::uint32_t>(stripped, layout->optional + 56, layout->image_end);
    put<std::uint32_t>(stripped, layout->optional + 64, 0);  // checksum: none
    std::memset(stripped.data() + dropped, 0, headers_end - dropped);
    return stripped;
}

}  // namespace mullion::hcs
