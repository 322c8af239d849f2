// PATH in ENV of Windows images. Windows images keep their PATH in the registry, not in the configuration,
// and a PATH in the configuration replaces it: "ENV PATH=${PATH};C:\tools" must not wipe it
// (docs/windows.md).
#include <fmt/format.h>

#include "frontend/lower.hpp"
#include "frontend/unicode.hpp"
#include "tree/name.hpp"

namespace mullion::frontend {

namespace {

constexpr std::string_view kPath = "PATH";
constexpr std::string_view kPercentPath = "%path%";  // as cmd spells a variable; any case

// Keeps every character where it is.
std::string lower_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

bool is_path(std::string_view name) {
    return tree::names_equal(tree::Os::Windows, name, kPath);
}

std::size_t find_percent_path(std::string_view text, std::size_t from = 0) {
    return lower_ascii(text).find(kPercentPath, from);
}

std::string replace_percent_path(std::string_view text, std::string_view path) {
    std::string out;
    for (auto at = find_percent_path(text); at != std::string::npos; at = find_percent_path(text)) {
        out += text.substr(0, at);
        out += path;
        text.remove_prefix(at + kPercentPath.size());
    }
    return out += text;
}

// "$PATH" or "${PATH...", in any case, but not "$PATHEXT".
bool has_dollar_path(std::string_view word) {
    const auto text = lower_ascii(word);
    for (auto at = text.find('$'); at != std::string::npos; at = text.find('$', at + 1)) {
        auto name = std::string_view(text).substr(at + 1);
        if (name.starts_with('{')) name.remove_prefix(1);
        if (!name.starts_with("path")) continue;
        name.remove_prefix(kPath.size());
        const bool longer = !name.empty() && (name[0] == '_' || (name[0] >= '0' && name[0] <= '9') ||
                                              (name[0] >= 'a' && name[0] <= 'z'));
        if (!longer) return true;
    }
    return false;
}

}  // namespace

// The PATH of the stage so far: that of the configuration, else the registry's. nullopt if neither is known.
std::optional<std::string> StageLowering::current_path() {
    const auto* known = state_.environment.find(kPath);
    const bool complete = known != nullptr && find_percent_path(*known) == std::string::npos;
    if (complete) return *known;
    std::optional<std::string> machine;
    // By the reference's rules alone there is only the configuration.
    const bool by_reference = lowering_.options.lint_only && !lowering_.options.windows_rules;
    if (state_.base_image && !by_reference)
        machine = lowering_.resolver.machine_path(*state_.base_image, lowering_.cancel);
    if (machine && !machine->empty())
        return known != nullptr ? replace_percent_path(*known, *machine) : *machine;
    if (machine) {
        lowering_.linter.note(
            step_->instruction.range,
            fmt::format("the PATH of {} is not known: neither its configuration nor its registry has one. "
                        "This ENV replaces what Windows would use; write the whole PATH",
                        state_.base_image->reference));
    }
    return known != nullptr ? std::optional(*known) : std::nullopt;
}

StageLowering::EnvValues StageLowering::expanded_variables(const EnvInstruction& env) {
    const auto expand_all = [&] {
        std::vector<KeyValue> out;
        for (const auto& [name, value] : env.variables) out.push_back({expand(name), expand(value)});
        return out;
    };
    if (!state_.platform.is_windows()) return {expand_all()};
    std::optional<std::string> path;
    bool asked = false;
    const auto ask = [&] {
        if (!std::exchange(asked, true)) path = current_path();
    };
    for (const auto& [name, value] : env.variables)
        if (has_dollar_path(name) || has_dollar_path(value)) ask();
    auto before = state_.environment;
    if (path) state_.environment.set(kPath, *path);
    auto variables = expand_all();
    state_.environment = std::move(before);
    for (auto& [name, value] : variables) {
        if (!is_path(name) || find_percent_path(value) == std::string::npos) continue;
        ask();
        if (path) value = replace_percent_path(value, *path);
    }
    return {std::move(variables), path.has_value()};
}

}  // namespace mullion::frontend
