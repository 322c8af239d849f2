// --secret id=NAME[,src=FILE|,env=VARIABLE][,type=file|env], as buildx reads it.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

namespace mullion::cli {

// As buildx has it.
inline constexpr std::size_t kMaxSecret = 500 * 1024;

// The id and the value. Without src and env the value is that of the environment variable of that name, or
// what is in the file of that name. Throws Invalid for what is no such option, NotFound for a missing file or
// variable. No message has the value in it.
std::pair<std::string, std::string> read_secret(const std::string& option);

}  // namespace mullion::cli
