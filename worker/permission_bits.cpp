#include "worker/permission_bits.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"

namespace mullion::worker {

using base::ErrorCode;
using base::fail;

std::optional<std::uint32_t> permission_bits(tree::Os os, const std::optional<std::string>& mode) {
    if (!mode) return {};
    if (os == tree::Os::Windows) {
        throw fail(ErrorCode::Unsupported,
                   "--chmod={} means nothing in a Windows image: its files have security descriptors, not "
                   "permission bits",
                   *mode)
            .hint("leave --chmod out; set access with --chown, or with icacls in a RUN");
    }
    bool symbolic = std::any_of(mode->begin(), mode->end(), [](char c) { return c < '0' || c > '9'; });
    if (symbolic && mode->find_first_of("=+-") != std::string::npos) {
        throw fail(ErrorCode::Unsupported, "--chmod={}: symbolic modes are not built yet", *mode)
            .hint("give the mode in octal");
    }
    std::uint32_t bits = 0;
    auto [end, error] = std::from_chars(mode->data(), mode->data() + mode->size(), bits, 8);
    if (mode->empty() || error != std::errc() || end != mode->data() + mode->size() || bits > 07777) {
        throw fail(ErrorCode::Invalid,
                   "invalid chmod parameter: '{}'. it should be octal string and between 0 and 07777", *mode);
    }
    return bits;
}

}  // namespace mullion::worker
