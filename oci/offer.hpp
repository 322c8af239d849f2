// What an index has, for messages.
#pragma once

#include <string>

#include "oci/manifest.hpp"

namespace mullion::oci {

// "windows(10.0.17763.1)/amd64, linux/arm64": each platform once, in the order of the index, attestations
// left out; of very many the first; "nothing" if there is none.
std::string offered_platforms(const Index& index);

}  // namespace mullion::oci
