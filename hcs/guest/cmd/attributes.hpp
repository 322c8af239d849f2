// The attributes that DIR /A and DEL /A ask for.
#pragma once

#include <windows.h>

#include "hcs/guest/cmd/text.hpp"

namespace mullion::cmd {

// Those that must be set and those that must not; without /A neither hidden nor system files count.
struct WantedAttributes {
    DWORD set = 0, clear = FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM;
    bool match(DWORD attributes) const { return (attributes & set) == set && (attributes & clear) == 0; }
};

// What stands behind "/a": ":-d", "rh". nullopt: a letter that Windows does not know.
std::optional<WantedAttributes> parse_attributes(View text);

}  // namespace mullion::cmd
