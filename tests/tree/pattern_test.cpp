#include "tree/pattern.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "base/error.hpp"

namespace mullion::tree {
namespace {

struct GlobCase {
    const char* pattern;
    const char* text;
    std::optional<bool> matches;  // nullopt: a bad pattern
};

void PrintTo(const GlobCase& c, std::ostream* out) {
    *out << c.pattern << " on " << c.text;
}

class GoMatch : public testing::TestWithParam<GlobCase> {};

TEST_P(GoMatch, AgreesWithFilepathMatch) {
    const GlobCase& c = GetParam();
    if (c.matches) {
        EXPECT_EQ(Glob(c.pattern).matches(c.text), *c.matches);
    } else {
        EXPECT_THROW(Glob(c.pattern).matches(c.text), base::Error);
    }
}

// The behaviour that Go documents by its own tests (src/path/filepath/match_test.go).
INSTANTIATE_TEST_SUITE_P(
    Glob, GoMatch,
    testing::Values(
        GlobCase{"abc", "abc", true}, GlobCase{"*", "abc", true}, GlobCase{"*c", "abc", true},
        GlobCase{"a*", "a", true}, GlobCase{"a*", "abc", true}, GlobCase{"a*", "ab/c", false},
        GlobCase{"a*/b", "abc/b", true}, GlobCase{"a*/b", "a/c/b", false},
        GlobCase{"a*b*c*d*e*/f", "axbxcxdxe/f", true}, GlobCase{"a*b*c*d*e*/f", "axbxcxdxexxx/f", true},
        GlobCase{"a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false},
        GlobCase{"a*b*c*d*e*/f", "axbxcxdxexxx/fff", false}, GlobCase{"a*b?c*x", "abxbbxdbxebxczzx", true},
        GlobCase{"a*b?c*x", "abxbbxdbxebxczzy", false}, GlobCase{"ab[c]", "abc", true},
        GlobCase{"ab[b-d]", "abc", true}, GlobCase{"ab[e-g]", "abc", false}, GlobCase{"ab[^c]", "abc", false},
        GlobCase{"ab[^b-d]", "abc", false}, GlobCase{"ab[^e-g]", "abc", true}, GlobCase{"a\\*b", "a*b", true},
        GlobCase{"a\\*b", "ab", false}, GlobCase{"a?b", "a\u263ab", true},
        GlobCase{"a[^a]b", "a\u263ab", true}, GlobCase{"a???b", "a\u263ab", false},
        GlobCase{"a[^a][^a][^a]b", "a\u263ab", false}, GlobCase{"[a-\u03b6]*", "\u03b1", true},
        GlobCase{"*[a-\u03b6]", "A", false}, GlobCase{"a?b", "a/b", false}, GlobCase{"a*b", "a/b", false},
        GlobCase{"[\\]a]", "]", true}, GlobCase{"[\\-]", "-", true}, GlobCase{"[x\\-]", "x", true},
        GlobCase{"[x\\-]", "-", true}, GlobCase{"[x\\-]", "z", false}, GlobCase{"[\\-x]", "x", true},
        GlobCase{"[\\-x]", "-", true}, GlobCase{"[\\-x]", "a", false}, GlobCase{"*x", "xxx", true}));

INSTANTIATE_TEST_SUITE_P(BadGlob, GoMatch,
                         testing::Values(GlobCase{"[]a]", "]", {}}, GlobCase{"[-]", "-", {}},
                                         GlobCase{"[x-]", "x", {}}, GlobCase{"[-x]", "x", {}},
                                         GlobCase{"\\", "a", {}}, GlobCase{"[a-b-c]", "a", {}},
                                         GlobCase{"[", "a", {}}, GlobCase{"[^", "a", {}},
                                         GlobCase{"[^bc", "a", {}}, GlobCase{"a[", "ab", {}},
                                         GlobCase{"a/b[", "x", {}}, GlobCase{"[]", "", {}},
                                         GlobCase{"[\xff]", "\xff", {}}));

TEST(Glob, DoubleStarIsTwoStars) {
    EXPECT_TRUE(Glob("a**b").matches("axxb"));
    EXPECT_FALSE(Glob("**/b").matches("a/a/b"));
}

TEST(Glob, FoldsCaseWhenAsked) {
    EXPECT_TRUE(Glob("*.DLL", true).matches("a.dll"));
    EXPECT_TRUE(Glob("[a-c]\u00e9", true).matches("B\u00c9"));
    EXPECT_TRUE(Glob("[A-C]", true).matches("b"));
    EXPECT_FALSE(Glob("[^a-c]", true).matches("B"));
    EXPECT_FALSE(Glob("*.DLL").matches("a.dll"));
}

TEST(Glob, BytesThatAreNotUtf8MatchThemselves) {
    EXPECT_TRUE(Glob("a\xff*").matches("a\xffz"));
    EXPECT_FALSE(Glob("a\xff").matches("a\xfe"));
    EXPECT_TRUE(Glob("a?").matches("a\xfe"));
}

TEST(Glob, HostilePatternsTakeLinearTime) {
    std::string pattern;
    for (int i = 0; i < 200; ++i) pattern += "*a";
    std::string text(20'000, 'a');
    EXPECT_TRUE(Glob(pattern).matches(text));
    EXPECT_FALSE(Glob(pattern + "b*c").matches(text + "b"));
}

TEST(Glob, WildcardsAreRecognised) {
    for (const char* text : {"*", "a?", "[x]", "\\\\*"}) EXPECT_TRUE(Glob::has_wildcard(text)) << text;
    for (const char* text : {"", "a", "\\*", "a\\[b", "a]", "\\"})
        EXPECT_FALSE(Glob::has_wildcard(text)) << text;
}

struct IgnoreCase {
    const char* file;
    const char* path;
    bool ignored;
};

void PrintTo(const IgnoreCase& c, std::ostream* out) {
    *out << testing::PrintToString(c.file) << " on " << c.path;
}

class IgnoreFile : public testing::TestWithParam<IgnoreCase> {};

TEST_P(IgnoreFile, Decides) {
    EXPECT_EQ(IgnorePatterns::parse(GetParam().file).ignored(GetParam().path), GetParam().ignored);
}

// dockerfile.md §14.
INSTANTIATE_TEST_SUITE_P(Syntax, IgnoreFile,
                         testing::Values(IgnoreCase{"", "a", false}, IgnoreCase{"# a\na", "a", true},
                                         IgnoreCase{"#a", "#a", false}, IgnoreCase{" #a", "#a", true},
                                         IgnoreCase{"\xEF\xBB\xBF"
                                                    "a",
                                                    "a", true},
                                         IgnoreCase{"\xEF\xBB\xBF#a\nb", "a", false},
                                         IgnoreCase{"a\r\nb\r\n", "b", true}, IgnoreCase{"  a  ", "a", true},
                                         IgnoreCase{"/a", "a", true}, IgnoreCase{"./a/../b//c/", "b/c", true},
                                         IgnoreCase{"a/", "a", true}, IgnoreCase{"! a", "a", false},
                                         IgnoreCase{"a\n! a", "a", false}, IgnoreCase{"a\n!/a", "a", false},
                                         IgnoreCase{".", "a", false}, IgnoreCase{"/", "a", false},
                                         IgnoreCase{"../a", "a", false}, IgnoreCase{"*", ".", false},
                                         IgnoreCase{"*", "", false}, IgnoreCase{"A", "a", false}));

INSTANTIATE_TEST_SUITE_P(
    Stars, IgnoreFile,
    testing::Values(
        IgnoreCase{"*.md", "a.md", true}, IgnoreCase{"*.md", "d/a.md", false}, IgnoreCase{"*/a", "d/a", true},
        IgnoreCase{"*/a", "a", false}, IgnoreCase{"**", "a", true}, IgnoreCase{"**", "a/b/c", true},
        IgnoreCase{"**/", "a/b", true}, IgnoreCase{"**/x", "x", true}, IgnoreCase{"**/x", "a/b/x", true},
        IgnoreCase{"**/x", "ax", false}, IgnoreCase{"**/x", "x/y", true}, IgnoreCase{"**x", "a/bx", true},
        IgnoreCase{"**x", "xa", false}, IgnoreCase{"a/**", "a", false}, IgnoreCase{"a/**", "a/b/c", true},
        IgnoreCase{"a/**", "ab", false}, IgnoreCase{"a**", "abc/d", true}, IgnoreCase{"a/**/b", "a/b", true},
        IgnoreCase{"a/**/b", "a/x/y/b", true}, IgnoreCase{"a/**/b", "a/xb", false},
        IgnoreCase{"a/**/b", "ab", false}, IgnoreCase{"a**b", "ab", true}, IgnoreCase{"a**b", "ax/b", true},
        IgnoreCase{"a**b", "axb", false}, IgnoreCase{"**/*.c", "x.c", true},
        IgnoreCase{"**/*.c", "a/b/x.c", true}, IgnoreCase{"**/*.c", "a/b/x.cc", false},
        IgnoreCase{"**/a/**", "x/a/y", true}, IgnoreCase{"**/a/**", "x/a", false},
        IgnoreCase{"**/**", "q", true}, IgnoreCase{"a/**/*.txt", "a/t.txt", true},
        IgnoreCase{"a/*/**/z", "a/b/z", true}));

INSTANTIATE_TEST_SUITE_P(Characters, IgnoreFile,
                         testing::Values(IgnoreCase{"a?c", "abc", true}, IgnoreCase{"a?c", "a/c", false},
                                         IgnoreCase{"[a-c]x", "bx", true}, IgnoreCase{"[^a-c]x", "bx", false},
                                         IgnoreCase{"[^a-c]x", "dx", true}, IgnoreCase{"[\\-x]", "-", true},
                                         IgnoreCase{"\\*", "*", true}, IgnoreCase{"\\*", "a", false},
                                         IgnoreCase{"a.c", "abc", false},
                                         IgnoreCase{"a+(b)|{c}$", "a+(b)|{c}$", true},
                                         IgnoreCase{"a^b", "a^b", true}, IgnoreCase{"\\#a", "#a", true},
                                         IgnoreCase{"\\!a", "!a", true},
                                         IgnoreCase{"\u00fc*", "\u00fcber", true}));

INSTANTIATE_TEST_SUITE_P(
    Parents, IgnoreFile,
    testing::Values(IgnoreCase{"d", "d/e/f", true}, IgnoreCase{"d\n!d/e", "d/e", false},
                    IgnoreCase{"d\n!d/e", "d/e/f", false}, IgnoreCase{"d\n!d/e", "d/x", true},
                    IgnoreCase{"!d/e\nd", "d/e", true}, IgnoreCase{"*\n!a\na/b", "a/b/c", true},
                    IgnoreCase{"*\n!a\na/b", "a/c", false},
                    IgnoreCase{"**/*.md\n!README.md", "README.md", false},
                    IgnoreCase{"**/*.md\n!README.md", "d/README.md", true},
                    IgnoreCase{"*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true},
                    IgnoreCase{"*.md\n!README*.md\nREADME-secret.md", "README.md", false}));

std::string error_of(std::string_view text) {
    try {
        IgnorePatterns::parse(text);
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Invalid);
        return error.what();
    }
    return "accepted";
}

TEST(IgnorePatterns, BadLinesAreNamed) {
    EXPECT_EQ(error_of("a\n!\n"), "line 2: illegal exclusion pattern: \"!\"");
    EXPECT_EQ(error_of("a\n\n! \n"), "line 3: illegal exclusion pattern: \"!\"");
    EXPECT_EQ(error_of("# x\n[\n"), "line 2: [: syntax error in pattern");
    EXPECT_EQ(error_of("![a-]"), "line 1: [a-]: syntax error in pattern");
}

TEST(IgnorePatterns, LinesOfAFlagHaveNoComments) {
    auto patterns = IgnorePatterns::from_lines({"#a", " b ", ""});
    EXPECT_TRUE(patterns.ignored("#a"));
    EXPECT_TRUE(patterns.ignored("b"));
    EXPECT_EQ(patterns.normalised(), (std::vector<std::string>{"#a", "b"}));
}

TEST(IgnorePatterns, NormalisedKeepsWhatCounts) {
    auto patterns = IgnorePatterns::parse("#c\n\n/a//b/\n! ./x/../y\n");
    EXPECT_EQ(patterns.normalised(), (std::vector<std::string>{"a/b", "!y"}));
    EXPECT_FALSE(patterns.empty());
    EXPECT_TRUE(IgnorePatterns::parse("# nothing\n").empty());
}

TEST(IgnorePatterns, DirectoriesAreSkippedOnlyIfNothingBelowCanComeBack) {
    EXPECT_TRUE(IgnorePatterns::parse("node_modules").can_skip_directory("node_modules"));
    EXPECT_TRUE(IgnorePatterns::parse("d\n!e/f").can_skip_directory("d"));
    EXPECT_FALSE(IgnorePatterns::parse("d\n!d/f").can_skip_directory("d"));
    EXPECT_FALSE(IgnorePatterns::parse("d\n!d/e/f/g").can_skip_directory("d/e"));
    EXPECT_TRUE(IgnorePatterns::parse("d\n!d/e/f/g").can_skip_directory("d/x"));
    EXPECT_FALSE(IgnorePatterns::parse("*\n!**/keep").can_skip_directory("a/b"));
    EXPECT_FALSE(IgnorePatterns::parse("*\n!*/*.txt").can_skip_directory("a"));
    EXPECT_TRUE(IgnorePatterns::parse("*\n!*/*.txt").can_skip_directory("a/b"));
    EXPECT_TRUE(
        IgnorePatterns::parse("!d/f\nd").can_skip_directory("d"));  // the later pattern wins below, too
    EXPECT_TRUE(IgnorePatterns::parse("d\n!d").can_skip_directory("e"));
    EXPECT_FALSE(IgnorePatterns::parse("d\n!d/[ab]*").can_skip_directory("d"));
}

TEST(IgnorePatterns, TrailsAgreeWithWholePaths) {
    auto patterns = IgnorePatterns::parse("a/**/b\n!**/keep\n*.o\nd\n!d/e/*\nd/e/x?");
    for (const char* path : {"a/x/b/keep", "a/b/c", "d/e/f", "d/e/xy/z", "q.o/r", "d/keep/e", "a/q"}) {
        IgnorePatterns::Trail trail;
        std::string_view whole = path;
        for (std::size_t slash = whole.find('/'); slash != whole.npos; slash = whole.find('/', slash + 1)) {
            trail = patterns.trail(whole.substr(0, slash), trail);
            EXPECT_EQ(patterns.ignored(trail), patterns.ignored(whole.substr(0, slash)));
        }
        EXPECT_EQ(patterns.ignored(whole, trail), patterns.ignored(whole)) << whole;
    }
}

// A path is skipped by a walk only if a look at everything would ignore it.
TEST(IgnorePatterns, SkippingNeverLosesAKeptPath) {
    const char* files[] = {"a\n!a/b/c", "*\n!a/*/c\na/b",     "**\n!**/c",
                           "a*\n!a?/c", "a/**\n!a/b/[bc]\nb", "a\n!a/**"};
    const char* names[] = {"a", "b", "c", "ab"};
    for (const char* file : files) {
        auto patterns = IgnorePatterns::parse(file);
        for (std::string x : names) {
            for (std::string y : names) {
                for (std::string z : names) {
                    std::string path = x + "/" + y + "/" + z;
                    if (patterns.ignored(path)) continue;
                    for (const std::string& parent : {x, x + "/" + y}) {
                        EXPECT_FALSE(patterns.ignored(parent) && patterns.can_skip_directory(parent))
                            << testing::PrintToString(file) << " skips " << parent << ", loses " << path;
                    }
                }
            }
        }
    }
}

TEST(IgnorePatterns, HostilePatternsTakeLinearTime) {
    std::string pattern;
    for (int i = 0; i < 100; ++i) pattern += "**/*a";
    auto patterns = IgnorePatterns::parse(pattern + "/b");
    EXPECT_FALSE(patterns.ignored(std::string(5'000, 'a')));
}

}  // namespace
}  // namespace mullion::tree
