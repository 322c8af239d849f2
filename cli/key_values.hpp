// Option values of the form "type=oci,dest=out.tar" (one CSV record, RFC 4180 quoting, as buildx reads them).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mullion::cli {

using KeyValueList = std::vector<std::pair<std::string, std::string>>;

// Throws Invalid naming the field ("invalid value \"x\" in --output ...: must be key=value").
KeyValueList parse_key_value_csv(std::string_view text, std::string_view option);

// "a,b" -> a and b; an empty text is one empty part.
std::vector<std::string> split_commas(std::string_view text);

// "NAME=VALUE" -> pair; without "=" the value is taken from our environment, as docker does for --build-arg
// and -e: nullopt if it is not set there.
std::optional<std::pair<std::string, std::string>> parse_assignment(const std::string& text,
                                                                    std::string_view option);

}  // namespace mullion::cli
