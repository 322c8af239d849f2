// Questions to whoever sits at the terminal.
#pragma once

#include <string>

#include "base/cancel.hpp"

namespace mullion::cli {

// Is standard input a terminal?
bool can_ask();

enum class Echo { On, Off };

// The line that is typed after `question`, which goes to standard error. Without echo, what is typed stays
// unseen. Throws Invalid if nothing is typed, Canceled, Io.
std::string ask(const std::string& question, Echo echo, const base::CancelToken& cancel);

}  // namespace mullion::cli
