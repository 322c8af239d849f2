// Programs measured from outside.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mullion::bench {

// Runs a program to its end, its output (and errors) in a file that is shown if it fails: then throws
// std::runtime_error.
//
// Returns the most memory that it, or a child it waited for, had resident, in bytes. That is never less than
// what we have ourselves when it starts (execve keeps the mark), so benchmarks that use this stay small.
std::uint64_t run_measured(const std::vector<std::string>& argv);

}  // namespace mullion::bench
