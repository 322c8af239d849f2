// Base64 with padding (RFC 4648 §4), as PAX records of layers carry binary values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mullion::tree {

void append_base64(std::string& out, std::string_view bytes);
// nullopt unless `text` is exactly what append_base64 makes of some bytes.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace mullion::tree
