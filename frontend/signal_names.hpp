// STOPSIGNAL's values: Linux signal names, whatever the image's OS (dockerfile.md §11).
#pragma once

#include <string_view>

namespace mullion::frontend {

// A non-zero number, or a known name with or without "SIG", in any case.
bool is_signal(std::string_view text);

}  // namespace mullion::frontend
