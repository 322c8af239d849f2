// Parsed commands.
#pragma once

#include <memory>

#include "hcs/guest/cmd/text.hpp"

namespace mullion::cmd {

struct Redirection {
    enum class Kind { Read, Write, Append, Copy };
    Kind kind = Kind::Write;
    int handle = 1;
    Text target;  // Copy: a digit
};

struct Command;
using CommandPtr = std::unique_ptr<Command>;

struct Condition {
    enum class Kind { Exist, Defined, ErrorLevel, ExtensionVersion, Equal, Compare };
    Kind kind = Kind::Equal;
    bool negated = false;
    bool any_case = false;
    Text left;       // or the only operand
    Text operation;  // of Compare: EQU, NEQ, LSS, LEQ, GTR, GEQ
    Text right;
};

struct Loop {
    enum class Kind { Words, Directories, Tree, Numbers, Fields };
    Kind kind = Kind::Words;
    bool directories = false;  // of Tree: /d too
    wchar_t variable = 0;
    Text options;  // of Fields; of Tree: where to begin
    Text set;
};

struct Command {
    enum class Kind {
        Simple,
        Block,  // ( items )
        List,   // items, one after another
        And,    // first && second
        Or,     // first || second
        Pipe,   // first | second
        If,     // condition first [else second]
        For,    // loop first
    };
    Kind kind = Kind::Simple;
    bool silent = false;  // "@"
    std::vector<Redirection> redirections;
    Text name;       // of Simple, as written
    Text arguments;  // of Simple: all that follows the name, blanks included
    std::vector<CommandPtr> items;
    CommandPtr first, second;
    Condition condition;
    Loop loop;
};

// The command as text: for the interpreter at one end of a pipe, and to show it.
Text to_text(const Command& command);

}  // namespace mullion::cmd
