#include "cli/transfer_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/byte_text.hpp"
#include "cli/display_text.hpp"

namespace mullion::cli {
namespace {

constexpr std::int64_t kBarWidth = 10;
constexpr std::string_view kAlgorithm = "sha256:";
constexpr std::size_t kShortHex = 8;

// Full when all has come, not before.
std::string bar(std::int64_t current, std::int64_t total) {
    const double part = static_cast<double>(current) / static_cast<double>(total);
    const auto filled = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * kBarWidth);
    return fmt::format("[{:<{}}]", std::string(filled, '#'), kBarWidth);
}

}  // namespace

std::string short_digests(std::string_view shown) {
    std::string text;
    while (true) {
        const std::size_t digest = shown.find(kAlgorithm);
        if (digest == std::string_view::npos) return text += shown;
        const std::size_t hex = digest + kAlgorithm.size();
        const std::size_t end = std::min(shown.find_first_not_of("0123456789abcdef", hex), shown.size());
        text += shown.substr(0, std::min(end, hex + kShortHex));
        shown.remove_prefix(end);
    }
}

std::string ending(const base::StatusEvent& status) {
    if (!status.name.empty()) return shown_line(status.name);
    return status.current < status.total ? "stopped" : "done";
}

std::string transfer_text(const base::StatusEvent& status, double seconds, std::size_t columns) {
    const std::string id = short_digests(shown_line(status.id));
    if (status.completed) return id + "  " + ending(status);
    if (status.total == 0) return status.current == 0 ? id : id + "  " + shown_bytes(status.current);
    std::string bytes = fmt::format("  {} / {}", shown_bytes(status.current), shown_bytes(status.total));
    if (std::string rate = shown_rate(status.current, seconds); !rate.empty()) bytes += " " + rate;
    std::string with_bar = id + "  " + bar(status.current, status.total) + bytes;
    return display_width(with_bar) <= columns ? with_bar : id + bytes;
}

}  // namespace mullion::cli
