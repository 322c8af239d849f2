#include "frontend/convert.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "frontend/lint_file.hpp"
#include "frontend/lower.hpp"
#include "frontend/unicode.hpp"
#include "oci/reference.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

template <typename Body>
void located(const base::SourceRange& range, Body&& body) {
    try {
        body();
    } catch (base::Error& error) {
        error.at(range);
        throw;
    }
}

// Images are looked up only where the target needs them, but a base must look like an image everywhere.
void check_base_name(const StageNode& node) {
    if (node.base != nullptr || node.named_context || node.base_name == "scratch") return;
    base::with_context([&] { return fmt::format("failed to parse stage name {}", quote(node.base_name)); },
                       [&] { oci::Reference::parse(node.base_name); });
}

std::vector<bool> needed(const Lowering& lowering, const StageGraph& graph) {
    if (lowering.options.every_stage) return std::vector<bool>(graph.nodes().size(), true);
    return graph.reachable();
}

// The triggers that the stage's base leaves to it: of an image, of a stage, or of the image that replaced
// one.
std::vector<std::string> take_triggers(const StageNode& node, std::vector<StageState>& states) {
    if (node.external || node.named_context) return {};
    if (node.base == nullptr) return std::exchange(states[node.index].image.config.on_build, {});
    if (node.base->named_context) return states[node.base->index].image.config.on_build;
    std::vector<std::string> triggers;
    for (const auto& step : node.base->steps)
        if (const auto* onbuild = std::get_if<OnbuildInstruction>(&step.instruction.body))
            triggers.push_back(onbuild->trigger);
    return triggers;
}

// Bases first, then their triggers, which may need further bases.
void resolve_stages(Lowering& lowering, StageGraph& graph, std::vector<StageState>& states) {
    for (bool again = true; again;) {
        again = false;
        const auto reachable = needed(lowering, graph);
        for (std::size_t i = 0; i < reachable.size(); ++i) {
            auto& node = *graph.nodes()[i];
            if (states[i].resolved) continue;
            located(node.range, [&] {
                check_base_name(node);
                if (!reachable[i]) return;
                if (node.base == nullptr) start_from_base(lowering, node, states[i]);
                states[i].resolved = true;
                again |= graph.add_triggers(node, take_triggers(node, states));
                if (node.base == nullptr) root_from_image(lowering, node, states[i]);
                if (node.external || node.named_context) states[i].lowered = true;
            });
        }
        states.resize(graph.nodes().size());
    }
}

void lower_stages(Lowering& lowering, const StageGraph& graph, std::vector<StageState>& states) {
    const auto reachable = needed(lowering, graph);
    for (const auto& node : graph.nodes()) {
        auto& state = states[node->index];
        if (!reachable[node->index] || state.lowered) continue;
        if (node->base != nullptr)
            located(node->range, [&] { start_from_stage(lowering, states[node->base->index], state); });
        StageLowering(lowering, *node, states).run();
    }
}

// One that names only the build ("10.0.20348") takes the base's revision.
std::string whole_os_version(const std::string& wanted, const std::string& found) {
    const bool names_build_only = found.size() > wanted.size() && found.starts_with(wanted + ".");
    return names_build_only ? found : wanted;
}

// An explicit --platform decides; what it leaves out stays as the base has it.
void apply_platform(oci::Platform& platform, const oci::Platform& wanted) {
    const bool same = platform.os == wanted.os && platform.architecture == wanted.architecture;
    platform.os = wanted.os;
    platform.architecture = wanted.architecture;
    if (!wanted.variant.empty() || !same) platform.variant = wanted.variant;
    if (!wanted.os_version.empty() || !same)
        platform.os_version = whole_os_version(wanted.os_version, platform.os_version);
    if (!wanted.os_features.empty() || !same) platform.os_features = wanted.os_features;
}

const StageNode& root_of(const StageNode& stage) {
    const StageNode* node = &stage;
    while (node->base != nullptr) node = node->base;
    return *node;
}

// Other files may have the stage, so this is no error.
void warn_of_unknown_stages(Lowering& lowering, const StageGraph& graph) {
    if (!lowering.options.no_cache) return;
    for (const auto& name : *lowering.options.no_cache) {
        const auto& nodes = graph.nodes();
        const bool known = std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) {
            return !node->external && equal_ignoring_case(node->stage_name, name);
        });
        if (!known)
            lowering.linter.note(
                graph.target().range,
                fmt::format("no stage is named {}: nothing of it runs without the cache", quote(name)));
    }
}

// As in the reference, these have no effect; here they are not passed over in silence.
void note_ignored_flags(const Dockerfile& dockerfile, Linter& linter) {
    for (const auto& node : dockerfile.instructions) {
        const bool none = node.keyword == Keyword::Healthcheck && !node.arguments.empty() &&
                          equal_ignoring_case(node.arguments[0], "NONE");
        const bool ignores = none || node.keyword == Keyword::Arg || node.keyword == Keyword::StopSignal;
        if (ignores && !node.flags.empty())
            linter.note(node.range, fmt::format("{} takes no flags: {} has no effect", upper_ascii(node.name),
                                                node.flags.front()));
    }
}

void note_unused_platforms(Lowering& lowering, const StageGraph& graph) {
    for (const auto& node : graph.nodes())
        if (node->base != nullptr && node->platform)
            lowering.linter.note(
                node->range, fmt::format("--platform={} has no effect: {} is a stage and has its platform",
                                         node->platform->string(), quote(node->base_name)));
}

Conversion finish(Lowering& lowering, StageState& state) {
    Conversion out;
    out.target = state.root;
    out.layers = std::move(state.layers);
    out.config = std::move(state.image);
    out.base = std::move(state.base_image);
    out.epoch = state.epoch;
    out.source_date_epoch = lowering.epoch;
    out.file_time = state.file_time;
    out.config.created.reset();
    for (const auto& [name, value] : lowering.options.labels) out.config.config.labels[name] = value;
    if (lowering.options.platform) apply_platform(out.config.platform, *lowering.options.platform);
    out.used_build_args = lowering.arguments.used();
    return out;
}

LintOptions lint_options(std::string_view text, const Options& options, BuildArguments& arguments) {
    const auto* given = arguments.use("BUILDKIT_DOCKERFILE_CHECK");
    return given != nullptr ? LintOptions::parse(*given) : LintOptions::from_directive(text, options.file);
}

BuildFile read(std::string_view text, const Options& options, const oci::Platform& target, Linter& linter) {
    const auto dockerfile = parse(text, options.file);
    lint_syntax(text, dockerfile, target, linter);
    note_ignored_flags(dockerfile, linter);
    auto file = group_stages(dockerfile);
    lint_stages(file, linter);
    return file;
}

std::optional<base::FileTime> epoch_of(const Options& options, const Environment& globals,
                                       BuildArguments& arguments, const BuildFile& file) {
    try {
        return source_date_epoch(options, globals, arguments, file);
    } catch (const base::Error& error) {
        if (!options.lint_only || error.code() != ErrorCode::Unsupported) throw;
        return std::nullopt;
    }
}

Conversion convert(std::string_view text, const Options& options, ImageResolver& resolver,
                   const base::CancelToken& cancel, BuildArguments& arguments, Linter& linter,
                   Outline& outline) {
    const auto target_platform = options.platform.value_or(options.build_platform);
    const auto file = read(text, options, target_platform, linter);
    const NamedContexts contexts(options.named_contexts);
    GlobalArguments global_arguments;
    const auto globals = global_scope(file, options, target_platform, arguments, &global_arguments);
    lint_from(file, globals, default_scope(file, options, target_platform), linter);
    StepLint lint(linter, options);
    OutlineRecorder recorder(file, globals, std::move(global_arguments));
    Lowering lowering{.options = options,
                      .contexts = contexts,
                      .globals = globals,
                      .arguments = arguments,
                      .resolver = resolver,
                      .linter = linter,
                      .lint = lint,
                      .outline = recorder,
                      .cancel = cancel,
                      .target_platform = target_platform,
                      .epoch = epoch_of(options, globals, arguments, file),
                      .escape = file.directives.escape};
    StageGraph graph(file, options, globals, contexts, lowering.target_platform);
    warn_of_unknown_stages(lowering, graph);
    note_unused_platforms(lowering, graph);
    lowering.target_root = &root_of(graph.target());
    std::vector<StageState> states(graph.nodes().size());
    resolve_stages(lowering, graph, states);
    lower_stages(lowering, graph, states);
    outline = recorder.finish(graph, file);
    linter.fail_if_asked();
    return finish(lowering, states[graph.target().index]);
}

}  // namespace

Conversion convert(std::string_view text, const Options& options, ImageResolver& resolver,
                   const base::CancelToken& cancel, Findings& findings) {
    if (text.empty()) throw fail(ErrorCode::Invalid, "the Dockerfile cannot be empty");
    BuildArguments arguments(options.build_args);
    // Heeded where the build is set up (multi_platform.cpp, lower_remote.cpp).
    for (const auto* name : {"BUILDKIT_MULTI_PLATFORM", "BUILDKIT_CONTEXT_KEEP_GIT_DIR"}) arguments.use(name);
    Linter linter(lint_options(text, options, arguments), options.windows_rules);
    try {
        auto out = convert(text, options, resolver, cancel, arguments, linter, findings.outline);
        out.warnings = findings.warnings = linter.warnings();
        return out;
    } catch (const base::Error&) {
        findings.warnings = linter.warnings();
        throw;
    }
}

Conversion convert(std::string_view text, const Options& options, ImageResolver& resolver,
                   const base::CancelToken& cancel) {
    Findings findings;
    return convert(text, options, resolver, cancel, findings);
}

IgnoreFileNames ignore_file_names(std::string_view dockerfile_name) {
    return {std::string(dockerfile_name) + ".dockerignore", ".dockerignore"};
}

}  // namespace mullion::frontend
