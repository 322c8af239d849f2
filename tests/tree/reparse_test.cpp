#include "tree/reparse.hpp"

#include "layer_support.hpp"

namespace mullion::tree {
namespace {

using test::error_of;

std::string utf16(std::string_view ascii) {
    std::string out;
    for (char c : ascii) out += {c, '\0'};
    return out;
}

std::string le16(unsigned value) {
    return {static_cast<char>(value & 0xff), static_cast<char>(value >> 8)};
}

// [MS-FSCC] 2.1.2.4: tag, data length, reserved, then four offsets and lengths, flags, and the names.
TEST(Reparse, EncodesAnAbsoluteSymlink) {
    std::string nt = utf16(R"(\??\C:\x)");
    std::string print = utf16(R"(C:\x)");
    std::string expected = std::string("\x0c\x00\x00\xa0", 4) + le16(12 + 16 + 2 + 8 + 2) + le16(0) +
                           le16(0) + le16(16) + le16(18) + le16(8) + std::string(4, '\0') + nt + le16(0) +
                           print + le16(0);
    EXPECT_EQ(encode_reparse({false, R"(C:\x)"}), expected);
}

TEST(Reparse, EncodesARelativeSymlinkWithFlag1) {
    std::string name = utf16(R"(..\x)");
    std::string expected = std::string("\x0c\x00\x00\xa0", 4) + le16(12 + 8 + 2 + 8 + 2) + le16(0) + le16(0) +
                           le16(8) + le16(10) + le16(8) + le16(1) + le16(0) + name + le16(0) + name + le16(0);
    EXPECT_EQ(encode_reparse({false, R"(..\x)"}), expected);
}

// [MS-FSCC] 2.1.2.5: as a symlink's, without flags.
TEST(Reparse, EncodesAJunctionWithoutFlags) {
    std::string nt = utf16(R"(\??\C:\d)");
    std::string print = utf16(R"(C:\d)");
    std::string expected = std::string("\x03\x00\x00\xa0", 4) + le16(8 + 16 + 2 + 8 + 2) + le16(0) + le16(0) +
                           le16(16) + le16(18) + le16(8) + nt + le16(0) + print + le16(0);
    EXPECT_EQ(encode_reparse({true, R"(C:\d)"}), expected);
}

// [MS-FSCC] 2.1.2.5: a mount point's substitute name is an absolute NT path; it has no flag to say otherwise.
TEST(Reparse, JunctionsAreAbsolute) {
    for (const char* target : {"x", R"(..\x)", R"(\rooted)"}) {
        EXPECT_EQ(error_of([&] { encode_reparse({true, target}); }).first, "invalid") << target;
        EXPECT_EQ(error_of([&] { encode_reparse({false, target}); }).first, "nothing") << target;
    }
}

TEST(Reparse, SubstituteNamesAreNtPaths) {
    auto contains = [](std::string_view target, std::string_view nt) {
        return encode_reparse({false, std::string(target)}).find(utf16(nt) + std::string(2, '\0')) !=
               std::string::npos;
    };
    EXPECT_TRUE(contains(R"(\\server\share\d)", R"(\??\UNC\server\share\d)"));
    EXPECT_TRUE(contains(R"(\\?\Volume{1}\)", R"(\??\Volume{1}\)"));
}

TEST(Reparse, DecodesWhatItEncodes) {
    for (const char* target : {R"(C:\Windows)", R"(..\a\b)", R"(\\server\share)", R"(\\?\Volume{1-2}\)", "x",
                               R"(\rooted)", "C:\\\xc3\xbc\xe6\x97\xa5\xf0\x9f\x98\x80"}) {
        bool absolute =
            std::string_view(target).find(R"(:\)") == 1 || std::string_view(target).starts_with(R"(\\)");
        for (bool mount_point : {false, true}) {
            if (mount_point && !absolute) continue;
            ReparsePoint point{mount_point, target};
            EXPECT_EQ(decode_reparse(encode_reparse(point)), point);
        }
    }
}

// mklink writes both names; other programs leave the print name empty.
TEST(Reparse, FallsBackToTheSubstituteName) {
    std::string nt = utf16(R"(\??\C:\d)");
    std::string buffer = std::string("\x03\x00\x00\xa0", 4) + le16(8 + 16) + le16(0) + le16(0) + le16(16) +
                         le16(16) + le16(0) + nt;
    EXPECT_EQ(decode_reparse(buffer), (ReparsePoint{true, R"(C:\d)"}));
}

TEST(Reparse, OtherTagsAreUnsupported) {
    std::string buffer = std::string("\x18\x00\x00\x90", 4) + le16(0) + le16(0);
    EXPECT_EQ(error_of([&] { decode_reparse(buffer); }).first, "unsupported");
}

TEST(Reparse, HostileBuffersAreCorrupt) {
    std::string good = encode_reparse({false, R"(C:\Windows\System32)"});
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_EQ(error_of([&] { decode_reparse(std::string(good, 0, size)); }).first, "corrupt") << size;
    }
    for (std::size_t at = 8; at < 16; ++at) {
        std::string bad = good;
        bad[at] = '\x7f';
        EXPECT_EQ(error_of([&] { decode_reparse(bad); }).first, "corrupt") << at;
    }
    EXPECT_EQ(error_of([&] { decode_reparse(std::string(20'000, 'x')); }).first, "corrupt");
}

TEST(Reparse, TargetsNoBufferHoldsAreInvalid) {
    EXPECT_EQ(error_of([] { encode_reparse({false, ""}); }).first, "invalid");
    EXPECT_EQ(error_of([] { encode_reparse({false, std::string(5000, 'x')}); }).first, "invalid");
    EXPECT_EQ(error_of([] { encode_reparse({false, "\xff"}); }).first, "invalid");
    EXPECT_EQ(error_of([] { encode_reparse({false, std::string("a\0b", 3)}); }).first, "invalid");
}

}  // namespace
}  // namespace mullion::tree
