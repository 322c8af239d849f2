// Instructions with their meaning: one type per instruction, flags validated, nothing expanded yet
// (dockerfile.md §3, §7-§10).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/source_range.hpp"
#include "frontend/heredoc.hpp"
#include "frontend/syntax.hpp"
#include "oci/config.hpp"
#include "solver/operation.hpp"

namespace mullion::frontend {

struct KeyValue {
    std::string key;
    std::string value;
};

// Exec form: the arguments. Shell form: none or one argument, to be handed to the shell.
struct CommandLine {
    std::vector<std::string> arguments;
    bool shell_form = true;
};

struct FromInstruction {
    std::string base;
    std::string stage_name;  // lower case; empty if unnamed
    std::string platform;    // --platform, as written
};

struct ArgInstruction {
    struct Declaration {
        std::string name;
        std::optional<std::string> value;
    };
    std::vector<Declaration> declarations;
};

struct EnvInstruction {
    std::vector<KeyValue> variables;
    bool legacy = false;  // "ENV name value"
};

struct LabelInstruction {
    std::vector<KeyValue> labels;
    bool legacy = false;  // "LABEL name value"
};

// COPY and ADD.
struct CopyInstruction {
    bool is_add = false;
    std::vector<std::string> sources;
    std::vector<Heredoc> contents;
    std::string destination;
    std::string from;
    std::string chown;
    std::string chmod;
    bool link = false;
    bool parents = false;
    std::vector<std::string> exclude;
    std::optional<bool> keep_git_dir;
    std::string checksum;
    std::optional<bool> unpack;
};

struct RunInstruction {
    CommandLine command;
    std::vector<Heredoc> heredocs;
    std::vector<std::string> mounts;       // each parse_mount()'s text
    std::vector<std::string> mount_froms;  // their `from`, empty if none
    std::string network;                   // "default", "none", "host"
    std::string security;                  // "sandbox", "insecure"
    std::vector<std::string> devices;
    solver::StepSettings settings;  // of the comments above
};

struct CmdInstruction {
    CommandLine command;
};

struct EntrypointInstruction {
    CommandLine command;
};

struct ShellInstruction {
    std::vector<std::string> shell;
};

struct WorkdirInstruction {
    std::string path;
};

struct UserInstruction {
    std::string user;
};

struct ExposeInstruction {
    std::vector<std::string> ports;  // sorted
};

struct VolumeInstruction {
    std::vector<std::string> volumes;
};

struct StopSignalInstruction {
    std::string signal;
};

struct HealthcheckInstruction {
    oci::Healthcheck check;
};

struct MaintainerInstruction {
    std::string name;
};

struct OnbuildInstruction {
    std::string trigger;  // the text that the image configuration stores
};

struct Instruction {
    using Body = std::variant<FromInstruction, ArgInstruction, EnvInstruction, LabelInstruction,
                              CopyInstruction, RunInstruction, CmdInstruction, EntrypointInstruction,
                              ShellInstruction, WorkdirInstruction, UserInstruction, ExposeInstruction,
                              VolumeInstruction, StopSignalInstruction, HealthcheckInstruction,
                              MaintainerInstruction, OnbuildInstruction>;
    Body body;
    std::string text;  // joined and trimmed
    base::SourceRange range;
    std::string name;                   // as written
    std::vector<std::string> comments;  // of the lines directly above
};

// Throws Invalid with the node's range; the message has no line prefix.
Instruction parse_instruction(const Node& node);

}  // namespace mullion::frontend
