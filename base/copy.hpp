// Copying what may take long.
#pragma once

#include "base/cancel.hpp"
#include "base/stream.hpp"

namespace mullion::base {

// Copies everything, as copy(from, to) does; throws Canceled between two pieces.
std::uint64_t copy(Source& from, Sink& to, const CancelToken& cancel);

}  // namespace mullion::base
