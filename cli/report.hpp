// How an Error is shown to the user: the Dockerfile excerpt with its marked lines, the tail of the failed
// step's output, the message, a hint. `--debug` adds the frames with their source locations.
#pragma once

#include <string>

#include "base/error.hpp"

namespace mullion::cli {

// Lines as they may be shown: output of steps, Dockerfiles and names in archives are bytes of unknown origin,
// and nothing of them may drive the terminal. Ends with a line feed unless empty.
std::string printable(std::string_view text);

// `excerpt`: the rendered Dockerfile excerpt, or empty.
std::string render_error(const base::Error& error, const std::string& excerpt, bool debug);

// Prints to stderr.
void report_error(const base::Error& error, const std::string& excerpt, bool debug);

}  // namespace mullion::cli
