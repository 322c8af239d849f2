#include "frontend/source_epoch.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "frontend/lower.hpp"
#include "frontend/named_contexts.hpp"
#include "frontend/remote_context.hpp"
#include "frontend/remote_source.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

const Stage* find_stage(const std::string& name, const BuildFile& file) {
    const Stage* found = nullptr;
    for (const auto& stage : file.stages)
        if (!name.empty() && stage.from.stage_name == lower(name)) found = &stage;
    return found;
}

solver::Edge only_remote_add(const Stage& stage, const oci::Platform& platform) {
    const auto* copy =
        stage.instructions.size() == 1 ? std::get_if<CopyInstruction>(&stage.instructions[0].body) : nullptr;
    const bool remote = copy != nullptr && copy->is_add && copy->sources.size() == 1 &&
                        copy->contents.empty() &&
                        (is_git_source(copy->sources[0]) || is_url_source(copy->sources[0]));
    if (stage.from.base != "scratch" || !remote)
        throw fail(
            ErrorCode::Invalid,
            "SOURCE_DATE_EPOCH={}: a stage that gives the time is FROM scratch with one ADD of one URL "
            "or git repository",
            stage.from.stage_name);
    if (copy->sources[0].find('$') != std::string::npos)
        throw fail(ErrorCode::Unsupported,
                   "SOURCE_DATE_EPOCH={}: variables in that stage's ADD cannot be expanded",
                   stage.from.stage_name);
    const auto& source = copy->sources[0];
    return is_git_source(source) ? add_git(*copy, source, platform, stage.range)
                                 : add_http(*copy, source, platform, stage.range);
}

}  // namespace

bool names_source(const std::string& name, const Options& options, const BuildFile& file) {
    return name == "context" || find_stage(name, file) != nullptr ||
           std::any_of(options.named_contexts.begin(), options.named_contexts.end(),
                       [&](const auto& context) { return context.first == name; });
}

std::optional<base::FileTime> source_epoch(const std::string& name, const Options& options,
                                           const BuildFile& file) {
    const auto platform = options.platform.value_or(options.build_platform);
    const auto time_of = [&](const solver::Edge& source) {
        return options.source_time ? options.source_time(source) : std::nullopt;
    };
    if (name == "context")
        return time_of(options.remote_context ? remote_context(options, platform)
                                              : context_directory(options, "context", platform));
    if (const auto context = NamedContexts(options.named_contexts).find(name, platform)) {
        const bool remote =
            context->kind == NamedContext::Kind::Git || context->kind == NamedContext::Kind::Http;
        return remote ? time_of(named_remote_context(*context, name, platform)) : std::nullopt;
    }
    const auto* stage = find_stage(name, file);
    return stage == nullptr ? std::nullopt : time_of(only_remote_add(*stage, platform));
}

}  // namespace mullion::frontend
