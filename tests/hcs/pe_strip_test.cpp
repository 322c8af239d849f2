#include "hcs/pe_strip.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace mullion::hcs {
namespace {

constexpr std::size_t kNewHeader = 0x80, kOptionalSize = 240, kSections = kNewHeader + 24 + kOptionalSize;

template <typename Number>
void put(std::string& image, std::size_t at, Number value) {
    std::memcpy(image.data() + at, &value, sizeof value);
}

template <typename Number>
Number get(const std::string& image, std::size_t at) {
    Number value;
    std::memcpy(&value, image.data() + at, sizeof value);
    return value;
}

void section(std::string& image, int index, const char* name, std::uint32_t address, std::uint32_t raw) {
    std::size_t at = kSections + static_cast<std::size_t>(index) * 40;
    std::strncpy(image.data() + at, name, 8);
    put<std::uint32_t>(image, at + 8, 0x100);  // virtual size
    put<std::uint32_t>(image, at + 12, address);
    put<std::uint32_t>(image, at + 16, 0x200);  // raw size
    put<std::uint32_t>(image, at + 20, raw);
}

// .text and two debug sections, the second with a long name; then an empty symbol table and the string table.
std::string make_image() {
    std::string image(0x400 + 3 * 0x200, 'x');
    std::memset(image.data(), 0, 0x400);
    image[0] = 'M';
    image[1] = 'Z';
    put<std::uint32_t>(image, 0x3c, kNewHeader);
    put<std::uint32_t>(image, kNewHeader, 0x4550);
    put<std::uint16_t>(image, kNewHeader + 6, 3);
    put<std::uint32_t>(image, kNewHeader + 12, static_cast<std::uint32_t>(image.size()));
    put<std::uint16_t>(image, kNewHeader + 20, kOptionalSize);
    put<std::uint32_t>(image, kNewHeader + 24 + 32, 0x1000);
    put<std::uint32_t>(image, kNewHeader + 24 + 56, 0x4000);
    section(image, 0, ".text", 0x1000, 0x400);
    section(image, 1, ".debug_i", 0x2000, 0x600);
    section(image, 2, "/4", 0x3000, 0x800);
    return image + std::string("\x10\0\0\0", 4) + ".debug_abbrev";
}

TEST(StripDebugSections, CutsTrailingDebugSections) {
    std::string stripped = strip_debug_sections(make_image());
    EXPECT_EQ(stripped.size(), 0x600u);
    EXPECT_EQ(get<std::uint16_t>(stripped, kNewHeader + 6), 1);
    EXPECT_EQ(get<std::uint32_t>(stripped, kNewHeader + 12), 0u);
    EXPECT_EQ(get<std::uint32_t>(stripped, kNewHeader + 24 + 56), 0x2000u);
}

TEST(StripDebugSections, LeavesOtherLayoutsAlone) {
    std::string image = make_image();
    section(image, 2, ".rsrc", 0x3000, 0x800);  // a needed section behind a debug section
    EXPECT_EQ(strip_debug_sections(image), image);
}

TEST(StripDebugSections, LeavesDamagedFilesAlone) {
    std::string image = make_image();
    for (std::size_t size = 0; size < 0x300; size += 3) {
        std::string cut = image.substr(0, size);
        EXPECT_EQ(strip_debug_sections(cut), cut);
    }
    std::string wild = image;
    put<std::uint32_t>(wild, 0x3c, 0xfffffff0);
    EXPECT_EQ(strip_debug_sections(wild), wild);
}

// The fields that stripping changes would lie behind the end of the file.
TEST(StripDebugSections, LeavesFilesWithAShortOptionalHeaderAlone) {
    std::string image(0x80 + 24 + 36 + 40, '\0');
    put<std::uint32_t>(image, 0x3c, kNewHeader);
    put<std::uint32_t>(image, kNewHeader, 0x4550);
    put<std::uint16_t>(image, kNewHeader + 6, 1);
    put<std::uint32_t>(image, kNewHeader + 12, 1);
    put<std::uint16_t>(image, kNewHeader + 20, 0);
    put<std::uint32_t>(image, kNewHeader + 24 + 32, 0x1000);
    put<std::uint32_t>(image, kNewHeader + 24 + 16, 0x10);  // raw size of the one section
    put<std::uint32_t>(image, kNewHeader + 24 + 20,
                       kNewHeader + 54);  // and its place: the file ends at 0x80 + 64
    EXPECT_EQ(strip_debug_sections(image), image);
}

}  // namespace
}  // namespace mullion::hcs
