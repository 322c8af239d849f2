// COPY, ADD and WORKDIR: file operations (dockerfile.md §8, §10, §11).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "frontend/expand.hpp"
#include "frontend/file_mode.hpp"
#include "frontend/lower.hpp"
#include "frontend/unicode.hpp"
#include "tree/name.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

std::optional<solver::Ownership> ownership(const std::string& chown) {
    if (chown.empty()) return std::nullopt;
    const auto colon = chown.find(':');
    if (colon == std::string::npos) return solver::Ownership{chown, {}};
    return solver::Ownership{chown.substr(0, colon), chown.substr(colon + 1)};
}

std::optional<std::string> mode(const std::string& chmod) {
    return chmod.empty() ? std::nullopt : std::optional(chmod);
}

// Does the written destination say "into this directory"?
bool names_directory(tree::Os os, std::string path) {
    if (os == tree::Os::Windows) {
        std::replace(path.begin(), path.end(), '\\', '/');
        if (path.size() >= 2 && path[1] == ':') path.erase(0, 2);
    }
    return path.empty() || path == "." || path.ends_with('/') || path.ends_with("/.");
}

std::string history_text(const CopyInstruction& copy) {
    std::string out = copy.is_add ? "ADD" : "COPY";
    if (copy.parents) out += " --parents";
    if (!copy.chown.empty()) out += " --chown=" + copy.chown;
    if (!copy.chmod.empty()) out += " --chmod=" + copy.chmod;
    for (const auto& source : copy.sources) out += " " + source;
    for (const auto& content : copy.contents) out += " <<" + content.name;
    return out + " " + copy.destination + " # buildkit";
}

}  // namespace

CopyInstruction StageLowering::expanded(CopyInstruction copy) {
    copy.chown = expand(copy.chown);
    copy.chmod = expand(copy.chmod);
    copy.checksum = expand(copy.checksum);
    for (auto& source : copy.sources) source = expand(source);
    copy.destination = expand(copy.destination);
    for (auto& content : copy.contents) {
        content.body = content_of(content);
        if (content.expand)
            content.body = expand(content.body, {.plain_quotes = true});
        else
            count_text(content.body.size());
    }
    return copy;
}

// One source, relative to the root of what it is copied from. --parents keeps its directories; "/./" marks
// where keeping starts.
std::string StageLowering::copy_source(const CopyInstruction& copy, std::string source) const {
    const bool windows = state_.platform.is_windows();
    if (windows) std::replace(source.begin(), source.end(), '\\', '/');
    const auto normal = [&](std::string_view path) {
        if (!windows) return tree::normalise(state_.os(), path);
        return base::with_context([] { return std::string("removing drive letter"); },
                                  [&] { return tree::normalise(state_.os(), path); });
    };
    const auto pivot = copy.parents ? source.find("/./") : std::string::npos;
    if (pivot == std::string::npos) return normal(source);
    const auto start = normal(std::string_view(source).substr(0, pivot));
    const auto kept = normal(std::string_view(source).substr(pivot + 3));
    return start.empty() ? kept : start + "/./" + kept;
}

// A heredoc's name as a file name: a path's last element.
std::string StageLowering::heredoc_file_name(const std::string& name) const {
    const auto path = tree::normalise(state_.os(), name);
    if (path.empty())
        throw fail(ErrorCode::Invalid, "heredoc name {} is no file name", quote(name)).about(name);
    return std::string(tree::base_name(path));
}

solver::Edge StageLowering::copy_input(const CopyInstruction& copy) {
    if (step_->sources.empty()) return local_directory(lowering_, "context", state_.platform);
    const auto& source = states_[step_->sources[0]->index];
    if (!source.lowered)
        throw fail(ErrorCode::Invalid,
                   "cannot copy from stage {}, it needs to be defined before current stage {}",
                   quote(copy.from), quote(node_.title))
            .about(copy.from);
    return source.root;
}

void StageLowering::lower(const CopyInstruction& written) {
    const auto copy = expanded(written);
    const auto title = step_title();
    // Several sources can only go into a directory, even if the slash is missing.
    const bool into_directory =
        names_directory(state_.os(), copy.destination) || copy.sources.size() + copy.contents.size() > 1;
    const auto destination =
        copy.destination.empty() ? state_.working_directory : tree_path(copy.destination);
    if (!copy.chmod.empty()) check_file_mode(copy.chmod);
    lowering_.lint.copy(copy, destination, into_directory, state_.image.config.user);
    solver::FileOperation operation;
    operation.independent = copy.link && copy.chmod.empty();
    if (copy.link && !operation.independent)
        lowering_.linter.note(step_->instruction.range, "--link has no effect where --chmod is given");
    operation.uniform_parents = lowering_.options.uniform_parents;
    operation.epoch_ticks = state_.file_time.ticks;
    std::vector<solver::Edge> inputs;
    for (auto& group : source_groups(copy)) {
        inputs.push_back(group.input);
        solver::CopyAction action;
        action.input = inputs.size();
        action.sources = std::move(group.sources);
        action.destination = destination;
        action.destination_is_directory = into_directory;
        action.owner = ownership(copy.chown);
        action.mode = mode(copy.chmod);
        action.keep_parents = copy.parents;
        action.exclude = copy.exclude;
        action.unpack_archives = group.unpack;
        action.unpack_zip = group.unpack && copy.unpack.value_or(false);
        operation.actions.emplace_back(std::move(action));
    }
    for (const auto& content : copy.contents)
        operation.actions.emplace_back(solver::WriteFileAction{destination, into_directory,
                                                               heredoc_file_name(content.name), content.body,
                                                               ownership(copy.chown), mode(copy.chmod)});
    if (operation.independent) {
        add_independent_layer(std::move(operation), std::move(inputs), title);
    } else {
        add_layer(std::move(operation), std::move(inputs), step_options(title, true));
    }
    add_history(history_text(copy), true);
}

// --link: a vertex that knows neither the base nor its version and time, and one that puts its layer in
// place.
void StageLowering::add_independent_layer(solver::FileOperation operation, std::vector<solver::Edge> inputs,
                                          const std::string& title) {
    operation.epoch_ticks.reset();
    operation.uniform_parents = false;
    auto platform = state_.platform;
    platform.os_version.clear();
    platform.os_features.clear();
    inputs.insert(inputs.begin(), empty_root(platform));
    const auto options = step_options(title, true);
    auto merge_options = options;
    merge_options.name.insert(merge_options.name.size() - title.size(), "LINK ");
    const solver::Edge layer{make_vertex(platform, std::move(operation), std::move(inputs), options), 0};
    add_layer(solver::MergeOperation{}, {layer}, std::move(merge_options));
}

void StageLowering::lower(const WorkdirInstruction& workdir) {
    const auto title = step_title();
    const auto path = expand(workdir.path);
    lowering_.lint.workdir(path, !std::exchange(state_.has_workdir, true));
    state_.working_directory = path.empty() ? state_.working_directory : tree_path(path);
    lowering_.lint.windows().workdir(state_.working_directory);
    const auto shown = "/" + state_.working_directory;
    auto& config = state_.image.config;
    config.working_dir = shown;
    if (state_.platform.is_windows())
        std::replace(config.working_dir.begin(), config.working_dir.end(), '/', '\\');
    const bool layer = !state_.working_directory.empty();
    if (layer) {
        solver::FileOperation operation;
        operation.uniform_parents = lowering_.options.uniform_parents;
        operation.epoch_ticks = state_.epoch.ticks;
        operation.actions.emplace_back(
            solver::MakeDirectoryAction{state_.working_directory, ownership(config.user)});
        add_layer(std::move(operation), {}, step_options(title, false));
    }
    add_history("WORKDIR " + shown, layer);
}

}  // namespace mullion::frontend
