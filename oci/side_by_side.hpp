// Work that waits for the network, several pieces at once: threads of its own, since waits must not hold
// threads that are for the processor.
#pragma once

#include <cstddef>
#include <functional>

#include "base/cancel.hpp"

namespace mullion::oci {

// Runs job(0) ... job(count-1), at most `limit` at a time, begun in this order. The first failure stops the
// rest (their token fires) and is thrown once all have ended.
void run_side_by_side(std::size_t count, std::size_t limit, const base::CancelToken& cancel,
                      const std::function<void(std::size_t, const base::CancelToken&)>& job);

}  // namespace mullion::oci
