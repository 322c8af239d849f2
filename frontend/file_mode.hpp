// --chmod values (dockerfile.md §10).
#pragma once

#include <string_view>

namespace mullion::frontend {

// Octal up to 07777, or symbolic clauses as chmod(1) takes ("u+x,go=r"). Throws Invalid.
void check_file_mode(std::string_view text);

}  // namespace mullion::frontend
