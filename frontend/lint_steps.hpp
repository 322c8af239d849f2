// The rules about the steps of stages, while they are lowered (dockerfile.md §15). One object per conversion;
// stages are lowered one after the other.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/convert.hpp"
#include "frontend/environment.hpp"
#include "frontend/expand.hpp"
#include "frontend/instruction.hpp"
#include "frontend/lint.hpp"
#include "frontend/lint_windows.hpp"
#include "tree/metadata.hpp"
#include "tree/pattern.hpp"

namespace mullion::frontend {

class StepLint {
  public:
    StepLint(Linter& linter, const Options& options) : linter_(linter), options_(options), windows_(linter) {}

    using Declarations = std::vector<ArgInstruction::Declaration>;
    // `declared`: what the stage inherits from the one it stands on.
    void begin_stage(tree::Os os, const Environment& environment, const Declarations& declared);
    // The step that all further calls are about. The scope holds what its comments say about rules.
    [[nodiscard]] Linter::Scope begin_step(const Instruction& instruction);

    // A base image for another OS or architecture than its stage.
    void base_platform(const std::string& name, const oci::Platform& expected, const oci::Platform& actual,
                       const base::SourceRange& range);
    // A word was expanded.
    void expanded(const VariableUse& use, const Environment& environment);

    void arg(const std::string& name);
    // `variables` are expanded; `environment` is the one before them.
    void env(const EnvInstruction& written, const std::vector<KeyValue>& variables,
             const Environment& environment, WindowsLint::EnvContext context);
    void label(const LabelInstruction& label);
    // CMD and ENTRYPOINT.
    void command(const CommandLine& command, bool has_shell);
    // CMD, ENTRYPOINT and HEALTHCHECK: only the last of a stage counts.
    void only_last_counts(std::string_view keyword);
    void expose(std::string_view port);
    // `first`: no WORKDIR of this stage or of those below it came before.
    void workdir(const std::string& path, bool first);

    // `copy` is expanded; `destination` is a tree path.
    void copy(const CopyInstruction& copy, const std::string& destination, bool into_directory,
              const std::string& user);
    // The rules of ours that look at other steps.
    WindowsLint& windows() { return windows_; }

  private:
    void lint_ignored(const CopyInstruction& copy, const std::string& source);
    const tree::IgnorePatterns& ignore_patterns();

    Linter& linter_;
    const Options& options_;
    WindowsLint windows_;
    std::optional<tree::IgnorePatterns> ignore_;
    tree::Os os_ = tree::Os::Windows;
    const Instruction* step_ = nullptr;
    std::set<std::string> declared_;  // folded
    std::map<std::string_view, base::SourceRange> last_;
};

}  // namespace mullion::frontend
