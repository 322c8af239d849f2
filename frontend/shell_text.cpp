#include "frontend/shell_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// Does this word name something that installs software?
bool is_installer(std::string_view word) {
    const auto name = program_name(word);
    if (name == "msiexec" || name == "wusa") return true;
    if (word.ends_with(".msi") || word.ends_with(".msu") || word.ends_with(".msp")) return true;
    if (!word.ends_with(".exe")) return false;
    return contains(name, "setup") || contains(name, "install") || contains(name, "redist") ||
           contains(name, "bootstrapper") || name.starts_with("vs_");
}

bool is_silent_switch(std::string_view word) {
    constexpr std::array<std::string_view, 13> switches{
        "/quiet",  "/q",     "/qn",      "/qb",         "/s",         "/silent", "/passive",
        "--quiet", "-quiet", "--silent", "/verysilent", "/norestart", "-silent"};
    return is_one_of(word, switches);
}

// Arguments of Start-Process come as lists: 'a','b'.
std::vector<std::string> list_items(const std::vector<std::string>& words) {
    std::vector<std::string> out;
    for (const auto& word : words) {
        std::string_view rest = word;
        for (;;) {
            const auto end = rest.find_first_of(", ");
            if (!rest.substr(0, end).empty()) out.emplace_back(rest.substr(0, end));
            if (end == std::string_view::npos) break;
            rest.remove_prefix(end + 1);
        }
    }
    return out;
}

// The installer among the words behind `first`, by its name or because it is told to be silent.
std::string installer_among(const std::vector<std::string>& words, std::size_t first) {
    const std::vector<std::string> rest(words.begin() + static_cast<std::ptrdiff_t>(first), words.end());
    const auto items = list_items(rest);
    std::string executable;
    bool silent = false;
    for (const auto& item : items) {
        if (is_installer(item)) return item;
        silent |= is_silent_switch(item);
        if (executable.empty() && item.ends_with(".exe")) executable = item;
    }
    return silent ? executable : std::string();
}

bool has_prefix_of(const std::vector<std::string>& words, std::string_view option, std::size_t shortest) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
        word = word.substr(0, word.find(':'));
        return word.size() >= shortest && option.starts_with(word);
    });
}

// Words that come before the command proper.
std::size_t command_position(const std::vector<std::string>& words, bool& powershell) {
    std::size_t at = 0;
    while (at < words.size()) {
        const auto program = program_name(words[at]);
        if (is_powershell(program)) {
            powershell = true;
        } else if (program == "cmd") {
            powershell = false;
        } else if (words[at] != "call" && words[at] != "@" && words[at] != "{" &&
                   !words[at].starts_with('-') && words[at] != "/s" && words[at] != "/c" &&
                   words[at] != "/k" && !words[at].starts_with('$') && words[at] != "=") {
            break;
        }
        ++at;
    }
    return at;
}

}  // namespace

std::string program_name(std::string_view path) {
    auto name = lower(path.substr(path.find_last_of("\\/") + 1));
    if (name.ends_with(".exe")) name.resize(name.size() - 4);
    return name;
}

bool is_powershell(std::string_view program) {
    return program == "powershell" || program == "pwsh";
}

std::vector<ShellCommand> shell_commands(std::string_view text) {
    std::vector<ShellCommand> out(1);
    std::string word;
    bool in_word = false;
    const auto finish_word = [&] {
        if (in_word) out.back().words.push_back(std::move(word));
        word.clear();
        in_word = false;
    };
    const auto finish_command = [&](bool piped) {
        finish_word();
        if (out.back().words.empty()) return;
        out.back().piped = piped;
        out.emplace_back();
    };
    // Quotes group, but a command line in quotes (powershell -Command "...") is still commands.
    const auto holds_commands = [&](std::size_t at) {
        const auto end = text.find('"', at + 1);
        if (end == std::string_view::npos) return true;
        if (text.substr(at + 1, end - at - 1).find_first_of(";&|\n") != std::string_view::npos) return true;
        constexpr std::array<std::string_view, 4> before{"-command", "-c", "/c", "/k"};
        return !in_word && !out.back().words.empty() && is_one_of(out.back().words.back(), before);
    };
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0 && c == quote) {
            quote = 0;
        } else if (quote != 0) {
            word += c;
        } else if (c == '\'' || (c == '"' && !holds_commands(i))) {
            quote = c;
            in_word = true;
        } else if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
            continue;
        } else if (c == '\n' && (word == "`" || word == "^")) {
            word.clear();  // the line goes on
            in_word = false;
        } else if (c == '"' || c == ' ' || c == '\t' || c == '\r') {
            finish_word();
        } else if (c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')' || c == '{' ||
                   c == '}') {
            const bool pipe = c == '|' && (i + 1 >= text.size() || text[i + 1] != '|');
            finish_command(pipe);
        } else if (c == '>') {
            finish_word();
            while (i + 1 < text.size() && text[i + 1] == '>') ++i;
            out.back().words.emplace_back(">");
        } else {
            word += c;
            in_word = true;
        }
    }
    finish_command(false);
    if (out.back().words.empty()) out.pop_back();
    return out;
}

UnawaitedInstaller unawaited_installer(const ShellCommand& command, bool powershell) {
    const auto& words = command.words;
    const auto first = command_position(words, powershell);
    if (first == words.size()) return {};
    const auto& verb = words[first];
    const bool start_process = verb == "start-process" || verb == "saps" || (powershell && verb == "start");
    if (start_process) {
        if (has_prefix_of(words, "-wait", 3)) return {};
        return {installer_among(words, first + 1), "give Start-Process the option -Wait"};
    }
    if (!powershell && verb == "start") {
        if (has_prefix_of(words, "/wait", 2)) return {};
        return {installer_among(words, first + 1), "use start /wait"};
    }
    // cmd waits for what it runs; PowerShell does not wait for programs with a window.
    if (!powershell || command.piped || !is_installer(verb)) return {};
    return {verb, "PowerShell does not wait for programs with windows. Use Start-Process -Wait"};
}

std::vector<std::string> written_paths(const ShellCommand& command) {
    constexpr std::array<std::string_view, 10> makers{
        "mkdir", "md", "copy", "xcopy", "move", "ren", "new-item", "set-content", "out-file", "add-content"};
    constexpr std::array<std::string_view, 3> copiers{"copy-item", "move-item", "expand-archive"};
    std::vector<std::string> out;
    const auto& words = command.words;
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
        if (words[i] == ">") out.push_back(words[i + 1]);
    bool powershell = false;
    const auto first = command_position(words, powershell);
    if (first >= words.size() || (!is_one_of(words[first], makers) && !is_one_of(words[first], copiers)))
        return out;
    // The target comes last, switches left out.
    for (auto word = words.rbegin(); word != words.rend() - static_cast<std::ptrdiff_t>(first) - 1; ++word) {
        if (word->starts_with('-') || word->starts_with('/') || *word == ">") continue;
        out.push_back(*word);
        break;
    }
    return out;
}

}  // namespace mullion::frontend
