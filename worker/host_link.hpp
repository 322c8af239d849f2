// Links of a Windows image on a POSIX host.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tree/tree.hpp"

namespace mullion::worker {

// The target of a relative host symlink that leads where the symlink or junction at `path` leads in `tree`:
// never out of it, wherever the tree's root lies on the host. nullopt if it leads elsewhere (another drive, a
// share, a volume).
std::optional<std::string> host_link_target(const tree::Tree& tree, std::string_view path,
                                            const tree::Node& link);

}  // namespace mullion::worker
