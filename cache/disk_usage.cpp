#include "cache/disk_usage.hpp"

namespace mullion::cache {

namespace fs = std::filesystem;

std::uint64_t bytes_below(const fs::path& path) {
    std::error_code code;
    if (!fs::is_directory(fs::symlink_status(path, code))) {
        std::uint64_t size = fs::file_size(path, code);
        return code ? 0 : size;
    }
    std::uint64_t bytes = 0;
    fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, code), end;
    for (; !code && at != end; at.increment(code)) {
        std::error_code vanished;
        if (at->symlink_status(vanished).type() != fs::file_type::regular) continue;
        std::uint64_t size = at->file_size(vanished);
        if (!vanished) bytes += size;
    }
    return bytes;
}

}  // namespace mullion::cache
