#include "cli/build.hpp"

#include <cstdio>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/path_text.hpp"
#include "cli/build_inputs.hpp"
#include "cli/container_backend.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_names.hpp"
#include "cli/image_resolver.hpp"
#include "cli/progress_vertex.hpp"
#include "cli/remote_context.hpp"
#include "cli/report.hpp"
#include "frontend/diagnostic.hpp"
#include "frontend/multi_platform.hpp"
#include "solver/solve.hpp"
#include "worker/exec_support.hpp"

namespace mullion::cli {
namespace {

void show_status(base::ProgressSink& progress, const std::string& vertex, const std::string& text) {
    base::StatusEvent status{ProgressVertex::digest_of(vertex), text, 0, 0, base::FileTime::now(), {}, {}};
    status.started = status.completed = status.timestamp;
    progress.emit(status);
}

// Shows each look-up of a base image as a step.
class ShownResolver final : public frontend::ImageResolver {
  public:
    ShownResolver(frontend::ImageResolver& next, base::ProgressSink& progress, bool shows_platform)
        : next_(next), progress_(progress), shows_platform_(shows_platform) {}

    frontend::ResolvedImage resolve_image(const oci::Reference& reference, const oci::Platform& platform,
                                          const base::CancelToken& cancel) override {
        std::string vertex = title(platform, reference.string());
        return with_vertex(progress_, vertex,
                           [&] { return shown(vertex, next_.resolve_image(reference, platform, cancel)); });
    }
    frontend::ResolvedImage resolve_layout(std::string_view layout, const oci::Platform& platform,
                                           const base::CancelToken& cancel) override {
        std::string vertex = title(platform, "oci-layout://" + std::string(layout));
        return with_vertex(progress_, vertex,
                           [&] { return shown(vertex, next_.resolve_layout(layout, platform, cancel)); });
    }
    std::optional<std::string> machine_path(const frontend::ResolvedImage& image,
                                            const base::CancelToken& cancel) override {
        return with_vertex(progress_, "[internal] read PATH of " + image.reference,
                           [&] { return next_.machine_path(image, cancel); });
    }

  private:
    // Says which image was chosen, and why; and what to beware of.
    frontend::ResolvedImage shown(const std::string& vertex, frontend::ResolvedImage image) const {
        if (!image.warning.empty()) {
            progress_.emit(
                base::WarningEvent{.vertex = ProgressVertex::digest_of(vertex), .message = image.warning});
        }
        if (image.choice.empty()) return image;
        show_status(progress_, vertex, image.choice);
        return image;
    }
    std::string title(const oci::Platform& platform, const std::string& image) const {
        return fmt::format("[{}internal] load metadata for {}",
                           shows_platform_ ? platform.string() + " " : std::string(), image);
    }

    frontend::ImageResolver& next_;
    base::ProgressSink& progress_;
    bool shows_platform_;
};

// Everything of one build that has to outlive its results.
class Build {
  public:
    Build(Context& context, BuildRequest& request, base::ProgressSink& progress)
        : context_(context), request_(request), progress_(progress) {}

    // Where in the Dockerfile; empty if the error has no place there.
    std::string excerpt_of(const base::Error& error) const {
        if (!error.source()) return {};
        return frontend::excerpt(inputs_.dockerfile,
                                 frontend::narrowed(inputs_.dockerfile, *error.source(), error.subject()));
    }

    std::vector<worker::ExportResult> run() {
        load_inputs();
        ContainerBackend backend(context_);
        if (auto* compute = backend.services().compute) compute->check_network(request_.worker.network);
        worker::RemoteImages remote(context_.state(), context_.registry(), progress_);
        request_.worker.remote = &remote;
        request_.worker.registry = &context_.registry();
        worker::Worker worker(context_.state(), backend.services(), request_.worker);
        solver::Solver solver([&](const solver::VertexRef& vertex) { return worker.resolve(vertex); },
                              &context_.state().keys(), progress_);
        if (has_fetched_context(request_)) {
            load_fetched_context(inputs_, request_, worker, solver, context_.cancel);
        }
        request_.frontend.source_time = [&](const solver::Edge& source) {
            return source_time(source, request_, solver, context_.cancel);
        };
        std::vector<frontend::Conversion> conversions = convert(worker, remote);
        check_outputs(conversions);
        std::vector<solver::Edge> targets;
        for (const frontend::Conversion& conversion : conversions) targets.push_back(conversion.target);
        if (worker::refuse_unsupported(targets, request_.worker)) {
            choose_isolation(targets);
            prepare(backend);
        }
        auto exports = write_outputs(worker, conversions, solver.solve(targets, context_.cancel));
        if (!exports.empty()) remember_layers(solver, conversions);
        return exports;
    }

  private:
    void load_inputs() {
        inputs_ =
            with_vertex(progress_, definition_title(), [&] { return load_dockerfile(context_, request_); });
        with_vertex(progress_, "[internal] load .dockerignore", [&] { add_contexts(inputs_, request_); });
    }

    std::string definition_title() const {
        return "[internal] load build definition from " + shown_dockerfile();
    }

    std::string shown_dockerfile() const {
        bool own = request_.dockerfile.empty() || request_.dockerfile == "-";
        return own ? "Dockerfile" : base::to_path(request_.dockerfile).filename().string();
    }

    std::vector<frontend::Conversion> convert(worker::Worker& worker, worker::RemoteImages& remote) {
        StoreImageResolver store(context_.state(), worker, &remote, request_.images);
        ShownResolver resolver(store, progress_, request_.makes_index);
        frontend::Findings findings;
        try {
            auto conversions =
                frontend::convert_platforms(inputs_.dockerfile, request_.frontend, request_.platforms,
                                            resolver, context_.cancel, findings);
            show_warnings(findings);
            warn_of_unused_arguments(conversions);
            return conversions;
        } catch (const base::Error&) {
            show_warnings(findings);
            throw;
        }
    }

    void show_warnings(const frontend::Findings& findings) {
        for (const frontend::Warning& warning : findings.warnings) {
            base::WarningEvent event{.vertex = ProgressVertex::digest_of(definition_title()),
                                     .message = warning.message,
                                     .range = warning.range};
            if (warning.rule != nullptr) {
                event.message = fmt::format("{}: {} (line {})", warning.rule->name, warning.message,
                                            warning.range.first_line);
                event.detail = warning.rule->description;
                event.url = warning.rule->url();
            }
            progress_.emit(event);
        }
    }

    void warn_of_unused_arguments(const std::vector<frontend::Conversion>& conversions) {
        std::set<std::string> unused;
        for (const auto& [name, value] : request_.frontend.build_args) unused.insert(name);
        for (const frontend::Conversion& conversion : conversions) {
            for (const std::string& name : conversion.used_build_args) unused.erase(name);
        }
        for (const std::string& name : unused) {
            progress_.emit(base::WarningEvent{
                .message =
                    fmt::format("--build-arg {}: no ARG of the stages that were built has this name", name)});
        }
    }

    // What a build is for is known now; nothing has run yet.
    void check_outputs(const std::vector<frontend::Conversion>& conversions) const {
        worker::ExportShape shape;
        shape.makes_index = request_.makes_index;
        shape.has_source_date_epoch = true;
        for (const frontend::Conversion& conversion : conversions) {
            shape.platforms.push_back(conversion.config.platform);
            shape.has_source_date_epoch &= conversion.source_date_epoch.has_value();
        }
        for (const auto& exporter : request_.exporters) exporter->check(shape);
    }

    // Before any layer is fetched. Without a choice there is nothing to tell.
    void choose_isolation(const std::vector<solver::Edge>& targets) {
        if (!request_.worker.host) {
            worker::choose_isolation(targets, request_.worker);
            return;
        }
        std::string vertex = "[internal] choose the isolation of containers";
        with_vertex(progress_, vertex, [&] {
            for (const std::string& choice : worker::choose_isolation(targets, request_.worker)) {
                show_status(progress_, vertex, choice);
            }
        });
    }

    void prepare(const ContainerBackend& backend) {
        with_vertex(progress_, "[internal] prepare the container backend",
                    [&] { backend.prepare(context_.cancel); });
    }

    std::vector<worker::ExportResult> write_outputs(worker::Worker& worker,
                                                    const std::vector<frontend::Conversion>& conversions,
                                                    const std::vector<solver::ResultRef>& results) {
        worker::ExportInput input;
        input.makes_index = request_.makes_index;
        for (std::size_t i = 0; i < conversions.size(); ++i) {
            input.images.push_back({worker::snapshot_of(results[i]), conversions[i].config,
                                    conversions[i].epoch, conversions[i].source_date_epoch});
        }
        std::vector<worker::ExportResult> written;
        for (const auto& exporter : request_.exporters) {
            written.push_back(exporter->run(worker, input, progress_, context_.cancel));
        }
        return written;
    }

    // Exporting wrote the layers that were only values so far: the next build finds them in the store.
    void remember_layers(solver::Solver& solver, const std::vector<frontend::Conversion>& conversions) {
        auto remember = [&](const solver::Edge& edge) {
            if (solver::ResultRef result = solver.known_result(edge)) solver.save_late(edge, result);
        };
        for (const frontend::Conversion& conversion : conversions) {
            for (const solver::Edge& layer : conversion.layers) {
                // What a merge put in its place was written with it.
                for (const solver::Edge& input : layer.vertex->inputs()) remember(input);
                remember(layer);
            }
        }
    }

    Context& context_;
    BuildRequest& request_;
    base::ProgressSink& progress_;
    BuildInputs inputs_;
};

const worker::ExportResult* first_image(const std::vector<worker::ExportResult>& results) {
    for (const worker::ExportResult& result : results) {
        if (result.image) return &result;
    }
    return nullptr;
}

base::OrderedJson describe(const worker::ExportResult& result) {
    base::OrderedJson metadata;
    if (result.config) metadata["containerimage.config.digest"] = result.config->string();
    metadata["containerimage.descriptor"] = {{"mediaType", result.image->media_type},
                                             {"digest", result.image->digest.string()},
                                             {"size", result.image->size}};
    if (!result.image->annotations.empty()) {
        metadata["containerimage.descriptor"]["annotations"] = result.image->annotations;
    }
    metadata["containerimage.digest"] = result.image->digest.string();
    std::string names;
    for (const std::string& name : result.names) names += (names.empty() ? "" : ",") + name;
    if (!names.empty()) metadata["image.name"] = names;
    return metadata;
}

void write_reports(const BuildRequest& request, const std::vector<worker::ExportResult>& results) {
    const worker::ExportResult* image = first_image(results);
    if (!request.metadata_file.empty()) {
        base::OrderedJson metadata = image == nullptr ? base::OrderedJson::object() : describe(*image);
        base::write_file_atomic(base::to_path(request.metadata_file), metadata.dump(2) + "\n");
    }
    if (image == nullptr) return;
    if (!request.iidfile.empty())
        base::write_file_atomic(base::to_path(request.iidfile), image->image->digest.string());
    if (request.display == DisplayMode::Quiet) std::printf("%s\n", image->image->digest.string().c_str());
}

}  // namespace

int run_build(Context& context, BuildRequest& request) {
    std::unique_ptr<Display> display = make_display(request.display);
    Build build(context, request, *display);
    try {
        std::vector<worker::ExportResult> results = build.run();
        if (request.exporters.empty()) {
            display->emit(base::WarningEvent{
                .message = "no output given: the result is only in the cache. Use -t NAME or -o type=..."});
        }
        display->finish();
        write_reports(request, results);
        return kSuccess;
    } catch (const base::Error& error) {
        display->finish();
        // Whatever broke first: the user ended it.
        if (context.cancel.canceled()) throw;
        report_error(error, build.excerpt_of(error), context.debug);
        return kFailure;
    }
}

}  // namespace mullion::cli
