#include "cli/remote_context.hpp"

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "frontend/remote_context.hpp"
#include "oci/http_url.hpp"
#include "solver/operation.hpp"
#include "worker/snapshot_files.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;
using Form = frontend::RemoteContext::Form;

bool is_tar_context(const BuildRequest& request) {
    auto context = request.worker.contexts.find("context");
    return context != request.worker.contexts.end() && std::filesystem::is_regular_file(context->second);
}

oci::Platform platform_of(const BuildRequest& request) {
    return request.frontend.platform.value_or(request.frontend.build_platform);
}

worker::SnapshotRef solved(const solver::Edge& edge, solver::Solver& solver,
                           const base::CancelToken& cancel) {
    return worker::snapshot_of(solver.solve({edge}, cancel).front());
}

// What a URL gives is either a tar or a Dockerfile.
worker::SnapshotRef fetch(BuildRequest& request, worker::Worker& worker, solver::Solver& solver,
                          const base::CancelToken& cancel) {
    auto& options = request.frontend;
    if (!options.remote_context) {
        return solved(frontend::client_context(options, platform_of(request)), solver, cancel);
    }
    auto files = solved(frontend::remote_context(options, platform_of(request)), solver, cancel);
    bool archive = options.remote_context->form == Form::File &&
                   worker::is_archive_file(worker, *files, frontend::kHttpContextFile, cancel);
    if (!archive) return files;
    options.remote_context->form = Form::Archive;
    return solved(frontend::remote_context(options, platform_of(request)), solver, cancel);
}

std::vector<std::string> dockerfile_names(const BuildRequest& request) {
    const auto& remote = request.frontend.remote_context;
    if (remote && remote->form == Form::File) return {frontend::kHttpContextFile};
    if (!request.dockerfile.empty()) return {request.dockerfile};
    return {"Dockerfile", "dockerfile"};
}

std::string shown_context(const BuildRequest& request) {
    return request.frontend.remote_context ? oci::redacted_url(request.frontend.remote_context->url)
                                           : "the tar on standard input";
}

}  // namespace

bool has_fetched_context(const BuildRequest& request) {
    return request.frontend.remote_context.has_value() || is_tar_context(request);
}

void load_fetched_context(BuildInputs& inputs, BuildRequest& request, worker::Worker& worker,
                          solver::Solver& solver, const base::CancelToken& cancel) {
    const auto& remote = request.frontend.remote_context;
    bool from_stdin = request.dockerfile == "-";
    if (from_stdin && remote && remote->form == Form::Git) return;
    worker::SnapshotRef files = fetch(request, worker, solver, cancel);
    if (from_stdin) return;
    if (remote && remote->form == Form::File && !request.dockerfile.empty()) {
        throw fail(ErrorCode::Invalid, "-f {}: {} is no archive, so it is the Dockerfile itself",
                   request.dockerfile, shown_context(request));
    }
    for (const std::string& name : dockerfile_names(request)) {
        auto text = worker::read_snapshot_file(worker, *files, name, kMaxDockerfile, cancel);
        if (!text) continue;
        inputs.dockerfile = std::move(*text);
        inputs.dockerfile_name = base::to_path(name).filename().string();
        request.frontend.file = inputs.dockerfile_name;
        return;
    }
    throw fail(ErrorCode::NotFound, "no {} in {}", dockerfile_names(request).front(), shown_context(request))
        .hint("name it with -f FILE, relative to the context");
}

std::optional<base::FileTime> source_time(const solver::Edge& source, const BuildRequest& request,
                                          solver::Solver& solver, const base::CancelToken& cancel) {
    auto document = solver::parse_operation(source.vertex->operation());
    bool directory =
        std::holds_alternative<solver::LocalSource>(document.operation) && !is_tar_context(request);
    if (directory) return {};
    return worker::time_of_source(*solved(source, solver, cancel), cancel);
}

}  // namespace mullion::cli
