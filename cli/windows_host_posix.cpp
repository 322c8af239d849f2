#include "cli/windows_host.hpp"

namespace mullion::cli {

std::optional<oci::WindowsHost> windows_host() {
    return std::nullopt;
}

}  // namespace mullion::cli
