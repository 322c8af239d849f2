#include "worker/exec_support.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "worker/isolation.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

void check_rights(const solver::ExecOperation& operation, const WorkerOptions& options) {
    if (operation.insecure) {
        throw fail(ErrorCode::Denied, "security.insecure is not allowed")
            .about("--security=insecure")
            .hint(
                "a step cannot be given more rights here: every container is confined, and its user is an "
                "administrator inside it already");
    }
    if (operation.network == solver::NetworkMode::Host && !options.allow_host_network) {
        throw fail(ErrorCode::Denied, "network.host is not allowed")
            .about("--network=host")
            .hint("build with --allow network.host");
    }
}

void check_mount(const solver::SshMount& mount, const WorkerOptions& options) {
    if (!mount.required || options.ssh_agents.contains(mount.id)) return;
    throw fail(ErrorCode::NotFound, "ssh agent {}: not found", tree::printable(mount.id))
        .about("type=ssh")
        .hint(fmt::format("build with --ssh {}", tree::printable(mount.id)));
}

void check_mount(const solver::CacheMount& mount, const WorkerOptions&) {
    if (mount.input || mount.source.empty()) return;
    throw fail(ErrorCode::Invalid, "cache mount: source \"/{}\" is there only with a from",
               tree::printable(mount.source))
        .about("source=");
}

template <typename Mount>
void check_mount(const Mount&, const WorkerOptions&) {}

// Calls `body` with the document and the operation of every RUN that the targets need; an error gets the
// step's place in the Dockerfile.
template <typename Body>
void for_each_run(const std::vector<solver::Edge>& targets, Body body) {
    std::set<base::Digest> seen;
    std::vector<solver::VertexRef> open;
    for (const solver::Edge& target : targets) open.push_back(target.vertex);
    while (!open.empty()) {
        solver::VertexRef vertex = open.back();
        open.pop_back();
        if (!seen.insert(vertex->digest()).second) continue;
        auto document = solver::parse_operation(vertex->operation());
        if (const auto* exec = std::get_if<solver::ExecOperation>(&document.operation)) {
            try {
                body(document, *exec);
            } catch (base::Error& error) {
                if (vertex->options().source) error.at(*vertex->options().source);
                throw;
            }
        }
        for (const solver::Edge& input : vertex->inputs()) open.push_back(input.vertex);
    }
}

}  // namespace

void refuse_unsupported(const solver::ExecOperation& operation, const WorkerOptions& options) {
    check_rights(operation, options);
    for (const solver::Mount& mount : operation.mounts) {
        std::visit([&](const auto& each) { check_mount(each, options); }, mount);
    }
}

bool refuse_unsupported(const std::vector<solver::Edge>& targets, const WorkerOptions& options) {
    bool runs = false;
    for_each_run(targets, [&](const solver::OperationDocument&, const solver::ExecOperation& exec) {
        refuse_unsupported(exec, options);
        runs = true;
    });
    return runs;
}

std::vector<std::string> choose_isolation(const std::vector<solver::Edge>& targets,
                                          const WorkerOptions& options) {
    std::set<std::string> choices;
    for_each_run(targets, [&](const solver::OperationDocument& document, const solver::ExecOperation& exec) {
        oci::Platform platform = oci::Platform::parse(document.platform);
        if (!platform.is_windows()) return;
        choices.insert(platform.string() + ": " +
                       describe(step_isolation(exec.settings, platform.os_version, options)));
    });
    return {choices.begin(), choices.end()};
}

}  // namespace mullion::worker
