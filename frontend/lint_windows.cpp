#include "frontend/lint_windows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/expand.hpp"
#include "frontend/remote_source.hpp"
#include "frontend/shell_text.hpp"
#include "frontend/unicode.hpp"
#include "oci/http_url.hpp"
#include "tree/name.hpp"

namespace mullion::frontend {

namespace {

constexpr std::size_t kMaxFilePath = 259;       // MAX_PATH without the terminating zero
constexpr std::size_t kMaxDirectoryPath = 247;  // room for an 8.3 name must be left
constexpr std::size_t kMaxElement = 255;
constexpr std::size_t kMaxShown = 60;
constexpr std::size_t kMaxRuns = 64 << 10;  // looked through for every COPY
constexpr std::size_t kMaxSpelled = 1024;   // longer paths are reported as such

// As Microsoft's base images spell them.
constexpr std::array<std::string_view, 7> kBasePaths{
    "Windows", "Windows/System32", "Program Files", "Program Files (x86)", "ProgramData",
    "Users",   "Users/Public"};

constexpr std::array<std::string_view, 3> kAdminOnly{"windows", "program files", "program files (x86)"};

bool is_admin_only(std::string_view tree_path) {
    const auto folded = lower(tree_path);
    return std::any_of(kAdminOnly.begin(), kAdminOnly.end(), [&](std::string_view directory) {
        return folded == directory || (folded.starts_with(directory) && folded[directory.size()] == '/');
    });
}

// UTF-16 code units, as Windows counts.
std::size_t windows_length(std::string_view text) {
    std::size_t units = 0;
    for (const char32_t c : decode_all(text)) units += c > 0xFFFF ? 2 : 1;
    return units;
}

std::string shortened(const std::string& path) {
    if (path.size() <= kMaxShown) return path;
    auto end = kMaxShown;
    while (end > 0 && (static_cast<unsigned char>(path[end]) & 0xC0) == 0x80) --end;
    return path.substr(0, end) + "...";
}

// Backslashes are not doubled: these are paths people know.
std::string named(std::string_view text) {
    return fmt::format("\"{}\"", tree::printable(text));
}

std::string_view extension_of(std::string_view path) {
    path = path.substr(path.find_last_of("/\\") + 1);
    path = path.substr(0, path.find_first_of("?#"));
    const auto dot = path.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
}

bool is_package(std::string_view path) {
    const auto extension = lower(extension_of(path));
    for (const auto* known : {"msi", "msix", "msixbundle", "appx", "appxbundle", "msu", "msp"})
        if (extension == known) return true;
    return false;
}

// What a source becomes in a directory; empty for a repository, which is one itself.
std::string source_name(const std::string& source) {
    if (is_git_source(source)) return {};
    if (is_url_source(source)) return oci::url_file_name(source);
    std::string path = source;
    std::replace(path.begin(), path.end(), '\\', '/');
    while (path.ends_with('/')) path.pop_back();
    return path.substr(path.rfind('/') + 1);
}

}  // namespace

void WindowsLint::report(const LintRule& rule, std::string message) {
    linter_.report(rule, step_->range, std::move(message));
}

void WindowsLint::begin_stage(tree::Os os, const Environment& environment) {
    os_ = os;
    runs_.clear();
    variables_.clear();
    paths_.clear();
    if (os_ != tree::Os::Windows) return;
    for (const auto& [name, value] : environment.entries()) variables_[tree::fold(os_, name)] = {name, 0};
    for (const auto path : kBasePaths)
        paths_[tree::fold(os_, path)] = {std::string(tree::base_name(path)), 0};
}

void WindowsLint::variable(const std::string& name) {
    if (os_ != tree::Os::Windows) return;
    const auto [place, added] =
        variables_.try_emplace(tree::fold(os_, name), Spelling{name, step_->range.first_line});
    if (added || place->second.text == name) return;
    report(rules::NamesClashByCase,
           fmt::format("{} and {} are one variable on Windows, but two for other builders", named(name),
                       named(place->second.text)));
}

void WindowsLint::path_variable(const std::string& name, const std::string& written, const std::string& value,
                                const Environment& before, EnvContext context) {
    if (os_ != tree::Os::Windows || upper_ascii(name) != "PATH" || !linter_.wants(rules::PathWiped)) return;
    const auto folded = lower(value);
    if (lower(written).find("%path%") != std::string::npos) {
        report(rules::PathWiped,
               "%PATH% is no variable of a Dockerfile: other builders store it as text. Write ${PATH}");
        return;
    }
    VariableUse use;
    process_word(written, before, {.escape = context.escape, .use = &use});
    const auto is_path = [](const std::string& variable) { return upper_ascii(variable) == "PATH"; };
    if (std::any_of(use.set.begin(), use.set.end(), is_path)) return;
    if (std::any_of(use.unset.begin(), use.unset.end(), is_path)) {
        if (!context.path_known)
            report(
                rules::PathWiped,
                "Neither the base image's configuration nor its registry has a PATH: ${PATH} is empty here, "
                "and C:\\Windows\\System32 is lost");
        return;
    }
    auto slashes = folded;
    std::replace(slashes.begin(), slashes.end(), '/', '\\');
    if (slashes.find("\\windows\\system32") == std::string::npos)
        report(rules::PathWiped,
               "PATH is replaced and no longer names C:\\Windows\\System32: begin with ${PATH}; to keep it");
}

// Each element of a destination as it was spelled first.
void WindowsLint::spelled(std::string_view path) {
    if (path.size() > kMaxSpelled) return;
    for (std::size_t slash = 0; slash != std::string_view::npos;) {
        slash = path.find('/', slash + 1);
        const auto prefix = path.substr(0, slash);
        const auto name = std::string(tree::base_name(prefix));
        const auto [place, added] =
            paths_.try_emplace(tree::fold(os_, prefix), Spelling{name, step_->range.first_line});
        if (added || place->second.text == name) continue;
        const auto where = place->second.line == 0 ? std::string("in base images")
                                                   : fmt::format("in line {}", place->second.line);
        report(rules::NamesClashByCase,
               fmt::format("{} is spelled {} {}: other builders make a second directory or file of it",
                           named(tree::display_path(os_, prefix)), named(place->second.text), where));
        return;
    }
}

void WindowsLint::same_names(const CopyInstruction& copy) {
    std::unordered_map<std::string, std::string> names;
    const auto add = [&](const std::string& name) {
        if (name.empty()) return;
        const auto [place, added] = names.try_emplace(tree::fold(os_, name), name);
        if (added || place->second == name) return;
        report(rules::NamesClashByCase,
               fmt::format("{} and {} become the same file", named(place->second), named(name)));
    };
    for (const auto& source : copy.sources) add(source_name(source));
    for (const auto& content : copy.contents) add(content.name);
}

void WindowsLint::heredoc_line_ends(const Heredoc& heredoc) {
    const auto feeds = std::count(heredoc.body.begin(), heredoc.body.end(), '\n');
    std::ptrdiff_t pairs = 0;
    for (std::size_t at = 0; (at = heredoc.body.find("\r\n", at)) != std::string::npos; ++at) ++pairs;
    if (pairs == 0) return;
    report(rules::HeredocLineEnds,
           fmt::format(
               "Heredoc {} has {} line ends, which become part of the image: a checkout with other settings "
               "builds another one",
               heredoc.name, pairs == feeds ? "CRLF" : "mixed"));
}

void WindowsLint::path_length(const std::string& path, std::size_t limit) {
    const auto shown = tree::display_path(os_, path);
    const auto length = windows_length(shown);
    if (length > limit) {
        report(rules::PathTooLong,
               fmt::format("{} has {} characters: many Windows programs open paths of at most {}",
                           named(shortened(shown)), length, limit));
        return;
    }
    for (const auto element : tree::split(path)) {
        if (windows_length(element) > kMaxElement)
            report(rules::PathTooLong, fmt::format("{} is longer than the {} characters of a file name",
                                                   named(shortened(std::string(element))), kMaxElement));
    }
}

bool WindowsLint::is_administrator(const std::string& user) const {
    if (user.empty()) return true;  // not known
    const auto name = lower(user.substr(user.rfind('\\') + 1));
    for (const auto* known : {"containeradministrator", "administrator", "system", "localsystem", "s-1-5-18"})
        if (name == known) return true;
    return runs_.find(name) != std::string::npos;
}

void WindowsLint::copy(const CopyInstruction& copy, const std::string& destination, bool into_directory,
                       const std::string& user) {
    for (const auto& content : copy.contents) heredoc_line_ends(content);
    if (os_ != tree::Os::Windows) return;
    for (const auto& source : copy.sources) {
        if (copy.is_add && is_package(source))
            report(rules::AddDoesNotInstall,
                   fmt::format(
                       "ADD only copies {}: install it with RUN, best from a bind mount that leaves no copy "
                       "behind",
                       named(source)));
    }
    spelled(destination);
    same_names(copy);
    std::size_t longest = 0;
    std::string name;
    for (const auto& source : copy.sources) {
        auto candidate = source_name(source);
        if (candidate.size() <= longest || candidate == "." || candidate == "..") continue;
        longest = candidate.size();
        name = std::move(candidate);
    }
    path_length(into_directory && !name.empty() ? tree::join(destination, name) : destination, kMaxFilePath);
    if (copy.chown.empty() && is_admin_only(destination) && !is_administrator(user))
        report(rules::AdminOnlyDestination,
               fmt::format(
                   "Only administrators may change {}, but USER is {}: copy elsewhere, or give the files "
                   "away with --chown",
                   named(tree::display_path(os_, destination)), named(user)));
}

void WindowsLint::workdir(const std::string& path) {
    if (os_ != tree::Os::Windows) return;
    if (!path.empty()) spelled(path);
    path_length(path, kMaxDirectoryPath);
}

void WindowsLint::run(const RunInstruction& run, const std::vector<std::string>& arguments,
                      bool becomes_script, const std::string& user) {
    for (const auto& heredoc : run.heredocs)
        if (!becomes_script) heredoc_line_ends(heredoc);
    if (os_ != tree::Os::Windows || arguments.empty()) return;
    const auto program = program_name(arguments[0]);
    const auto text = lower(fmt::format("{}", fmt::join(arguments, " ")));
    installers(text, is_powershell(program));
    admin_only_writes(text, user);
    if (text.find("administrators") != std::string::npos && runs_.size() + text.size() < kMaxRuns)
        runs_ += text + "\n";
}

void WindowsLint::installers(std::string_view text, bool powershell) {
    if (!linter_.wants(rules::InstallerNotAwaited)) return;
    if (text.find("waitforexit") != std::string_view::npos ||
        text.find("wait-process") != std::string_view::npos)
        return;
    for (const auto& command : shell_commands(text)) {
        const auto waiting = unawaited_installer(command, powershell);
        if (waiting.program.empty()) continue;
        report(rules::InstallerNotAwaited,
               fmt::format("RUN does not wait for {}: {}", named(waiting.program), waiting.remedy));
    }
}

void WindowsLint::admin_only_writes(std::string_view text, const std::string& user) {
    if (!linter_.wants(rules::AdminOnlyDestination) || is_administrator(user)) return;
    for (const auto& command : shell_commands(text)) {
        for (const auto& path : written_paths(command)) {
            if (!tree::is_absolute(os_, path) || path.find(':') == std::string::npos ||
                !path.starts_with("c:"))
                continue;
            if (is_admin_only(tree::normalise(os_, path)))
                report(rules::AdminOnlyDestination,
                       fmt::format("Only administrators may write {}, but USER is {}", named(path),
                                   named(user)));
        }
    }
}

}  // namespace mullion::frontend
