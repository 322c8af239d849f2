#include <fmt/format.h>

#include "base/error.hpp"
#include "cli/byte_text.hpp"
#include "cli/doctor_checks.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;

// A base image of Windows Server Core is 5 GB unpacked, and a disk that fills up ends a build late.
constexpr std::uintmax_t kEnoughBytes = 20'000'000'000;
constexpr std::uintmax_t kLeastBytes = 1'000'000'000;

Finding state_directory(Context& context) {
    return {Health::Ok, context.state().directory().string(), ""};
}

Finding free_space(Context& context) {
    std::optional<fs::path> directory = usable_state(context);
    if (!directory) return no_usable_state();
    return free_space_finding(fs::space(*directory).available, *directory);
}

}  // namespace

std::optional<fs::path> usable_state(Context& context) {
    try {
        return context.state().directory();
    } catch (const base::Error&) {
        return std::nullopt;  // the check of the state directory tells why
    }
}

Finding no_usable_state() {
    return {Health::Skipped, "the state directory cannot be used", ""};
}

Finding free_space_finding(std::uintmax_t bytes, const fs::path& directory) {
    std::string size = human_size(bytes);
    if (bytes >= kEnoughBytes) return {Health::Ok, size, ""};
    return {bytes < kLeastBytes ? Health::Problem : Health::Warning,
            fmt::format("{}; large base images need {}", size, human_size(kEnoughBytes)),
            fmt::format("make room below {} (mullion cache prune), or choose another place with --state or "
                        "MULLION_STATE",
                        directory.string())};
}

std::vector<Check> state_checks(Context& context) {
    return {{"state-directory", [&context] { return state_directory(context); }},
            {"free-space", [&context] { return free_space(context); }}};
}

}  // namespace mullion::cli
