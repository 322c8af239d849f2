#include "base/file.hpp"
#include "cache/boot_id.hpp"

namespace mullion::cache {

std::string boot_id() {
    constexpr std::size_t kMaxSize = 100;
    return base::try_read_file("/proc/sys/kernel/random/boot_id", kMaxSize).value_or("unknown");
}

}  // namespace mullion::cache
