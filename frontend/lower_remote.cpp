// Files that come from elsewhere: ADD of URLs and git repositories, contexts on servers (dockerfile.md §10,
// §18).
#include <fmt/format.h>

#include <algorithm>

#include "base/checksum.hpp"
#include "base/error.hpp"
#include "frontend/git_url.hpp"
#include "frontend/lower.hpp"
#include "frontend/remote_context.hpp"
#include "frontend/remote_source.hpp"
#include "frontend/unicode.hpp"
#include "oci/http_url.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kUnnamed = "__unnamed__";

// A name as a pattern that matches only it.
std::string literal(std::string_view name) {
    std::string pattern;
    for (const char c : name) {
        if (std::string_view("*?[\\").find(c) != std::string_view::npos) pattern += '\\';
        pattern += c;
    }
    return pattern;
}

std::string file_name(std::string_view url) {
    auto name = oci::url_file_name(url);
    return name.empty() || name == "." || name == ".." ? std::string(kUnnamed) : name;
}

// Files do not depend on an OS version.
oci::Platform without_version(oci::Platform platform) {
    platform.os_version.clear();
    platform.os_features.clear();
    return platform;
}

solver::Edge source_vertex(const oci::Platform& platform, solver::Operation source, std::string title,
                           std::optional<base::SourceRange> range) {
    return {make_vertex(without_version(platform), std::move(source), {}, {std::move(title), false, range}),
            0};
}

bool keeps_git_directory(const Options& options) {
    for (auto argument = options.build_args.rbegin(); argument != options.build_args.rend(); ++argument) {
        if (argument->first != "BUILDKIT_CONTEXT_KEEP_GIT_DIR") continue;
        for (const auto* yes : {"1", "t", "T", "true", "TRUE", "True"})
            if (argument->second == yes) return true;
        return false;
    }
    return false;
}

template <typename T>
void agree(std::optional<T>& url, const std::optional<T>& flag, std::string_view what) {
    if (url && flag && *url != *flag)
        throw fail(ErrorCode::Invalid, "{} of the URL and of the instruction differ", what).about(what);
    if (flag) url = flag;
}

void check_checksum(const CopyInstruction& copy) {
    if (copy.checksum.empty()) return;
    if (copy.sources.size() != 1)
        throw fail(ErrorCode::Invalid, "checksum can't be specified for multiple sources")
            .about("--checksum");
    if (is_git_source(copy.sources[0])) return;
    if (!is_url_source(copy.sources[0]))
        throw fail(ErrorCode::Invalid, "checksum requires HTTP(S) or Git sources").about("--checksum");
    base::Checksum::parse(copy.checksum);
}

void check_remote_flags(const CopyInstruction& copy) {
    check_checksum(copy);
    const bool git = std::any_of(copy.sources.begin(), copy.sources.end(), is_git_source);
    if (copy.keep_git_dir.value_or(false) && !git)
        throw fail(ErrorCode::Invalid, "--keep-git-dir requires a Git source").about("--keep-git-dir");
    if (copy.is_add) return;
    for (const auto& source : copy.sources)
        if (is_git_source(source) || is_url_source(source))
            throw fail(ErrorCode::Invalid, "source can't be a {} for COPY",
                       is_git_source(source) ? "git ref" : "URL")
                .about(source);
}

}  // namespace

solver::Edge git_files(const oci::Platform& platform, solver::GitSource source, const std::string& shown,
                       std::optional<base::SourceRange> range) {
    return source_vertex(platform, std::move(source), "[internal] load git source " + shown, range);
}

solver::Edge add_git(const CopyInstruction& copy, const std::string& source, const oci::Platform& platform,
                     std::optional<base::SourceRange> range) {
    auto url = GitUrl::parse(source);
    std::optional<std::string> checksum = url.checksum.empty() ? std::nullopt : std::optional(url.checksum);
    agree(checksum, copy.checksum.empty() ? std::nullopt : std::optional(copy.checksum), "--checksum");
    agree(url.keep_git_directory, copy.keep_git_dir, "--keep-git-dir");
    url.checksum = checksum.value_or("");
    return git_files(platform, url.source(), oci::redacted_url(source), range);
}

solver::Edge add_http(const CopyInstruction& copy, const std::string& source, const oci::Platform& platform,
                      std::optional<base::SourceRange> range) {
    return source_vertex(platform, solver::HttpSource{source, file_name(source), copy.checksum},
                         "[internal] load " + oci::redacted_url(source), range);
}

std::vector<StageLowering::SourceGroup> StageLowering::source_groups(const CopyInstruction& copy) {
    std::vector<SourceGroup> groups;
    const auto local = copy.sources.empty() ? solver::Edge{} : copy_input(copy);
    check_remote_flags(copy);
    const auto& range = step_->instruction.range;
    for (const auto& source : copy.sources) {
        if (is_git_source(source)) {
            groups.push_back({add_git(copy, source, state_.platform, range), {""}, false, true});
            if (copy.keep_git_dir.value_or(false) && !GitUrl::parse(source).subdirectory.empty())
                lowering_.linter.note(
                    range, "--keep-git-dir keeps nothing here: a subdirectory of a repository has no .git");
        } else if (is_url_source(source)) {
            groups.push_back({add_http(copy, source, state_.platform, range),
                              {literal(file_name(source))},
                              copy.unpack.value_or(false),
                              true});
        } else {
            // Neighbours of one place are one copy.
            if (groups.empty() || groups.back().remote)
                groups.push_back({local, {}, copy.is_add && copy.unpack.value_or(true), false});
            groups.back().sources.push_back(copy_source(copy, source));
        }
    }
    return groups;
}

solver::Edge named_remote_context(const NamedContext& context, const std::string& name,
                                  const oci::Platform& platform) {
    const auto shown = oci::redacted_url(context.value);
    if (context.kind == NamedContext::Kind::Git)
        return source_vertex(platform, GitUrl::parse(context.value).source(),
                             fmt::format("[context {}] load git source {}", name, shown), std::nullopt);
    return source_vertex(platform, solver::HttpSource{context.value, kHttpContextFile, {}},
                         fmt::format("[context {}] {}", name, shown), std::nullopt);
}

solver::Edge client_context(const Options& options, const oci::Platform& platform) {
    return context_directory(options, "context", platform);
}

solver::Edge remote_context(const Options& options, const oci::Platform& platform) {
    const auto& context = *options.remote_context;
    if (context.form == RemoteContext::Form::Git) {
        auto source = GitUrl::parse(context.url).source();
        source.keep_git_directory |= keeps_git_directory(options);
        return git_files(platform, std::move(source), oci::redacted_url(context.url), std::nullopt);
    }
    auto file = source_vertex(platform, solver::HttpSource{context.url, kHttpContextFile, {}},
                              "[internal] load remote build context", std::nullopt);
    if (context.form == RemoteContext::Form::File) return file;
    solver::CopyAction unpack;
    unpack.input = 1;
    unpack.sources = {kHttpContextFile};
    unpack.destination_is_directory = true;
    unpack.unpack_archives = true;
    solver::FileOperation operation;
    operation.actions.emplace_back(std::move(unpack));
    const auto shared = without_version(platform);
    return {make_vertex(shared, std::move(operation), {empty_root(shared), std::move(file)},
                        {"[internal] unpack remote build context", false, std::nullopt}),
            0};
}

}  // namespace mullion::frontend
