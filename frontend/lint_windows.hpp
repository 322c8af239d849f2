// Our own rules: what goes wrong in Windows images although the Dockerfile builds. docs/rules/ explains each.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "frontend/environment.hpp"
#include "frontend/instruction.hpp"
#include "frontend/lint.hpp"
#include "tree/metadata.hpp"

namespace mullion::frontend {

class WindowsLint {
  public:
    explicit WindowsLint(Linter& linter) : linter_(linter) {}

    void begin_stage(tree::Os os, const Environment& environment);
    void begin_step(const Instruction& instruction) { step_ = &instruction; }

    // ARG and ENV name a variable.
    void variable(const std::string& name);
    struct EnvContext {
        char escape;
        bool path_known;  // where the configuration names no PATH, the registry of the base does
    };
    // ENV sets `name`, as written and expanded; `before` is the environment it was expanded in.
    void path_variable(const std::string& name, const std::string& written, const std::string& value,
                       const Environment& before, EnvContext context);
    // COPY and ADD, expanded. `user` is the image's, empty if it names none.
    void copy(const CopyInstruction& copy, const std::string& destination, bool into_directory,
              const std::string& user);
    void workdir(const std::string& path);
    // `arguments`: the process RUN starts, shell included, before heredocs become scripts. `script`: the
    // heredoc that becomes one, or null.
    void run(const RunInstruction& run, const std::vector<std::string>& arguments, bool becomes_script,
             const std::string& user);

  private:
    struct Spelling {
        std::string text;
        int line;  // 0: the base image's
    };

    void spelled(std::string_view path);
    void same_names(const CopyInstruction& copy);
    void heredoc_line_ends(const Heredoc& heredoc);
    void path_length(const std::string& path, std::size_t limit);
    void installers(std::string_view text, bool powershell);
    void admin_only_writes(std::string_view text, const std::string& user);
    bool is_administrator(const std::string& user) const;
    void report(const LintRule& rule, std::string message);

    Linter& linter_;
    tree::Os os_ = tree::Os::Windows;
    const Instruction* step_ = nullptr;
    std::unordered_map<std::string, Spelling> variables_;  // by folded name
    std::unordered_map<std::string, Spelling> paths_;      // by folded tree path
    std::string runs_;  // text of RUN steps that deal with the group of administrators, lower case
};

}  // namespace mullion::frontend
