// Programs that Wine has but that would only pretend to work.
#pragma once

#include <span>
#include <string_view>

namespace mullion::hcs {

struct StubTool {
    std::string_view file;     // lower case, as in Wine's PE directory
    std::string_view instead;  // what to tell the user; "" for the general advice
};

// Removed from the prepared layer: the image's own program is used, or cmd finds none. Either exits
// 0 without doing anything, or hangs, or (net) answers with its usage and 0.
std::span<const StubTool> stub_tools();

}  // namespace mullion::hcs
