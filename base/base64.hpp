// Base64 with padding (RFC 4648 §4): of PAX records, of registry credentials.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mullion::base {

void append_base64(std::string& out, std::string_view bytes);
// nullopt unless `text` is exactly what append_base64 makes of some bytes.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace mullion::base
