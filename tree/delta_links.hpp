// Part of canonicalise().
#pragma once

#include <vector>

#include "tree/delta.hpp"

namespace mullion::tree {

// Points the hard links of a sorted list at names that come before them: the first name of a file that is in
// the list carries it, its other names link to that one. A file that only `lower` has is linked to by its
// lower name, unless the list removes it: then the first name carries it too. Throws Invalid for a link to
// nothing, to itself or to a directory. `lower` is null where none is known.
void canonicalise_links(std::vector<Change>& sorted, const Tree* lower, Os os);

}  // namespace mullion::tree
