// The rules that need no stage to be lowered: how instructions are written, stage names, FROM (dockerfile.md
// §15).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "frontend/convert.hpp"
#include "frontend/environment.hpp"
#include "frontend/lint.hpp"
#include "frontend/stages.hpp"
#include "frontend/syntax.hpp"

namespace mullion::frontend {

// Each instruction by itself. `text` is what `dockerfile` was parsed from.
void lint_syntax(std::string_view text, const Dockerfile& dockerfile, const oci::Platform& target,
                 Linter& linter);

// Are most instructions, mixed case left out, in lower case?
bool majority_is_lower(const BuildFile& file);

// Names of stages, and the case of all instructions.
void lint_stages(const BuildFile& file, Linter& linter);

// The base names and platforms of FROM. `globals` is global_scope(); `defaults` the same without the build
// arguments, nullopt if that cannot be expanded. Stops silently at what the conversion will refuse.
void lint_from(const BuildFile& file, const Environment& globals, const std::optional<Environment>& defaults,
               Linter& linter);

}  // namespace mullion::frontend
