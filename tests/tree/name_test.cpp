#include "tree/name.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mullion::tree {
namespace {

using base::Error;

std::string problem(Os os, std::string_view name) {
    return name_problem(os, name).value_or("");
}

std::string error_of(Os os, std::string_view path) {
    try {
        return "accepted as " + normalise(os, path);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Invalid);
        return error.what();
    }
}

TEST(Name, WindowsNamesFoldByTheUpcaseTable) {
    EXPECT_EQ(fold(Os::Windows, "Program Files (x86)"), "PROGRAM FILES (X86)");
    EXPECT_EQ(fold(Os::Windows, "stra\u00dfe"), "STRA\u00dfE");  // no simple upper case
    EXPECT_EQ(fold(Os::Windows, "\u00e9\u00ff\u0161"), "\u00c9\u0178\u0160");
    EXPECT_EQ(fold(Os::Windows, "\u03b1\u03c3\u03c2"), "\u0391\u03a3\u03a3");  // both sigmas
    EXPECT_EQ(fold(Os::Windows, "\u0431\u045f"), "\u0411\u040f");
    EXPECT_EQ(fold(Os::Windows, "\uff41"), "\uff21");
    EXPECT_EQ(fold(Os::Windows, "\u1f80"), "\u1f88");
    EXPECT_EQ(fold(Os::Windows, "\u24d0\u2170"), "\u24b6\u2160");
}

// exFAT specification 7.2.5.1: these stay themselves, although Unicode upper-cases them.
TEST(Name, MappingsThatDoNotRoundTripAreLeftOut) {
    for (const char* same :
         {"\u0131", "\u017f", "\u00b5", "\u0149", "\u01c5", "\u03d0", "\u1fbe", "\u1e9b"}) {
        EXPECT_EQ(fold(Os::Windows, same), same);
    }
}

TEST(Name, CodePointsOutsideTheBasicPlaneDoNotFold) {
    EXPECT_EQ(fold(Os::Windows, "\U00010428x"),
              "\U00010428X");  // Deseret has an upper case, NTFS does not know it
}

TEST(Name, LinuxNamesDoNotFold) {
    EXPECT_EQ(fold(Os::Linux, "aB\u00e9"), "aB\u00e9");
    EXPECT_FALSE(names_equal(Os::Linux, "a", "A"));
}

TEST(Name, FoldingTwiceIsFoldingOnce) {
    for (char32_t point = 1; point < 0x11000; ++point) {
        ASSERT_EQ(upcase(upcase(point)), upcase(point)) << std::hex << static_cast<unsigned>(point);
        ASSERT_EQ(upcase(downcase(point)), upcase(point)) << std::hex << static_cast<unsigned>(point);
    }
}

TEST(Name, BytesThatAreNotUtf8StandForThemselves) {
    EXPECT_EQ(fold(Os::Windows, "a\xff\xc3"), "A\xff\xc3");
    EXPECT_EQ(fold(Os::Windows, "\xed\xa0\x80z"), "\xed\xa0\x80Z");  // a surrogate
    EXPECT_EQ(fold(Os::Windows, "\xc1\xa1"), "\xc1\xa1");            // overlong 'a'
    EXPECT_TRUE(names_equal(Os::Windows, "a\xff", "A\xff"));
    EXPECT_FALSE(names_equal(Os::Windows, "\xff", "\xfe"));
}

TEST(Name, ComparisonAgreesWithFoldedForms) {
    const std::vector<std::string> names = {"",      "a", "A",  "B",  "ab",     "aB\u00e9",      "AB\u00c9",
                                            "_",     "Z", "z1", "[x", "\u00e9", "\u00c9t\u00e9", "\xff",
                                            "a\xff", "~"};
    for (const auto& a : names) {
        for (const auto& b : names) {
            int expected = fold(Os::Windows, a).compare(fold(Os::Windows, b));
            EXPECT_EQ(compare_names(Os::Windows, a, b), (expected > 0) - (expected < 0)) << a << " " << b;
            EXPECT_EQ(compare_names(Os::Windows, a, b), -compare_names(Os::Windows, b, a));
        }
    }
}

TEST(Name, ReservedDeviceNamesAreProblems) {
    for (const char* name : {"CON", "con", "Prn", "AUX", "nul", "NUL.txt", "nul.tar.gz", "COM1", "com9.log",
                             "LPT5", "COM\u00b9", "lpt\u00b3.x", "CONIN$", "conout$", "con .txt"}) {
        EXPECT_EQ(problem(Os::Windows, name), "is a reserved device name") << name;
        EXPECT_EQ(problem(Os::Linux, name), "") << name;
    }
    for (const char* name :
         {"CONSOLE", "COM0", "COM10", "COM", "LPT", "NULL", "x.con", "_con", "COM\u2074"}) {
        EXPECT_EQ(problem(Os::Windows, name), "") << name;
    }
}

TEST(Name, IllegalWindowsCharactersAreProblems) {
    EXPECT_EQ(problem(Os::Windows, "a:b"), "contains ':'");
    for (char c : std::string("<>\"/\\|?*")) {
        EXPECT_EQ(problem(Os::Windows, std::string("x") + c), std::string("contains '") + c + "'");
    }
    EXPECT_EQ(problem(Os::Windows, "a\tb"), "contains the control character 0x09");
    EXPECT_EQ(problem(Os::Windows, "a."), "ends with a dot");
    EXPECT_EQ(problem(Os::Windows, "a "), "ends with a space");
    EXPECT_EQ(problem(Os::Windows, "a\xff"), "is not valid UTF-8");
    EXPECT_EQ(problem(Os::Windows, ".gitignore"), "");
    EXPECT_EQ(problem(Os::Windows, " a"), "");
    EXPECT_EQ(problem(Os::Windows, "\u00fc [1].txt"), "");
}

TEST(Name, LengthIsCountedInUtf16UnitsOnWindowsAndBytesOnLinux) {
    std::string accents;
    for (int i = 0; i < 255; ++i) accents += "\u00e9";
    EXPECT_EQ(problem(Os::Windows, accents), "");
    EXPECT_EQ(problem(Os::Windows, accents + "x"), "is longer than 255 UTF-16 units");
    EXPECT_EQ(problem(Os::Linux, accents), "is longer than 255 bytes");
    std::string pairs;
    for (int i = 0; i < 128; ++i) pairs += "\U0001F600";
    EXPECT_EQ(problem(Os::Windows, pairs), "is longer than 255 UTF-16 units");
}

TEST(Name, PathElementsAreNoNames) {
    for (Os os : {Os::Windows, Os::Linux}) {
        EXPECT_EQ(problem(os, ""), "is empty");
        EXPECT_EQ(problem(os, "."), "is a relative path element");
        EXPECT_EQ(problem(os, ".."), "is a relative path element");
    }
    EXPECT_EQ(problem(Os::Linux, "a/b"), "contains '/'");
    EXPECT_EQ(problem(Os::Linux, std::string_view("a\0b", 3)), "contains a NUL byte");
    EXPECT_EQ(problem(Os::Linux, "a:b*?."), "");
}

TEST(Name, WindowsPathsAreNormalised) {
    EXPECT_EQ(normalise(Os::Windows, "C:\\app\\bin"), "app/bin");
    EXPECT_EQ(normalise(Os::Windows, "c:/app//./bin/"), "app/bin");
    EXPECT_EQ(normalise(Os::Windows, "/app\\..\\x"), "x");
    EXPECT_EQ(normalise(Os::Windows, "C:\\..\\..\\x"), "x");
    EXPECT_EQ(normalise(Os::Windows, "C:\\"), "");
    EXPECT_EQ(normalise(Os::Windows, "sub\\f", "app"), "app/sub/f");
    EXPECT_EQ(normalise(Os::Windows, "C:f", "app"), "app/f");  // drive-relative
    EXPECT_EQ(normalise(Os::Windows, "..\\f", "app/bin"), "app/f");
    EXPECT_EQ(normalise(Os::Windows, ".", "app"), "app");
    EXPECT_EQ(normalise(Os::Windows, "", "app"), "app");
}

TEST(Name, LinuxPathsKeepBackslashesAndColons) {
    EXPECT_EQ(normalise(Os::Linux, "/a\\b/c:d/../e"), "a\\b/e");
    EXPECT_EQ(normalise(Os::Linux, "x", "w"), "w/x");
    EXPECT_EQ(normalise(Os::Linux, "//x"), "x");
}

// dockerfile.md §11.
TEST(Name, PathsOffTheSystemDriveAreRefusedWithTheReferencesTexts) {
    EXPECT_EQ(error_of(Os::Windows, "D:\\x"), "The specified path is not on the system drive (C:)");
    EXPECT_EQ(error_of(Os::Windows, "a/b:c"), "The specified path is not on the system drive (C:)");
    EXPECT_EQ(error_of(Os::Windows, "X:"), "No relative path specified in \"X:\"");
    EXPECT_EQ(error_of(Os::Windows, "\\\\server\\share"), "UNC paths are not supported");
    EXPECT_EQ(error_of(Os::Windows, "//server/share"), "UNC paths are not supported");
}

TEST(Name, AbsolutePathsAreRecognisedByTheImagesRules) {
    EXPECT_TRUE(is_absolute(Os::Windows, "C:\\x"));
    EXPECT_TRUE(is_absolute(Os::Windows, "\\x"));
    EXPECT_TRUE(is_absolute(Os::Windows, "/x"));
    EXPECT_FALSE(is_absolute(Os::Windows, "C:x"));
    EXPECT_FALSE(is_absolute(Os::Windows, "x"));
    EXPECT_FALSE(is_absolute(Os::Linux, "C:\\x"));
    EXPECT_FALSE(is_absolute(Os::Linux, "\\x"));
    EXPECT_TRUE(is_absolute(Os::Linux, "/x"));
}

TEST(Name, PathsComeApartAndTogether) {
    EXPECT_EQ(join("", "a"), "a");
    EXPECT_EQ(join("a", "b"), "a/b");
    EXPECT_EQ(join("a", ""), "a");
    EXPECT_EQ(parent_of("a/b/c"), "a/b");
    EXPECT_EQ(parent_of("a"), "");
    EXPECT_EQ(base_name("a/b/c"), "c");
    EXPECT_EQ(base_name("a"), "a");
    EXPECT_TRUE(split("").empty());
    EXPECT_EQ(split("a/b").size(), 2u);
    EXPECT_EQ(display_path(Os::Windows, "a/b"), "C:\\a\\b");
    EXPECT_EQ(display_path(Os::Windows, ""), "C:\\");
    EXPECT_EQ(display_path(Os::Linux, "a/b"), "/a/b");
}

TEST(Name, MessagesShowOnlyPrintableText) {
    EXPECT_EQ(printable("a\xff\nb\u00e9\x7f"), "a\\xff\\x0ab\u00e9\\x7f");
    // C1 controls: U+009B is a CSI of its own for many terminals (ECMA-48 §5.3).
    EXPECT_EQ(printable("\xc2\x9b"
                        "2J\xc2\x80\xc2\xa0"),
              "\\xc2\\x9b"
              "2J\\xc2\\x80\xc2\xa0");
}

}  // namespace
}  // namespace mullion::tree
