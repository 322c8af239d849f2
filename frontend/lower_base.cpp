// Where a stage begins: scratch, an image, a directory, or another stage.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "frontend/lower.hpp"
#include "frontend/remote_context.hpp"
#include "frontend/unicode.hpp"
#include "oci/history.hpp"
#include "oci/reference.hpp"
#include "tree/name.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kLinuxPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t kMaxCopiedEntries = std::size_t{4} << 20;
// The time of new things when nothing else says: 1980-01-01T00:00:00Z, the first that every archive can hold.
constexpr base::FileTime kDefaultEpoch = base::FileTime::from_seconds(315'532'800);

oci::ImageConfig empty_image(const oci::Platform& platform) {
    oci::ImageConfig image;
    image.platform = platform;
    image.config.working_dir = "/";
    return image;
}

bool has_layers(const oci::ImageConfig& image) {
    return !image.diff_ids.empty() || std::any_of(image.history.begin(), image.history.end(),
                                                  [](const oci::HistoryEntry& e) { return !e.empty_layer; });
}

// What the platform of the stage's operations is: as requested, filled in from the image.
oci::Platform platform_of(const oci::Platform& wanted, const oci::Platform& found) {
    const bool same = wanted.os == found.os && wanted.architecture == found.architecture;
    if (!same) return wanted;
    auto platform = found;
    if (platform.os_version.empty()) platform.os_version = wanted.os_version;
    return platform;
}

ResolvedImage resolve(Lowering& lowering, const StageNode& node, const oci::Platform& platform,
                      const std::optional<NamedContext>& context) {
    const bool layout = context && context->kind == NamedContext::Kind::Layout;
    const auto name = context ? context->value : node.base_name;
    const auto key = (layout ? "layout " : "image ") + name + " " + platform.string();
    if (const auto known = lowering.resolved.find(key); known != lowering.resolved.end())
        return known->second;
    lowering.cancel.check();
    const auto ask = [&] {
        if (layout) return lowering.resolver.resolve_layout(name, platform, lowering.cancel);
        return lowering.resolver.resolve_image(oci::Reference::parse(name).with_default_tag(), platform,
                                               lowering.cancel);
    };
    try {
        return lowering.resolved.emplace(key, ask()).first->second;
    } catch (base::Error& error) {
        // The name that the Dockerfile has for it, where that is another.
        if (context) error.add_frame(node.base_name, std::source_location::current());
        if (error.subject().empty()) error.about(node.base_name);
        throw;
    }
}

void start_from_image(Lowering& lowering, const StageNode& node, StageState& state,
                      const oci::Platform& wanted, const std::optional<NamedContext>& context) {
    auto resolved = resolve(lowering, node, wanted, context);
    if (&node == lowering.target_root && !resolved.offered_instead.empty())
        throw fail(ErrorCode::NotFound, "{} has no image for {}; it offers {}", node.base_name,
                   wanted.string(), resolved.offered_instead)
            .about(node.base_name)
            .hint("ask for a version it has, or leave the revision out: windows(10.0.20348)/amd64");
    state.platform = platform_of(wanted, resolved.config.platform);
    state.image = resolved.config;
    state.image.created.reset();
    oci::align_history(state.image.history, state.image.diff_ids.size());
    if (!context && has_layers(resolved.config))
        lowering.lint.base_platform(node.base_name, state.platform, resolved.config.platform, node.range);
    if (has_layers(resolved.config) || resolved.assumed)
        state.base_image = std::move(resolved);
    else
        state.root = empty_root(state.platform);
}

// The settings of the image that steps go by.
void adopt_image_settings(StageState& state) {
    auto& config = state.image.config;
    state.environment = Environment(state.os());
    for (const auto& assignment : config.env) state.environment.set_assignment(assignment);
    if (!state.platform.is_windows() && state.environment.find("PATH") == nullptr) {
        state.environment.set("PATH", kLinuxPath);
        config.env.push_back("PATH=" + std::string(kLinuxPath));
    }
    if (config.working_dir.empty()) return;
    state.working_directory = tree::normalise(state.os(), config.working_dir);
    config.working_dir = "/" + state.working_directory;
    if (state.platform.is_windows())
        std::replace(config.working_dir.begin(), config.working_dir.end(), '/', '\\');
}

}  // namespace

void start_from_base(Lowering& lowering, const StageNode& node, StageState& state) {
    auto wanted = node.platform.value_or(lowering.target_platform);
    state.platform = wanted;
    state.wanted = wanted;
    const auto context =
        node.named_context ? node.named_context : lowering.contexts.find(node.base_name, wanted);
    if (context && context->kind == NamedContext::Kind::Local) {
        state.image = empty_image(wanted);
        state.root = local_directory(lowering, context->value, wanted);
    } else if (context &&
               (context->kind == NamedContext::Kind::Git || context->kind == NamedContext::Kind::Http)) {
        state.image = empty_image(wanted);
        state.root =
            named_remote_context(*context, node.named_context ? node.stage_name : node.base_name, wanted);
    } else if (node.base_name == "scratch" && !context) {
        state.platform = state.wanted = lowering.target_platform;
        state.image = empty_image(state.platform);
        state.root = empty_root(state.platform);
    } else {
        start_from_image(lowering, node, state, wanted, context);
    }
    adopt_image_settings(state);
    state.file_time = lowering.options.file_time ? *lowering.options.file_time
                      : state.base_image         ? state.base_image->config.created.value_or(kDefaultEpoch)
                                                 : kDefaultEpoch;
    state.epoch = lowering.epoch.value_or(state.file_time);
    state.resolved = true;
}

std::size_t counted_steps(const StageNode& node) {
    return static_cast<std::size_t>(std::count_if(node.steps.begin(), node.steps.end(),
                                                  [](const Step& step) { return step.is_counted(); }));
}

void root_from_image(const Lowering& lowering, const StageNode& node, StageState& state) {
    if (!state.base_image) return;
    const auto total = counted_steps(node) + 1;
    const auto& reference = state.base_image->reference;
    const auto title =
        node.named_context || node.external
            ? fmt::format("[context {}] load {}", node.base_name, reference)
            : step_prefix(lowering, node, state.wanted.string(), 1, total) + "FROM " + reference;
    state.root = image_root(*state.base_image, state.platform, title, node.range);
}

void start_from_stage(Lowering& lowering, const StageState& base, StageState& state) {
    lowering.copied_entries += base.image.history.size() + base.layers.size() +
                               base.environment.entries().size() + base.declared_args.size() +
                               base.image.config.labels.size() + 1;
    if (lowering.copied_entries > kMaxCopiedEntries)
        throw fail(ErrorCode::Exhausted, "stages inherit more than {} settings", kMaxCopiedEntries);
    const bool resolved = state.resolved;
    state = base;
    state.image.config.on_build.clear();
    state.has_own_cmd = false;
    state.resolved = resolved;
    state.lowered = false;
}

solver::VertexRef make_vertex(const oci::Platform& platform, solver::Operation operation,
                              std::vector<solver::Edge> inputs, solver::VertexOptions options) {
    return solver::Vertex::make(solver::serialise({platform.string(), std::move(operation)}),
                                std::move(inputs), std::move(options));
}

solver::Edge local_directory(const Lowering& lowering, const std::string& name,
                             const oci::Platform& platform) {
    if (name == "context" && lowering.options.remote_context)
        return remote_context(lowering.options, platform);
    return context_directory(lowering.options, name, platform);
}

solver::Edge context_directory(const Options& options, const std::string& name,
                               const oci::Platform& platform) {
    solver::LocalSource source{name, {}};
    const auto patterns = options.ignore_patterns.find(name);
    if (patterns != options.ignore_patterns.end()) source.ignore_patterns = patterns->second;
    // Of the platform only the OS matters, by whose rules names compare: all stages for it share one walk.
    oci::Platform shared;
    shared.os = platform.os;
    shared.architecture.clear();
    const auto title = name == "context" ? "[internal] load build context"
                                         : fmt::format("[context {0}] load from client", name);
    return {make_vertex(shared, std::move(source), {}, {title, false, std::nullopt}), 0};
}

solver::Edge image_root(const ResolvedImage& image, const oci::Platform& platform, const std::string& title,
                        const base::SourceRange& range) {
    solver::ImageSource source{image.reference, image.manifest_digest.string(), platform.string(),
                               image.store};
    return {make_vertex(platform, std::move(source), {}, {title, false, range}), 0};
}

solver::Edge empty_root(const oci::Platform& platform) {
    auto shared = platform;
    shared.os_version.clear();
    shared.os_features.clear();
    return {make_vertex(shared, solver::ScratchSource{}, {},
                        {"[internal] empty file system", false, std::nullopt, true}),
            0};
}

}  // namespace mullion::frontend
