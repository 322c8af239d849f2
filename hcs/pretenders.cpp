// Commands that would report success without doing what they say.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "hcs/compute_system.hpp"
#include "tree/name.hpp"

namespace mullion::hcs {
namespace {

using Words = std::vector<std::string>;

// One command of a line: what stands between cmd's operators. Quotes are no help, since those around the
// whole line look like any others.
std::vector<Words> commands(std::string_view line) {
    constexpr std::string_view kOperators = "&|()\r\n";
    constexpr std::string_view kBlanks = " \t\"@,;=^";
    std::vector<Words> result(1);
    bool in_word = false;
    for (char c : line) {
        if (kOperators.find(c) != std::string_view::npos) result.emplace_back();
        bool separates =
            kOperators.find(c) != std::string_view::npos || kBlanks.find(c) != std::string_view::npos;
        if (!separates && !in_word) result.back().emplace_back();
        if (!separates) result.back().back() += c;
        in_word = !separates;
    }
    return result;
}

bool is(const std::string& word, std::string_view name) {
    return tree::names_equal(tree::Os::Windows, word, name);
}

bool has(const Words& words, std::string_view name) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return is(word, name); });
}

// "C:\Windows\System32\whoami.exe" -> "whoami".
std::string program_name(std::string word) {
    word.erase(0, word.find_last_of("\\/") + 1);
    if (word.size() > 4 && is(word.substr(word.size() - 4), ".exe")) word.resize(word.size() - 4);
    return word;
}

// Drops what may stand before a command's own name: another cmd with its switches, do, else, call.
void drop_prefixes(Words& words) {
    while (!words.empty()) {
        auto end = words.begin();
        if (is(program_name(words[0]), "cmd")) {
            end = std::find_if(words.begin(), words.end(),
                               [](const std::string& word) { return is(word, "/c") || is(word, "/k"); });
            if (end == words.end()) return;
        } else if (!is(words[0], "do") && !is(words[0], "else") && !is(words[0], "call")) {
            return;
        }
        words.erase(words.begin(), end + 1);
    }
}

std::string joined(Words::const_iterator begin, Words::const_iterator end) {
    std::string text;
    for (auto word = begin; word != end; ++word) text += (word == begin ? "" : " ") + *word;
    return text;
}

// Names with blanks came as several words, so the second may begin at any of them.
bool renames_only_case(const Words& arguments) {
    for (auto middle = arguments.begin(); middle != arguments.end(); ++middle) {
        std::string from = joined(arguments.begin(), middle);
        std::string to = joined(middle, arguments.end());
        from.erase(0, from.find_last_of("\\/:") + 1);
        if (from != to && tree::names_equal(tree::Os::Windows, from, to)) return true;
    }
    return false;
}

std::optional<std::string> pretending(const std::string& name, const Words& arguments) {
    if (is(name, "mklink") && !(!arguments.empty() && is(arguments[0], "/h"))) {
        return "mklink can make hard links (/H) only: Wine would report success and make nothing";
    }
    if (is(name, "whoami") && has(arguments, "/all")) {
        return "whoami /all: Wine would report success and tell less than was asked for";
    }
    if ((is(name, "ren") || is(name, "rename")) && renames_only_case(arguments)) {
        return "ren cannot change only the case of a name: Wine would report success and change nothing; "
               "rename to another name first, then to the wanted one";
    }
    return std::nullopt;
}

// Is the operator there, and not as text (behind "^")?
bool has_operator(std::string_view text, std::string_view name) {
    for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1))
        if (at == 0 || text[at - 1] != '^') return true;
    return false;
}

}  // namespace

std::optional<std::string> doubt_about(std::string_view text) {
    for (std::string_view name : {"&&", "||"}) {
        if (!has_operator(text, name)) continue;
        return fmt::format(
            "Wine's cmd runs what follows {} whatever became of what stands before it: a failure there is "
            "not seen. Use one RUN per command, or \"if errorlevel 1 exit 1\"",
            name);
    }
    return std::nullopt;
}

std::optional<std::string> pretending_command(std::string_view command_line) {
    for (Words& words : commands(command_line)) {
        drop_prefixes(words);
        // What follows a condition is not told from it here, so every word of it may be the command.
        std::size_t last = words.empty() ? 0 : is(words[0], "if") ? words.size() : 1;
        for (std::size_t i = 0; i < last; ++i) {
            Words arguments(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
            if (auto problem = pretending(program_name(words[i]), arguments)) return problem;
        }
    }
    return std::nullopt;
}

}  // namespace mullion::hcs
