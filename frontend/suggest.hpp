// " (did you mean X?)" for messages about unknown names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mullion::frontend {

// The best of `options` within edit distance 2 of `word`, as a suffix for a message; empty if none is close.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& options);

}  // namespace mullion::frontend
