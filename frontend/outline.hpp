// What a build can be told: the arguments, secrets and ssh agents its target uses (dockerfile.md §16,
// "outline"), and the targets a file offers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/source_range.hpp"

namespace mullion::frontend {

struct Outline {
    struct Argument {
        std::string name;
        std::string value;
        std::string description;
        base::SourceRange range;
    };
    struct Credential {
        std::string name;
        bool required = false;
        base::SourceRange range;
    };
    std::string name;         // of the target stage; empty if it has none
    std::string description;  // of the target stage
    // Each sorted by line.
    std::vector<Argument> arguments;
    std::vector<Credential> secrets;
    std::vector<Credential> ssh;
};

struct Target {
    std::string name;  // empty if the stage has none
    std::string description;
    std::string base;      // as written
    std::string platform;  // as written
    bool is_default = false;
    base::SourceRange range;
};

// The stages of a Dockerfile, in order. Throws as parse() and group_stages() do. `file` names the text in
// messages.
std::vector<Target> list_targets(std::string_view text, const std::string& file);

}  // namespace mullion::frontend
