// Pipes between the engine and the processes of a box.
#pragma once

#include "base/handle.hpp"

namespace mullion::hcs {

struct Pipe {
    base::UniqueFd read;
    base::UniqueFd write;
};

// Both ends are closed on exec.
Pipe make_pipe();

void make_nonblocking(const base::UniqueFd& fd);

// A write to a pipe without readers must fail, not kill us; only the calling thread's signal mask changes.
void block_pipe_signal();

}  // namespace mullion::hcs
