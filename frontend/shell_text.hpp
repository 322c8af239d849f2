// Commands of cmd and PowerShell, read just closely enough for lint rules: words, quotes, separators. No
// parser of either language.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mullion::frontend {

// The program a path names: lower case, no directory, no ".exe".
std::string program_name(std::string_view path);
bool is_powershell(std::string_view program);

struct ShellCommand {
    std::vector<std::string> words;  // without quotes
    bool piped = false;              // into another command
};

// The commands of a text, cut at line ends, ; & | and parentheses outside of quotes.
std::vector<ShellCommand> shell_commands(std::string_view text);

// A program that installs and that the command starts without waiting for its end, with what to do about it;
// empty if there is none. The words are lower case. `powershell`: PowerShell runs the command, else cmd.
struct UnawaitedInstaller {
    std::string program;
    std::string remedy;
};
UnawaitedInstaller unawaited_installer(const ShellCommand& command, bool powershell);

// What the command writes, as far as one can see: targets of redirections and of the commands that make
// files.
std::vector<std::string> written_paths(const ShellCommand& command);

}  // namespace mullion::frontend
