// The commands that are no programs.
#pragma once

#include "hcs/guest/cmd/shell.hpp"

namespace mullion::cmd {

// What success does to ERRORLEVEL. Windows' own history: scripts named .cmd differ from those named .bat.
enum class OnSuccess { Keep, Clear, ClearInCmd };
enum class OnFailure { Set, Keep, Clear };

struct Builtin {
    View name;
    int (*run)(Shell& shell, View arguments);
    OnSuccess on_success = OnSuccess::Keep;
    OnFailure on_failure = OnFailure::Set;
};

// The builtin that a command's name is or begins with ("cd..", "echo.", "dir/b"); `rest` is what of the name
// belongs to the arguments.
const Builtin* find_builtin(View name, View& rest);

// Switches of a command taken out of its words: letters after slashes, upper case. nullopt and a complaint if
// one is not in `known`.
struct Switches {
    Text letters;              // in order
    std::vector<Text> values;  // "/a:-d" -> ":-d", one per letter
    bool has(wchar_t letter) const { return letters.find(letter) != Text::npos; }
    View value(wchar_t letter) const;  // of the last such
};
struct Words {
    Switches switches;
    std::vector<Text> operands;  // without quotes
};
std::optional<Words> parse_words(Shell& shell, View arguments, View known);

int bad_syntax(Shell& shell);
int complain_of_value(Shell& shell, View value);  // of a switch
bool confirmed(Shell& shell, View question);      // asks and reads a line

namespace builtin {
// builtins_shell.cpp
int assoc(Shell&, View);
int break_(Shell&, View);
int call(Shell&, View);
int cls(Shell&, View);
int color(Shell&, View);
int date(Shell&, View);
int echo(Shell&, View);
int endlocal(Shell&, View);
int exit(Shell&, View);
int ftype(Shell&, View);
int go_to(Shell&, View);
int path(Shell&, View);
int pause(Shell&, View);
int prompt(Shell&, View);
int rem(Shell&, View);
int set(Shell&, View);
int setlocal(Shell&, View);
int shift(Shell&, View);
int start(Shell&, View);
int time(Shell&, View);
int title(Shell&, View);
int ver(Shell&, View);
int verify(Shell&, View);
int vol(Shell&, View);
// copying.cpp
int copy(Shell&, View);
// builtins_files.cpp
int del(Shell&, View);
int mklink(Shell&, View);
int move(Shell&, View);
int ren(Shell&, View);
int type(Shell&, View);
// builtins_directories.cpp
int cd(Shell&, View);
int md(Shell&, View);
int popd(Shell&, View);
int pushd(Shell&, View);
int rd(Shell&, View);
// listing.cpp
int dir(Shell&, View);
// tools.cpp
int choice(Shell&, View);
int more(Shell&, View);
}  // namespace builtin

}  // namespace mullion::cmd
