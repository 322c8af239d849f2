// One record of comma-separated values (RFC 4180), as options of Dockerfiles and command lines are written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mullion::base {

// Double quotes around a field group it, "" inside them is one. Empty text is one empty field. Throws Invalid
// for quotes elsewhere.
std::vector<std::string> csv_record(std::string_view text);

}  // namespace mullion::base
