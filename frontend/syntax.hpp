// A Dockerfile as syntax: one node per instruction, arguments in the shapes of dockerfile.md §4, nothing
// judged yet. The light entry for tools that want structure and no build.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/source_range.hpp"
#include "frontend/heredoc.hpp"
#include "frontend/source_text.hpp"

namespace mullion::frontend {

enum class Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    StopSignal,
    User,
    Volume,
    Workdir,
    Unknown,
};

struct Node {
    Keyword keyword = Keyword::Unknown;
    std::string name;                // as written
    std::vector<std::string> flags;  // "--name=value", quotes and escapes removed
    // By keyword: words, the strings of a JSON array, one text, name/value/separator triples (ENV, LABEL:
    // separator "=" or, in the legacy form, ""), or nothing but "" for unknown instructions.
    std::vector<std::string> arguments;
    bool json = false;              // the arguments were a JSON array: exec form
    std::unique_ptr<Node> trigger;  // of ONBUILD
    std::vector<Heredoc> heredocs;
    std::vector<std::string> comments;  // of the lines directly above
    std::string text;                   // the whole instruction, joined and trimmed
    base::SourceRange range;
    int last_text_line = 0;  // before the bodies of heredocs
    bool empty_continuation = false;
};

struct Dockerfile {
    std::vector<Node> instructions;
    Directives directives;
};

// Throws Invalid with a source range. `file` names the text in messages.
Dockerfile parse(std::string_view text, const std::string& file);

// One line per instruction, "(name [flags] arguments)" (dockerfile.md §4, "AST dump").
std::string ast_dump(const Dockerfile& dockerfile);

}  // namespace mullion::frontend
