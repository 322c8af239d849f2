#include "frontend/lint_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "frontend/remote_source.hpp"
#include "frontend/suggest.hpp"
#include "frontend/unicode.hpp"
#include "tree/name.hpp"

namespace mullion::frontend {

namespace {

constexpr std::size_t kMaxSuggestions = 100;  // names compared with a misspelt one

// Build arguments that never become variables: asking for one is no mistake.
constexpr std::array<std::string_view, 2> kNeverVariables{"BUILDKIT_SBOM_SCAN_CONTEXT",
                                                          "BUILDKIT_SBOM_SCAN_STAGE"};

template <std::size_t N>
bool has_word(std::string_view name, const std::array<std::string_view, N>& words) {
    for (;;) {
        const auto end = name.find('_');
        if (std::find(words.begin(), words.end(), name.substr(0, end)) != words.end()) return true;
        if (end == std::string_view::npos) return false;
        name.remove_prefix(end + 1);
    }
}

bool sounds_secret(std::string_view name) {
    constexpr std::array<std::string_view, 10> secret{"apikey", "auth",     "credential", "credentials",
                                                      "key",    "password", "pword",      "passwd",
                                                      "secret", "token"};
    constexpr std::array<std::string_view, 3> harmless{"public", "file", "version"};
    const auto folded = lower(name);
    return has_word(folded, secret) && !has_word(folded, harmless);
}

// The shortest path that says the same (Go's path.Clean): "./a//b/../c" -> "a/c", "/.." -> "/", ".." stays.
std::string cleaned(std::string_view path) {
    const bool rooted = path.starts_with('/');
    std::vector<std::string_view> elements;
    for (const auto element : tree::split(path)) {
        if (element.empty() || element == ".") continue;
        if (element != ".." || (!rooted && (elements.empty() || elements.back() == "..")))
            elements.push_back(element);
        else if (!elements.empty())
            elements.pop_back();
    }
    auto out = fmt::format("{}{}", rooted ? "/" : "", fmt::join(elements, "/"));
    return out.empty() ? "." : out;
}

}  // namespace

void StepLint::begin_stage(tree::Os os, const Environment& environment, const Declarations& declared) {
    os_ = os;
    last_.clear();
    declared_.clear();
    for (const auto& declaration : declared) declared_.insert(tree::fold(os_, declaration.name));
    windows_.begin_stage(os, environment);
}

Linter::Scope StepLint::begin_step(const Instruction& instruction) {
    step_ = &instruction;
    windows_.begin_step(instruction);
    return Linter::Scope(linter_, instruction.comments);
}

void StepLint::base_platform(const std::string& name, const oci::Platform& expected,
                             const oci::Platform& actual, const base::SourceRange& range) {
    if (expected.os == actual.os && expected.architecture == actual.architecture) return;
    linter_.report(
        rules::InvalidBaseImagePlatform, range,
        fmt::format("Base image {} was pulled with platform {}, expected {} for current build", name,
                    quote(actual.normalized().string()), quote(expected.normalized().string())));
}

void StepLint::expanded(const VariableUse& use, const Environment& environment) {
    if (use.unset.empty() || !linter_.wants(rules::UndefinedVar)) return;
    std::vector<std::string_view> known;
    for (const auto& [name, value] : environment.entries()) {
        if (known.size() == kMaxSuggestions) break;
        known.emplace_back(name);
    }
    for (const auto& name : use.unset) {
        if (declared_.contains(tree::fold(os_, name))) continue;
        if (std::find(kNeverVariables.begin(), kNeverVariables.end(), name) != kNeverVariables.end())
            continue;
        auto suggestion = did_you_mean(name, known);
        if (const auto place = suggestion.find("mean "); place != std::string::npos)
            suggestion.insert(place + std::string_view("mean ").size(), "$");
        linter_.report(rules::UndefinedVar, step_->range,
                       fmt::format("Usage of undefined variable '${}'{}", name, suggestion));
    }
}

void StepLint::arg(const std::string& name) {
    if (sounds_secret(name))
        linter_.report(
            rules::SecretsUsedInArgOrEnv, step_->range,
            fmt::format("Do not use ARG or ENV instructions for sensitive data (ARG {})", quote(name)));
    windows_.variable(name);
    declared_.insert(tree::fold(os_, name));
}

void StepLint::env(const EnvInstruction& written, const std::vector<KeyValue>& variables,
                   const Environment& environment, WindowsLint::EnvContext context) {
    if (written.legacy)
        linter_.report(
            rules::LegacyKeyValueFormat, step_->range,
            fmt::format("\"{0} key=value\" should be used instead of legacy \"{0} key value\" format",
                        step_->name));
    for (std::size_t i = 0; i < variables.size(); ++i) {
        const auto& [name, value] = variables[i];
        if (sounds_secret(name))
            linter_.report(
                rules::SecretsUsedInArgOrEnv, step_->range,
                fmt::format("Do not use ARG or ENV instructions for sensitive data (ENV {})", quote(name)));
        windows_.variable(name);
        windows_.path_variable(name, written.variables[i].value, value, environment, context);
    }
}

void StepLint::label(const LabelInstruction& label) {
    if (label.legacy)
        linter_.report(
            rules::LegacyKeyValueFormat, step_->range,
            fmt::format("\"{0} key=value\" should be used instead of legacy \"{0} key value\" format",
                        step_->name));
}

void StepLint::command(const CommandLine& command, bool has_shell) {
    if (command.shell_form && !has_shell)
        linter_.report(
            rules::JSONArgsRecommended, step_->range,
            fmt::format("JSON arguments recommended for {} to prevent unintended behavior related to OS "
                        "signals",
                        step_->name));
}

void StepLint::only_last_counts(std::string_view keyword) {
    const auto [place, first] = last_.try_emplace(keyword, step_->range);
    if (first) return;
    linter_.report(
        rules::MultipleInstructionsDisallowed, place->second,
        fmt::format("Multiple {} instructions should not be used in the same stage because only the last "
                    "one will be used",
                    step_->name));
    place->second = step_->range;
}

void StepLint::expose(std::string_view port) {
    const auto colon = port.rfind(':');
    const auto protocol = port.find('/', colon == std::string_view::npos ? 0 : colon);
    if (protocol != std::string_view::npos && lower(port.substr(protocol)) != port.substr(protocol))
        linter_.report(rules::ExposeProtoCasing, step_->range,
                       fmt::format("Defined protocol '{}' in EXPOSE instruction should be lowercase", port));
    if (colon != std::string_view::npos && colon > 0)
        linter_.report(
            rules::ExposeInvalidFormat, step_->range,
            fmt::format("EXPOSE instruction should not define an IP address or host-port mapping, found "
                        "'{}'",
                        port));
}

void StepLint::workdir(const std::string& path, bool first) {
    if (first && !tree::is_absolute(os_, path))
        linter_.report(
            rules::WorkdirRelativePath, step_->range,
            fmt::format("Relative workdir {} can have unexpected results if the base image changes",
                        quote(path)));
}

void StepLint::copy(const CopyInstruction& copy, const std::string& destination, bool into_directory,
                    const std::string& user) {
    if (copy.from.empty()) {
        for (const auto& source : copy.sources)
            if (!is_git_source(source) && !is_url_source(source)) lint_ignored(copy, source);
    }
    windows_.copy(copy, destination, into_directory, user);
}

void StepLint::lint_ignored(const CopyInstruction& copy, const std::string& source) {
    if (!linter_.wants(rules::CopyIgnoredFile)) return;
    const auto& patterns = ignore_patterns().normalised();
    // What a "!" lets back in cannot be told without the files.
    const auto negated = [](const std::string& pattern) { return pattern.starts_with('!'); };
    if (patterns.empty() || std::any_of(patterns.begin(), patterns.end(), negated)) return;
    auto path = source;
    if (os_ == tree::Os::Windows) std::replace(path.begin(), path.end(), '\\', '/');
    path = cleaned(path);
    const bool is_root = path == "." || path == "/";
    const auto everything = [](const std::string& p) { return p == "*" || p == "**" || p == "**/*"; };
    if (is_root ? !std::any_of(patterns.begin(), patterns.end(), everything)
                : !ignore_patterns().ignored(path))
        return;
    linter_.report(rules::CopyIgnoredFile, step_->range,
                   fmt::format("Attempting to {} file {} that is excluded by .dockerignore",
                               copy.is_add ? "Add" : "Copy", quote(path)));
}

const tree::IgnorePatterns& StepLint::ignore_patterns() {
    if (!ignore_) {
        const auto lines = options_.ignore_patterns.find("context");
        ignore_ = lines == options_.ignore_patterns.end() ? tree::IgnorePatterns()
                                                          : tree::IgnorePatterns::from_lines(lines->second);
    }
    return *ignore_;
}

}  // namespace mullion::frontend
