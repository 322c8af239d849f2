// Builds for several platforms: one conversion each, so that what the platforms have in common comes out the
// same (dockerfile.md §12).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/convert.hpp"

namespace mullion::frontend {

// Is the result an index? Yes for several platforms; for one if the build argument BUILDKIT_MULTI_PLATFORM,
// else the option multi-platform (`attribute`), says so. Throws Invalid for a value that is no boolean, and
// for "false" with several platforms.
bool makes_index(const KeyValues& build_args, const std::optional<std::string>& attribute,
                 std::size_t platforms);

// convert() for each of `platforms` (Options::platform is ignored), in their order; for the only one that
// Options describes if the list is empty.
//
// Where platforms differ by os.version only, the layers the build adds are the same blobs for each of them,
// as far as their contents are: every step stamps what it makes with one time, whatever base it stands on
// (Options::file_time), and directories that a layer only repeats carry that time too
// (Options::uniform_parents). Findings are those of the first platform. Throws Invalid for two platforms that
// come out as the same one.
std::vector<Conversion> convert_platforms(std::string_view text, const Options& options,
                                          const std::vector<oci::Platform>& platforms,
                                          ImageResolver& resolver, const base::CancelToken& cancel,
                                          Findings& findings);

}  // namespace mullion::frontend
