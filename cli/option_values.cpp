#include "cli/option_values.hpp"

#include <charconv>
#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "tree/name.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

// Reads digits from the front of `text`; nullopt if there are none or they overflow.
std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

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
    std::size_t separator = rest.find(':');
    if (separator == 0 || separator == std::string::npos) {
        throw fail(ErrorCode::Invalid, "invalid volume \"{}\": expected HOST:C:\\PATH[:ro]", text);
    }
    std::error_code code;
    volume.host_path = std::filesystem::absolute(rest.substr(0, separator), code).string();
    volume.container_path = rest.substr(separator + 1);
    if (!tree::is_absolute(tree::Os::Windows, volume.container_path)) {
        throw fail(ErrorCode::Invalid, "invalid volume \"{}\": {} is not an absolute Windows path", text,
                   volume.container_path);
    }
    bool exists = !code && std::filesystem::exists(volume.host_path, code);
    if (!exists) {
        throw fail(ErrorCode::Invalid, "invalid volume \"{}\": {} {}", text, volume.host_path,
                   code ? "cannot be looked at: " + code.message() : "does not exist");
    }
    return volume;
}

std::uint64_t parse_memory_mb(const std::string& text) {
    constexpr std::uint64_t kMebibyte = 1 << 20;
    std::string_view rest = text;
    auto value = take_number(rest);
    std::uint64_t unit = 0;
    if (rest.empty() || rest == "b") unit = 1;
    if (rest == "k" || rest == "kb") unit = 1 << 10;
    if (rest == "m" || rest == "mb") unit = kMebibyte;
    if (rest == "g" || rest == "gb") unit = 1 << 30;
    if (!value || *value == 0 || unit == 0 || *value > (std::uint64_t{1} << 50) / unit) {
        throw fail(ErrorCode::Invalid, "invalid memory size \"{}\": expected a number with b, k, m or g",
                   text);
    }
    return (*value * unit + kMebibyte - 1) / kMebibyte;
}

std::chrono::seconds parse_duration(const std::string& text) {
    std::string_view rest = text;
    std::chrono::seconds total{0};
    do {
        auto value = take_number(rest);
        std::int64_t unit = 0;
        if (rest.substr(0, 1) == "s") unit = 1;
        if (rest.substr(0, 1) == "m") unit = 60;
        if (rest.substr(0, 1) == "h") unit = 3600;
        if (!value || unit == 0 || *value > 1'000'000) {
            throw fail(ErrorCode::Invalid,
                       "invalid duration \"{}\": expected something like 90s, 5m or 1h30m", text);
        }
        total += std::chrono::seconds(static_cast<std::int64_t>(*value) * unit);
        rest.remove_prefix(1);
    } while (!rest.empty());
    if (total.count() == 0) throw fail(ErrorCode::Invalid, "invalid duration \"{}\": zero", text);
    return total;
}

}  // namespace mullion::cli
