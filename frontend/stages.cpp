#include "frontend/stages.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

Instruction located_instruction(const Node& node) {
    return base::with_context(
        [&] { return fmt::format("dockerfile parse error on line {}", node.range.first_line); },
        [&] { return parse_instruction(node); });
}

void add_stage(BuildFile& file, FromInstruction from, const Node& node) {
    if (file.stages.size() == kMaxStages)
        throw fail(ErrorCode::Invalid, "more than {} stages", kMaxStages).at(node.range);
    file.stages.push_back({std::move(from), {}, node.range, node.name, node.comments});
}

}  // namespace

BuildFile group_stages(const Dockerfile& dockerfile) {
    BuildFile file;
    file.directives = dockerfile.directives;
    for (const auto& node : dockerfile.instructions) {
        auto instruction = located_instruction(node);
        if (auto* from = std::get_if<FromInstruction>(&instruction.body)) {
            add_stage(file, std::move(*from), node);
        } else if (!file.stages.empty()) {
            file.stages.back().instructions.push_back(std::move(instruction));
        } else if (std::holds_alternative<ArgInstruction>(instruction.body)) {
            file.global_args.push_back(std::move(instruction));
        } else {
            throw fail(ErrorCode::Invalid, "no build stage in current context").at(node.range);
        }
    }
    if (file.stages.empty())
        throw fail(ErrorCode::Invalid, "dockerfile contains no stages to build")
            .at(dockerfile.instructions.back().range);
    return file;
}

}  // namespace mullion::frontend
