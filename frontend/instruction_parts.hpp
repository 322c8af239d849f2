// The instructions with the most syntax of their own; part of instruction.cpp.
#pragma once

#include "frontend/instruction.hpp"

namespace mullion::frontend {

CopyInstruction copy_or_add(const Node& node, bool is_add);
RunInstruction run(const Node& node);

}  // namespace mullion::frontend
