// Blobs on their way, as displays show them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/progress.hpp"

namespace mullion::cli {

// "pushing sha256:0123456789...": digests in what is shown, cut to what tells blobs apart.
std::string short_digests(std::string_view shown);

// How what is completed ended, in a word: what the status says, else "done", or "stopped" if bytes are
// missing.
std::string ending(const base::StatusEvent& status);

// "sha256:01234567  [####      ]  12.30MB / 30.00MB  9.80MB/s" after `seconds`, "sha256:01234567  done" at
// the end. The bar is left out where it does not fit into `columns`.
std::string transfer_text(const base::StatusEvent& status, double seconds, std::size_t columns);

}  // namespace mullion::cli
