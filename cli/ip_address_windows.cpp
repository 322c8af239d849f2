#include <ws2tcpip.h>

#include "cli/ip_address.hpp"

namespace mullion::cli {

bool is_ip_address(const std::string& text) {
    unsigned char address[16];
    return ::inet_pton(AF_INET, text.c_str(), address) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), address) == 1;
}

}  // namespace mullion::cli
