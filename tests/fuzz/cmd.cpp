// A line of a script, and those that follow it, for the command interpreter of the emulation's guest.
#include <algorithm>

#include "hcs/guest/cmd/arithmetic.hpp"
#include "hcs/guest/cmd/expand.hpp"
#include "hcs/guest/cmd/fields.hpp"
#include "hcs/guest/cmd/invocation.hpp"
#include "hcs/guest/cmd/parser.hpp"
#include "tests/fuzz/target.hpp"

namespace mullion::test {
namespace {

using cmd::Text;
using cmd::View;

class Variables : public cmd::Scope {
  public:
    explicit Variables(bool script) : script_(script) {}
    std::optional<Text> variable(View name) const override {
        return name.size() == 1 ? std::optional<Text>(L"!a! %b% ^& \"value\"") : std::nullopt;
    }
    bool in_script() const override { return script_; }
    Text argument(std::size_t index) const override { return index < 4 ? L"an \"argument\"" : L""; }
    Text path_argument(std::size_t index) const override { return argument(index); }
    Text all_arguments() const override { return L"all (of) them"; }
    const Text* loop_variable(wchar_t name) const override {
        static const Text value = L"%i";
        return name == L'i' || name == L'd' ? &value : nullptr;
    }
    Text path_part(View value, View modifiers, View search) const override {
        return Text(value).append(modifiers).append(search);
    }

  private:
    bool script_;
};

struct Lines : cmd::LineSource {
    std::string_view rest;
    std::optional<Text> next_line() override {
        if (rest.empty()) return std::nullopt;
        std::size_t end = std::min(rest.find('\n'), rest.size());
        Text line(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        return line;
    }
};

void take_line(const Text& line, Lines& lines, const Variables& variables) {
    cmd::CommandPtr command = cmd::parse(cmd::expand_percents(line, variables), lines);
    if (!command) return;
    Text text = cmd::expand_loop_variables(cmd::to_text(*command), variables);
    cmd::expand_delayed(text, variables);
}

}  // namespace

void fuzz(std::string_view input) {
    Text all(input.begin(), input.end());
    for (bool script : {false, true}) {
        Variables variables(script);
        Lines lines;
        lines.rest = input;
        try {
            while (std::optional<Text> line = lines.next_line()) take_line(*line, lines, variables);
        } catch (const cmd::Failure&) {
        }
    }
    try {
        cmd::fields_of(all, cmd::parse_field_options(all));
    } catch (const cmd::Failure&) {
    }
    try {
        cmd::evaluate(all, {[](View) { return std::optional<Text>(L"-0x7f"); }, [](View, std::int32_t) {}});
    } catch (const cmd::ArithmeticError&) {
    }
    cmd::parse_invocation(all, [](View name) { return name.size() % 2 == 0; });
    cmd::renamed(all.substr(0, all.size() / 2), all.substr(all.size() / 2));
}

}  // namespace mullion::test
