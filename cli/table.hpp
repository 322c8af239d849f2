// Plain text tables as docker prints them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mullion::cli {

// Columns padded to their widest cell (in code points), three blanks between, no trailing blanks.
std::string format_table(const std::vector<std::vector<std::string>>& rows);
// "3 weeks ago"
std::string human_age(std::int64_t seconds);

}  // namespace mullion::cli
