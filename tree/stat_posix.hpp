// What the POSIX sources of this room share.
#pragma once

#include <sys/stat.h>

#include "tree/content.hpp"

namespace mullion::tree {

StatIdentity identity_of(const struct stat& info);

}  // namespace mullion::tree
