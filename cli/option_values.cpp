#include "cli/option_values.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "frontend/byte_size.hpp"
#include "frontend/duration.hpp"
#include "tree/name.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 50;

}  // namespace

worker::Volume parse_volume(const std::string& text) {
    worker::Volume volume;
    std::string rest = text;
    for (const char* mode : {":ro", ":rw"}) {
        if (!rest.ends_with(mode)) continue;
        volume.read_only = std::string_view(mode) == ":ro";
        rest.erase(rest.size() - 3);
        break;
    }
    // The container's path has a drive letter, so its colon is not the separator.
    std::size_t separator = rest.find(':', base::drive_size(rest));
    if (separator == 0 || separator == std::string::npos) {
        throw fail(ErrorCode::Invalid, "invalid volume \"{}\": expected HOST:C:\\PATH[:ro]", text);
    }
    std::error_code code;
    volume.host_path = std::filesystem::absolute(base::to_path(rest.substr(0, separator)), code).string();
    volume.container_path = rest.substr(separator + 1);
    if (!tree::is_absolute(tree::Os::Windows, volume.container_path)) {
        throw fail(ErrorCode::Invalid, "invalid volume \"{}\": {} is not an absolute Windows path", text,
                   volume.container_path);
    }
    bool exists = !code && std::filesystem::exists(base::to_path(volume.host_path), code);
    if (!exists) {
        throw fail(ErrorCode::Invalid, "invalid volume \"{}\": {} {}", text, volume.host_path,
                   code ? "cannot be looked at: " + code.message() : "does not exist");
    }
    return volume;
}

std::uint64_t parse_memory_mb(const std::string& text) {
    constexpr std::uint64_t kMebibyte = 1 << 20;
    auto bytes = frontend::parse_byte_size(text);
    if (!bytes || *bytes == 0 || *bytes > kMostMemory) {
        throw fail(ErrorCode::Invalid, "invalid memory size \"{}\": expected a number with b, k, m or g",
                   text);
    }
    return (*bytes + kMebibyte - 1) / kMebibyte;
}

std::chrono::seconds parse_duration(const std::string& text) {
    std::chrono::nanoseconds duration{0};
    try {
        duration = frontend::parse_duration(text);
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::Invalid) throw;
    }
    if (duration.count() > 0) return std::chrono::ceil<std::chrono::seconds>(duration);
    throw fail(ErrorCode::Invalid, "invalid duration \"{}\": expected something like 90s, 5m or 1h30m", text);
}

}  // namespace mullion::cli
