// Times of a layer, made independent of where and when it was made.
#pragma once

#include "tree/delta.hpp"

namespace mullion::tree {

// Directories that `delta` only repeats (they are in `lower` as they are here) get `time` for all their times
// and our own tar form; so does the root. What a layer adds then is the same bytes on every base that agrees
// with `lower` on these directories' names, attributes and descriptors.
void stamp_repeated_parents(Delta& delta, const Tree& lower, base::FileTime time);

// `delta` with every time that is later than `latest` set to it. Contents are shared.
Delta clamp_times(const Delta& delta, base::FileTime latest);

}  // namespace mullion::tree
