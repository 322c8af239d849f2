// Repairs of what lint rules find, where nothing that is built can change by them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "frontend/convert.hpp"

namespace mullion::frontend {

struct FixResult {
    std::string text;
    std::size_t fixed = 0;  // edits made
};

// The text with every safe repair made; repairing it again changes nothing. Line ends and everything else
// stay as they are. A text that does not convert stays as it is. Throws Internal, with nothing changed,
// should a repair alter what any stage builds.
FixResult fix(std::string_view text, const Options& options, ImageResolver& resolver,
              const base::CancelToken& cancel);

// Can fix() repair what this rule finds, at least in its simple forms?
bool is_fixable(const LintRule& rule);

}  // namespace mullion::frontend
