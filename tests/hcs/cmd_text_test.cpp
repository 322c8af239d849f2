// The parts of the command interpreter that deal with text alone, built for this machine.
#include <gtest/gtest.h>

#include <map>

#include "hcs/guest/cmd/arithmetic.hpp"
#include "hcs/guest/cmd/expand.hpp"
#include "hcs/guest/cmd/fields.hpp"
#include "hcs/guest/cmd/invocation.hpp"
#include "hcs/guest/cmd/parser.hpp"

namespace mullion::cmd {

void PrintTo(const Text& text, std::ostream* out) {
    for (wchar_t c : text) *out << static_cast<char>(c);
}

namespace {

class FakeScope : public Scope {
  public:
    std::optional<Text> variable(View name) const override {
        for (const auto& [key, value] : variables)
            if (same(key, name)) return value;
        return std::nullopt;
    }
    bool in_script() const override { return script; }
    Text argument(std::size_t index) const override {
        return index < arguments.size() ? arguments[index] : L"";
    }
    Text path_argument(std::size_t index) const override { return argument(index); }
    Text all_arguments() const override { return L"all of them"; }
    const Text* loop_variable(wchar_t name) const override {
        auto found = loops.find(name);
        return found == loops.end() ? nullptr : &found->second;
    }
    Text path_part(View value, View modifiers, View search) const override {
        return L"<" + Text(value) + L":" + Text(modifiers) + L":" + Text(search) + L">";
    }

    std::map<Text, Text> variables = {{L"a", L"Hello World"}, {L"x:", L"colon"}};
    std::vector<Text> arguments = {L"me", L"one"};
    std::map<wchar_t, Text> loops = {{L'i', L"value"}, {L'n', L"name"}};
    bool script = true;
};

TEST(Percents, AreReplacedInScripts) {
    FakeScope scope;
    const std::pair<View, View> cases[] = {
        {L"%a%", L"Hello World"},
        {L"%A:o=0%", L"Hell0 W0rld"},
        {L"%a:hello=%", L" World"},
        {L"%a:*o =x%", L"xWorld"},
        {L"%a:~6%", L"World"},
        {L"%a:~-5,-2%", L"Wor"},
        {L"%a:~0,5%", L"Hello"},
        {L"%a:~20%", L""},
        {L"%x:%", L"colon"},
        {L"[%b%]", L"[]"},
        {L"100%%", L"100%"},
        {L"50%", L"50"},
        {L"%1 %2 %*", L"one  all of them"},
        {L"%~1", L"<one::>"},
        {L"%~dp0x", L"<me:dp:>x"},
        {L"%~$PATH:1", L"<one::PATH>"},
        {L"%%a%%", L"%a%"},
        {L"%b:c=d%", L"c=d"},
    };
    for (const auto& [given, expected] : cases) EXPECT_EQ(expand_percents(given, scope), expected);
    EXPECT_THROW(expand_percents(L"%~q", scope), Failure);
}

TEST(Percents, StayOnTheCommandLineIfUndefined) {
    FakeScope scope;
    scope.script = false;
    const std::pair<View, View> cases[] = {
        {L"%a% %b% %%a%% %1 %*", L"Hello World %b% %Hello World% %1 %*"},
        {L"%b:c=d% 100%", L"%b:c=d% 100%"},
    };
    for (const auto& [given, expected] : cases) EXPECT_EQ(expand_percents(given, scope), expected);
}

TEST(LoopVariables, TakeTheLongestRunOfModifiers) {
    FakeScope scope;
    EXPECT_EQ(expand_loop_variables(L"%i %j %~i %~nxi %~n %~fn% %I", scope),
              L"value %j <value::> <value:nx:> <name::> <name:f:>% %I");
}

TEST(Delayed, TakesCaretsAwayOnlyWithAnExclamationMark) {
    FakeScope scope;
    EXPECT_EQ(expand_delayed(L"a^b", scope), L"a^b");
    EXPECT_EQ(expand_delayed(L"a^b !a! ^! !", scope), L"ab Hello World ! ");
    EXPECT_EQ(expand_delayed(L"!a:~0,1!!b!!a:World=!", scope), L"HHello ");
    scope.script = false;
    EXPECT_EQ(expand_delayed(L"!b!", scope), L"!b!");
}

// The text that a parsed line has, further lines following.
Text parsed(Text line, std::vector<Text> more = {}) {
    struct Lines : LineSource {
        std::vector<Text> lines;
        std::size_t next = 0;
        std::optional<Text> next_line() override {
            return next < lines.size() ? std::optional(lines[next++]) : std::nullopt;
        }
    } source;
    source.lines = std::move(more);
    CommandPtr command = parse(std::move(line), source);
    return command ? to_text(*command) : L"nothing";
}

TEST(Parser, FindsCommandsOperatorsAndRedirections) {
    const std::pair<View, View> cases[] = {
        {L"echo a&echo b && echo c||echo d|more", L"echo a & echo b  && echo c || echo d | more"},
        {L"echo a^&b \"c & d\"", L"echo a&b \"c & d\""},
        {L"echo a>f 2>&1 b", L"1>f 2>&1 echo a  b"},
        {L"echo 2>f", L"2>f echo "},
        {L"echo a2>f", L"1>f echo a2"},
        {L">> f echo a <in", L"1>>f 0<in echo a "},
        {L"@(echo a)>f", L"@1>f ( echo a )"},
        {L"@ @;@echo a", L"@echo a"},
        {L"  ,;= echo x", L"echo x"},
        {L":label & echo x", L"nothing"},
        {L":: remark", L"nothing"},
        {L"rem a & echo b", L"rem a & echo b"},
        {L"rem& echo b", L"rem & echo b"},
        {L") ignored", L"nothing"},
        {L"if 1==1 echo a & echo b", L"if 1==1 echo a  & echo b"},
        {L"if not exist f (a) else if /i x==y b", L"if not exist f ( a ) else if /i x==y b"},
        {L"for /f \"tokens=1 delims=,\" %i in ('a ^| b') do @c %i",
         L"for /f \"tokens=1 delims=,\" %i in ('a | b') do @c %i"},
        {L"FOR/L %n in (1,1,3) DO(x)", L"for /l %n in (1,1,3) do ( x )"},
    };
    for (const auto& [given, expected] : cases) EXPECT_EQ(parsed(Text(given)), expected);
}

TEST(Parser, GoesOnInTheNextLine) {
    EXPECT_EQ(parsed(L"echo a^", {L"& b"}), L"echo a& b");
    EXPECT_EQ(parsed(L"(", {L"echo a", L"", L" echo b) >f"}), L"1>f ( echo a & echo b )");
}

TEST(Parser, LongChainsAreNoDeepNesting) {
    Text chain;
    for (int i = 0; i < 200; ++i) chain += L"if x==" + decimal(i) + L" (a) else ";
    EXPECT_EQ(parsed(chain + L"b").substr(0, 24), L"if x==0 ( a ) else if x=");
    EXPECT_EQ(parsed(Text(kLongestLine - 1, L'@') + L"a"), L"@a");
}

TEST(Parser, ReportsWhatIsWrong) {
    for (View line :
         {L"& a", L"a &&", L"a | | b", L"( a", L"(a) b", L"if", L"if a", L"if a foo b c", L"for %i in x do y",
          L"for /q %i in (x) do y", L"for %i in (x) y", L"a >", L"a >&x", L"()"})
        EXPECT_THROW(parsed(Text(line)), Failure) << testing::PrintToString(Text(line));
    EXPECT_THROW(parsed(Text(5000, L'(')), Failure);
    EXPECT_THROW(parsed(Text(kLongestLine + 1, L'x')), Failure);
}

std::int32_t value_of(View expression) {
    static std::map<Text, Text> variables = {{L"x", L"7"}, {L"hex", L"0x10"}};
    return evaluate(expression,
                    {[](View name) -> std::optional<Text> {
                         auto found = variables.find(Text(name));
                         return found == variables.end() ? std::nullopt : std::optional(found->second);
                     },
                     [](View name, std::int32_t value) { variables[Text(name)] = decimal(value); }});
}

std::int32_t error_of(View expression) {
    try {
        value_of(expression);
    } catch (const ArithmeticError& error) {
        return error.code;
    }
    return 0;
}

TEST(Arithmetic, FollowsCsPrecedence) {
    const std::pair<View, std::int32_t> cases[] = {
        {L"1+2*3", 7},     {L"(1+2)*3", 9},     {L"7/2", 3},
        {L"-7%3", -1},     {L"1<<4", 16},       {L"-16>>2", -4},
        {L"6&3|8", 10},    {L"5^1", 4},         {L"~0", -1},
        {L"!5", 0},        {L"0x1f+010", 39},   {L"x", 7},
        {L"none", 0},      {L"hex*2", 32},      {L"y=3,y*=4,y", 12},
        {L"y-=2", 10},     {L"y<<=1", 20},      {L"2147483647+1", -2147483647 - 1},
        {L" 1 - - 1 ", 2}, {L"a=b=5, a+b", 10}, {L"-2147483647-1", -2147483647 - 1},
    };
    for (const auto& [given, expected] : cases)
        EXPECT_EQ(value_of(given), expected) << testing::PrintToString(Text(given));
}

TEST(Arithmetic, ErrorsHaveWindowsNumbers) {
    EXPECT_EQ(error_of(L"(1"), 1073750988);
    EXPECT_EQ(error_of(L"1+"), 1073750989);
    EXPECT_EQ(error_of(L"1 2"), 1073750990);
    EXPECT_EQ(error_of(L"08"), 1073750991);
    EXPECT_EQ(error_of(L"4294967296"), 1073750992);
    EXPECT_EQ(error_of(L"2147483648"), 1073750992);
    EXPECT_EQ(error_of(L"0x100000000"), 1073750992);
    EXPECT_EQ(error_of(L"1/0"), 1073750993);
    EXPECT_NE(error_of(Text(5000, L'(')), 0);
    EXPECT_NE(error_of(Text(5000, L'-')), 0);
}

TEST(Fields, AreChosenByOptions) {
    auto fields = [](View options, View line) {
        auto found = fields_of(line, parse_field_options(options));
        Text result;
        for (const Text& field : found.value_or(std::vector<Text>{L"none"})) result += L"[" + field + L"]";
        return result;
    };
    EXPECT_EQ(fields(L"", L"  a b c"), L"[a]");
    EXPECT_EQ(fields(L"", L"; a"), L"[none]");
    EXPECT_EQ(fields(L"eol=# tokens=2", L"; a"), L"[a]");
    EXPECT_EQ(fields(L"tokens=1,3*", L"a b c d e"), L"[a][c][d e]");
    EXPECT_EQ(fields(L"tokens=3-5", L"a b c d"), L"[c][d][]");
    EXPECT_EQ(fields(L"tokens=2", L"a"), L"[none]");
    EXPECT_EQ(fields(L"delims=", L" all of it "), L"[ all of it ]");
    EXPECT_EQ(fields(L"tokens=* delims= ", L"  all "), L"[all ]");
    EXPECT_EQ(fields(L"tokens=2 delims=,;", L"a,;b"), L"[b]");
    EXPECT_EQ(parse_field_options(L"usebackq skip=3").skip, 3);
    EXPECT_THROW(parse_field_options(L"token=1"), Failure);
    EXPECT_THROW(parse_field_options(L"tokens=99"), Failure);
    EXPECT_THROW(parse_field_options(L"skip=0"), Failure);
}

TEST(Invocation, QuotesFollowWindowsRules) {
    auto command = [](View line) {
        return parse_invocation(line, [](View name) { return name == L"C:\\a b\\tool.exe"; })
            .command.value_or(L"none");
    };
    EXPECT_EQ(command(L"cmd /c echo \"a\""), L"echo \"a\"");
    EXPECT_EQ(command(L"cmd /c \"echo a\""), L"echo a");
    EXPECT_EQ(command(L"cmd /c \"C:\\a b\\tool.exe\" x"), L"\"C:\\a b\\tool.exe\" x");
    EXPECT_EQ(command(L"cmd /s /c \"C:\\a b\\tool.exe\" x"), L"C:\\a b\\tool.exe x");
    EXPECT_EQ(command(L"cmd /c \"C:\\a b\\tool.exe\" \"x\""), L"C:\\a b\\tool.exe\" \"x");
    EXPECT_EQ(command(L"cmd /c \"\"C:\\a b\\tool.exe\" \"x\"\""), L"\"C:\\a b\\tool.exe\" \"x\"");
    EXPECT_EQ(command(L"\"C:\\Program Files\\cmd.exe\"/d/q/S/Cecho a"), L"echo a");
    EXPECT_EQ(command(L"cmd"), L"none");
    Invocation all = parse_invocation(L"cmd /V:ON /e:off /U /Q /T:0f /F:ON /K x", [](View) { return false; });
    EXPECT_TRUE(all.delayed_expansion && !all.extensions && all.unicode_output && all.quiet && all.stays);
    EXPECT_EQ(parse_invocation(L"cmd /Z", [](View) { return false; }).unknown, L"/Z");
}

// SS64 and the answers to it: IF takes what is too large for 32 bits for the largest number there is.
TEST(Number, IsTheNearestThatFits) {
    const std::pair<View, std::int32_t> cases[] = {
        {L"17", 17},
        {L"-0x11", -17},
        {L"021", 17},
        {L"2147483648", 2147483647},
        {L"4294967295", 2147483647},
        {L"-30000000000000", -2147483647 - 1},
        {L"99999999999999999999999999", 2147483647},
        {L"0xffffffff", 2147483647},
    };
    for (const auto& [text, value] : cases)
        EXPECT_EQ(number(text), value) << testing::PrintToString(Text(text));
    for (View text : {L"", L"-", L"0x", L"08", L"1a", L"1 "}) EXPECT_EQ(number(text), std::nullopt);
}

TEST(Renamed, FollowsThePattern) {
    EXPECT_EQ(renamed(L"a.txt", L"*.bak"), L"a.bak");
    EXPECT_EQ(renamed(L"a.b.txt", L"*.bak"), L"a.b.bak");
    EXPECT_EQ(renamed(L"abc.txt", L"x?y.*"), L"xby.txt");
    EXPECT_EQ(renamed(L"a.txt", L"b.txt"), L"b.txt");
    EXPECT_EQ(renamed(L"abcd.txt", L"x*"), L"xbcd.txt");
    EXPECT_EQ(renamed(L"a", L"*.txt"), L"a.txt");
}

}  // namespace
}  // namespace mullion::cmd
