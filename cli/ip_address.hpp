// Addresses of the Internet Protocol, as the system reads them.
#pragma once

#include <string>

namespace mullion::cli {

// Version 4 with four parts, or version 6.
bool is_ip_address(const std::string& text);

}  // namespace mullion::cli
