// The JSON form of an instruction's arguments (dockerfile.md §4, "JSON detection").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::frontend {

// The strings of `text` if it is one complete JSON array and nothing else; nullopt if it is not JSON, which
// means shell form. Throws Invalid for a valid array that holds anything but strings. Invalid UTF-8 and
// unpaired surrogates become U+FFFD.
std::optional<std::vector<std::string>> parse_json_strings(std::string_view text);

}  // namespace mullion::frontend
