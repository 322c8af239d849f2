// Are two objects, two layers the same? Answered without reading contents: "no" may also mean "not known".
#pragma once

#include "tree/delta.hpp"

namespace mullion::tree {

bool same_metadata(const Metadata& a, const Metadata& b);
// All but the children and which names are one file.
bool same_object(const Node& a, const Node& b);
// Would both be written as the same bytes?
bool same_delta(const Delta& a, const Delta& b);

}  // namespace mullion::tree
