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

// Does this word come before the command proper: "call", options of a shell, "$p ="?
bool precedes_command(std::string_view word) {
    constexpr std::array<std::string_view, 6> words{"call", "@", "=", "/s", "/c", "/k"};
    return word.starts_with('-') || word.starts_with('$') || is_one_of(word, words);
}

// Where the command proper begins. A shell on the way is the one that runs it.
std::size_t command_position(const std::vector<std::string>& words, bool& powershell) {
    std::size_t at = 0;
    for (; at < words.size(); ++at) {
        const auto program = program_name(words[at]);
        const bool is_shell = is_powershell(program) || program == "cmd";
        if (is_shell)
            powershell = is_powershell(program);
        else if (!precedes_command(words[at]))
            break;
    }
    return at;
}

// One pass over a text, character by character.
class CommandReader {
  public:
    explicit CommandReader(std::string_view text) : text_(text) {}

    std::vector<ShellCommand> run() {
        for (at_ = 0; at_ < text_.size(); ++at_) {
            if (quote_ != 0)
                quoted(text_[at_]);
            else
                plain(text_[at_]);
        }
        finish_command(false);
        if (commands_.back().words.empty()) commands_.pop_back();
        return std::move(commands_);
    }

  private:
    void quoted(char c) {
        if (c == quote_)
            quote_ = 0;
        else
            word_ += c;
    }

    void plain(char c) {
        constexpr std::string_view ends = "\n;&|(){}";
        if (c == '\'' || (c == '"' && !holds_commands())) {
            quote_ = c;
            in_word_ = true;
        } else if (c == '\r' && next() == '\n') {
            return;
        } else if (c == '\n' && (word_ == "`" || word_ == "^")) {
            word_.clear();  // the line goes on
            in_word_ = false;
        } else if (c == '"' || c == ' ' || c == '\t' || c == '\r') {
            finish_word();
        } else if (ends.find(c) != std::string_view::npos) {
            finish_command(c == '|' && next() != '|');
        } else if (c == '>') {
            finish_word();
            while (next() == '>') ++at_;
            commands_.back().words.emplace_back(">");
        } else {
            word_ += c;
            in_word_ = true;
        }
    }

    // Quotes group, but a command line in quotes (powershell -Command "...") is still commands.
    bool holds_commands() const {
        const auto end = text_.find('"', at_ + 1);
        if (end == std::string_view::npos) return true;
        if (text_.substr(at_ + 1, end - at_ - 1).find_first_of(";&|\n") != std::string_view::npos)
            return true;
        constexpr std::array<std::string_view, 4> before{"-command", "-c", "/c", "/k"};
        const auto& words = commands_.back().words;
        return !in_word_ && !words.empty() && is_one_of(words.back(), before);
    }

    char next() const { return at_ + 1 < text_.size() ? text_[at_ + 1] : '\0'; }

    void finish_word() {
        if (in_word_) commands_.back().words.push_back(std::move(word_));
        word_.clear();
        in_word_ = false;
    }

    void finish_command(bool piped) {
        finish_word();
        if (commands_.back().words.empty()) return;
        commands_.back().piped = piped;
        commands_.emplace_back();
    }

    std::string_view text_;
    std::size_t at_ = 0;
    char quote_ = 0;
    std::string word_;
    bool in_word_ = false;
    std::vector<ShellCommand> commands_ = std::vector<ShellCommand>(1);
};

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
    return CommandReader(text).run();
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
