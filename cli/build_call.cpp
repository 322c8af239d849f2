#include "cli/build_call.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "base/error.hpp"
#include "cli/build_inputs.hpp"
#include "cli/dockerfile_report.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_resolver.hpp"
#include "cli/remote_context.hpp"
#include "cli/report.hpp"
#include "frontend/check.hpp"
#include "frontend/diagnostic.hpp"
#include "solver/solve.hpp"
#include "worker/worker.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;

// Images that cannot be had here are assumed.
class KnownOrAssumedImages final : public frontend::ImageResolver {
  public:
    explicit KnownOrAssumedImages(frontend::ImageResolver& known) : known_(known) {}

    frontend::ResolvedImage resolve_image(const oci::Reference& reference, const oci::Platform& platform,
                                          const base::CancelToken& cancel) override {
        return known_or([&] { return known_.resolve_image(reference, platform, cancel); },
                        [&] { return assumed_.resolve_image(reference, platform, cancel); });
    }
    frontend::ResolvedImage resolve_layout(std::string_view layout, const oci::Platform& platform,
                                           const base::CancelToken& cancel) override {
        return known_.resolve_layout(layout, platform, cancel);
    }

    std::optional<std::string> machine_path(const frontend::ResolvedImage& image,
                                            const base::CancelToken& cancel) override {
        return known_or([&] { return known_.machine_path(image, cancel); },
                        [&] { return assumed_.machine_path(image, cancel); });
    }

  private:
    template <typename Known, typename Assumed>
    static std::invoke_result_t<Known> known_or(Known&& known, Assumed&& assumed) {
        try {
            return known();
        } catch (const base::Error& error) {
            bool absent = error.code() == ErrorCode::NotFound || error.code() == ErrorCode::Unavailable ||
                          error.code() == ErrorCode::Denied || error.code() == ErrorCode::Unsupported;
            if (!absent) throw;
            return assumed();
        }
    }

    frontend::ImageResolver& known_;
    frontend::AssumedImages assumed_;
};

int failed(const DockerfileText& file, const base::Error& error, bool debug) {
    std::fflush(stdout);
    auto excerpt =
        error.source()
            ? frontend::excerpt(file.text, frontend::narrowed(file.text, *error.source(), error.subject()))
            : std::string();
    report_error(error, excerpt, debug);
    return kFailure;
}

int print_check(const DockerfileText& file, const frontend::CheckResult& result, bool json, bool debug) {
    fmt::print("{}", json ? lint_result_json(file, result) : check_text(file, result));
    if (result.error && !json) return failed(file, *result.error, debug);
    return result.error || !result.warnings.empty() ? kFailure : kSuccess;
}

void fetch_context(BuildInputs& inputs, BuildRequest& request, worker::Worker& worker, Context& context) {
    base::NullProgress progress;
    solver::Solver solver([&](const solver::VertexRef& vertex) { return worker.resolve(vertex); },
                          &context.state().keys(), progress);
    load_fetched_context(inputs, request, worker, solver, context.cancel);
}

}  // namespace

int run_build_call(Context& context, BuildRequest& request) {
    BuildInputs inputs = load_dockerfile(context, request);
    add_contexts(inputs, request);
    worker::Worker worker(context.state(), {}, request.worker);
    if (has_fetched_context(request)) fetch_context(inputs, request, worker, context);
    const DockerfileText file{inputs.dockerfile_name, inputs.dockerfile};
    const BuildCall& call = *request.call;
    StoreImageResolver store(context.state(), worker, nullptr, request.images);
    KnownOrAssumedImages images(store);
    try {
        if (call.method == BuildCall::Method::Targets) {
            auto targets = frontend::list_targets(file.text, file.name);
            fmt::print("{}", call.json ? targets_json(file, targets) : printable(targets_text(targets)));
            return kSuccess;
        }
        frontend::Options options = request.frontend;
        if (call.method == BuildCall::Method::Check) {
            options.platform.reset();  // the reference lints for the machine that builds
            return print_check(file, frontend::check(file.text, options, images, context.cancel), call.json,
                               context.debug);
        }
        options.lint_only = true;
        if (!request.platforms.empty()) options.platform = request.platforms.front();
        frontend::Findings findings;
        frontend::convert(file.text, options, images, context.cancel, findings);
        fmt::print("{}", call.json ? outline_json(file, findings.outline)
                                   : printable(outline_text(findings.outline)));
        return kSuccess;
    } catch (const base::Error& error) {
        if (error.code() == ErrorCode::Canceled) throw;
        return failed(file, error, context.debug);
    }
}

}  // namespace mullion::cli
