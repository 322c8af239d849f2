// The program, whatever the system calls its entry.
#pragma once

#include <string>
#include <vector>

namespace mullion::cli {

// `arguments` without the program's own name, UTF-8. Returns the exit code (cli/exit_code.hpp).
int run_program(const std::vector<std::string>& arguments);

}  // namespace mullion::cli
