#include "frontend/expand.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::error_of;

Environment variables(tree::Os os = tree::Os::Linux) {
    Environment out(os);
    for (const auto* assignment :
         {"A=abc", "EMPTY=", "P=/usr/local/lib/x.tar.gz", "SP=  two  words ", "U=héé", "G=a*b", "L=x\nyx"})
        out.set_assignment(assignment);
    return out;
}

std::string word(std::string_view text, char escape = '\\') {
    return process_word(text, variables(), {.escape = escape});
}
std::vector<std::string> words(std::string_view text, char escape = '\\') {
    return process_words(text, variables(), {.escape = escape});
}
std::string failure(std::string_view text) {
    return error_of([&] { word(text); }).what();
}

using Words = std::vector<std::string>;

TEST(Expand, QuotesAndEscapesOutside) {
    EXPECT_EQ(word("a\\ b\\'c\\"), "a b'c");
    EXPECT_EQ(word("'a\\b $A'x"), "a\\b $Ax");
    EXPECT_EQ(word("C:\\new"), "C:new");
    EXPECT_EQ(word("C:\\new", '`'), "C:\\new");
}

TEST(Expand, DoubleQuotesExpandAndKeepMostEscapes) {
    EXPECT_EQ(word(R"("$A \" \$A \\ \n 'x'")"), R"(abc " $A \ \n 'x')");
    EXPECT_EQ(word("\"C:\\Program Files\\\"", '`'), "C:\\Program Files\\");
}

TEST(Expand, UnclosedQuotesFailWithTheInput) {
    EXPECT_EQ(
        failure("a'b"),
        "failed to process \"a'b\": unexpected end of statement while looking for matching single-quote");
    EXPECT_EQ(failure("\"b\\"),
              "failed to process \"\\\"b\\\\\": unexpected end of statement while looking for matching "
              "double-quote");
}

TEST(Expand, SplitSeparatesAtUnquotedSpace) {
    EXPECT_EQ(words(" a  'b c'd\te\\ f \"\" "), (Words{"a", "b cd", "e f"}));
    EXPECT_EQ(words("x$SP'y'"), (Words{"x", "two", "words", "y"}));
    EXPECT_EQ(words("\"$SP\""), (Words{"  two  words "}));
    EXPECT_EQ(words("a\u00a0b\u3000c"), (Words{"a", "b", "c"}));
    EXPECT_EQ(words("\"\" ''"), (Words{}));
}

TEST(Expand, TextBeforeASubstitutionStays) {
    EXPECT_EQ(words("pre${X:-a}post"), (Words{"preapost"}));
}

TEST(Expand, NamesAreGreedyAndUnsetIsEmpty) {
    EXPECT_EQ(word("$A.$Ab-${A}b"), "abc.-abcb");
    EXPECT_EQ(word("$ $. a$"), "$ $. a$");
    EXPECT_EQ(word("$1$12x$@$*$#$?$-$!y"), "xy");
    EXPECT_EQ(word("$$x"), "x");
    EXPECT_EQ(word("$héé|"), "|");
}

TEST(Expand, Defaults) {
    EXPECT_EQ(word("${X:-d}${EMPTY:-d}${A:-d}"), "ddabc");
    EXPECT_EQ(word("${X-d}${EMPTY-d}${A-d}"), "dabc");
    EXPECT_EQ(word("${X:+d}${EMPTY:+d}${A:+d}"), "d");
    EXPECT_EQ(word("${X+d}${EMPTY+d}${A+d}"), "dd");
    EXPECT_EQ(word("${X:-${Y:-${A}}}"), "abc");
    EXPECT_EQ(word("${X:-\"a } b\"}"), "a } b");
}

TEST(Expand, Requirements) {
    EXPECT_EQ(word("${A:?no}${EMPTY?no}"), "abc");
    EXPECT_EQ(failure("${X:?w}"), "failed to process \"${X:?w}\": X: w");
    EXPECT_EQ(failure("${X?}"), "failed to process \"${X?}\": X: is not allowed to be unset");
    EXPECT_EQ(failure("${EMPTY:?}"), "failed to process \"${EMPTY:?}\": EMPTY: is not allowed to be empty");
    EXPECT_EQ(failure("${A:-${X:?in a branch not used}}"),
              "failed to process \"${A:-${X:?in a branch not used}}\": X: in a branch not used");
}

TEST(Expand, PrefixesAndSuffixes) {
    EXPECT_EQ(word("${P#*/}"), "usr/local/lib/x.tar.gz");
    EXPECT_EQ(word("${P##*/}"), "x.tar.gz");
    EXPECT_EQ(word("${P%.*}"), "/usr/local/lib/x.tar");
    EXPECT_EQ(word("${P%%.*}"), "/usr/local/lib/x");
    EXPECT_EQ(word("${A#?}${A%?}${A#x}"), "bcababc");
    EXPECT_EQ(word("${G#a\\*}"), "b");
    EXPECT_EQ(word("${U%?}"), "hé");
    EXPECT_EQ(word("${X#y}"), "");
}

TEST(Expand, Replacements) {
    EXPECT_EQ(word("${P/\\//-}"), "-usr/local/lib/x.tar.gz");
    EXPECT_EQ(word("${P//\\//-}"), "-usr-local-lib-x.tar.gz");
    EXPECT_EQ(word("${A/b*/X}${A/*b/Y}"), "aXYc");
    EXPECT_EQ(word("${A//?/.}"), "...");
    EXPECT_EQ(word("${A//*/z}"), "z");
    EXPECT_EQ(word("${A///-}"), "-a-b-c-");
    EXPECT_EQ(word("${L//*x/.}"), ".\n.");
    EXPECT_EQ(word("${A/nope/x}"), "abc");
    EXPECT_EQ(word("${A/b/$1}${A//b/$1}"), "acac");
    EXPECT_EQ(word("${A//b/'$1'}"), "a$1c");
}

TEST(Expand, PatternErrors) {
    EXPECT_EQ(
        failure("${A#\\q}"),
        "failed to process \"${A#\\\\q}\": invalid pattern (\\q) in substitution: invalid escape '\\q'");
}

TEST(Expand, SyntaxErrors) {
    EXPECT_EQ(failure("${"), "failed to process \"${\": syntax error: missing '}'");
    EXPECT_EQ(failure("${}"), "failed to process \"${}\": syntax error: bad substitution");
    EXPECT_EQ(failure("${:x}"), "failed to process \"${:x}\": syntax error: bad substitution");
    EXPECT_EQ(failure("${A:-x"), "failed to process \"${A:-x\": syntax error: missing '}'");
    EXPECT_EQ(failure("${A/x"), "failed to process \"${A/x\": syntax error: missing '/' in ${}");
    EXPECT_EQ(failure("${A/x/y"), "failed to process \"${A/x/y\": syntax error: missing '}'");
    EXPECT_EQ(failure("${A:=x}"), "failed to process \"${A:=x}\": unsupported modifier (:=) in substitution");
    EXPECT_EQ(failure("${A:#x}"), "failed to process \"${A:#x}\": unsupported modifier (:#) in substitution");
    EXPECT_EQ(failure("${.}"), "failed to process \"${.}\": unsupported modifier (.) in substitution");
}

TEST(Expand, WindowsNamesIgnoreCase) {
    Environment environment(tree::Os::Windows);
    environment.set("Path", "1");
    environment.set("PATH", "2");
    EXPECT_EQ(process_word("$path${pAtH}", environment), "22");
    EXPECT_EQ(process_word("$path", variables()), "");
}

TEST(Expand, ByteOrderMarkIsSkippedAndBadBytesReplaced) {
    EXPECT_EQ(word("\ufeff'a'"), "a");
    EXPECT_EQ(word("'\xff'"), "\ufffd");
}

TEST(Expand, DepthAndSizeAreBounded) {
    std::string deep;
    for (int i = 0; i < 100000; ++i) deep += "${X:-";
    EXPECT_EQ(error_of([&] { word(deep); }).code(), base::ErrorCode::Invalid);
    Environment environment;
    environment.set("A", std::string(1 << 20, 'a'));
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "$A";
    EXPECT_EQ(error_of([&] { process_word(many, environment); }).code(), base::ErrorCode::Exhausted);
    EXPECT_EQ(error_of([&] { process_word("${A//a/" + std::string(1000, 'b') + "}", environment); }).code(),
              base::ErrorCode::Exhausted);
}

TEST(Expand, HostilePatternsAreFast) {
    Environment environment;
    environment.set("A", std::string(200000, 'a'));
    EXPECT_EQ(process_word("${A//a*a*a*a*a*a*b/x}", environment), std::string(200000, 'a'));
    EXPECT_EQ(process_word("${A##*a*a*a*b}", environment), std::string(200000, 'a'));
}

}  // namespace
}  // namespace mullion::frontend
