#include "worker/exec_support.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "base/error.hpp"
#include "tree/name.hpp"

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

}  // namespace

void refuse_unsupported(const solver::ExecOperation& operation, const WorkerOptions& options) {
    check_rights(operation, options);
    for (const solver::Mount& mount : operation.mounts) {
        std::visit([&](const auto& each) { check_mount(each, options); }, mount);
    }
    if (operation.settings.isolation == "hyperv") {
        throw fail(ErrorCode::Unsupported,
                   "isolation=hyperv: Hyper-V isolation needs a Windows host; here containers are process "
                   "isolated")
            .hint("leave it out, or write isolation=process");
    }
}

void refuse_unsupported(const solver::Edge& target, const WorkerOptions& options) {
    std::set<base::Digest> seen;
    std::vector<solver::VertexRef> open = {target.vertex};
    while (!open.empty()) {
        solver::VertexRef vertex = open.back();
        open.pop_back();
        if (!seen.insert(vertex->digest()).second) continue;
        auto document = solver::parse_operation(vertex->operation());
        if (const auto* exec = std::get_if<solver::ExecOperation>(&document.operation)) {
            try {
                refuse_unsupported(*exec, options);
            } catch (base::Error& error) {
                if (vertex->options().source) error.at(*vertex->options().source);
                throw;
            }
        }
        for (const solver::Edge& input : vertex->inputs()) open.push_back(input.vertex);
    }
}

}  // namespace mullion::worker
