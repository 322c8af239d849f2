// EXPOSE's port specifications (dockerfile.md §8).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mullion::frontend {

// "[ip:][host:]PORT[-PORT][/proto]" -> "80/tcp", one per port of the range. Throws Invalid.
std::vector<std::string> parse_port(std::string_view text);

}  // namespace mullion::frontend
