// Commands that would report success without doing what they say.
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

std::optional<std::string> pretending(const std::string& name, const Words& arguments) {
    if (is(name, "whoami") && has(arguments, "/all")) {
        return "whoami /all: Wine would report success and tell less than was asked for";
    }
    return std::nullopt;
}

}  // namespace

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
