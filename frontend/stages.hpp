// Instructions grouped into stages, and the ARGs before the first FROM (dockerfile.md §6, §7).
#pragma once

#include <string>
#include <vector>

#include "base/source_range.hpp"
#include "frontend/instruction.hpp"
#include "frontend/syntax.hpp"

namespace mullion::frontend {

struct Stage {
    FromInstruction from;
    std::vector<Instruction> instructions;
    base::SourceRange range;  // of FROM
    std::string name;         // FROM as written
    std::vector<std::string> comments;
};

struct BuildFile {
    std::vector<Instruction> global_args;  // every body is an ArgInstruction
    std::vector<Stage> stages;             // at least one
    Directives directives;
};

// More stages than this are Invalid: each may copy the configuration of another.
inline constexpr std::size_t kMaxStages = 1024;

// Throws Invalid: what parse_instruction() says, behind "dockerfile parse error on line N"; instructions
// outside a stage; no stage at all.
BuildFile group_stages(const Dockerfile& dockerfile);

}  // namespace mullion::frontend
