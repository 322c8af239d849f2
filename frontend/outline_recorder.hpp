// Notes during a conversion what its outline consists of. Internal to the front end.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/build_arguments.hpp"
#include "frontend/instruction.hpp"
#include "frontend/mount.hpp"
#include "frontend/outline.hpp"
#include "frontend/stages.hpp"

namespace mullion::frontend {

class StageGraph;

// The text of the comment line "NAME text" among those above an instruction; empty if there is none.
std::string described(const std::vector<std::string>& comments, std::string_view name);

class OutlineRecorder {
  public:
    OutlineRecorder(const BuildFile& file, const Environment& globals, GlobalArguments declared);

    // The ARG of a stage, with its value. `inherited`: the value is that of a global ARG, which stands for
    // it.
    void arg(std::size_t stage, const ArgInstruction::Declaration& declared, bool inherited,
             const Instruction& instruction);
    void mount(std::size_t stage, const Mount& mount, const base::SourceRange& range);

    // Of the graph's target.
    Outline finish(const StageGraph& graph, const BuildFile& file) const;

  private:
    struct Stage {
        std::set<std::string> used;
        std::map<std::string, Outline::Argument> arguments;
        std::map<std::string, Outline::Credential> secrets;
        std::map<std::string, Outline::Credential> ssh;
    };
    const Stage* find(std::size_t stage) const;
    void add_stage(const Stage& stage, Outline& outline, std::set<std::string>& seen) const;

    std::map<std::string, Outline::Argument> globals_;
    GlobalArguments declared_;
    std::map<std::size_t, Stage> stages_;  // by node index
};

}  // namespace mullion::frontend
