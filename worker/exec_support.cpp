#include "worker/exec_support.hpp"

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

void check_unix_attributes(const solver::ExecOperation& operation) {
    if (operation.unix_attributes.empty()) return;
    const solver::UnixAttribute& first = operation.unix_attributes.front();
    throw fail(ErrorCode::Unsupported,
               "{} mount: {} cannot be honoured: files in a Windows container have access lists, no Unix "
               "owner and mode",
               first.mount, tree::printable(first.option))
        .about(first.option)
        .hint("leave it out: the user of the step can read the mount, and write to it if it is a cache");
}

void check_mount(const solver::SshMount& mount) {
    if (!mount.required) return;
    throw fail(ErrorCode::Unsupported,
               "RUN --mount=type=ssh,required: an ssh agent cannot be handed to a Windows program here: Wine "
               "has no Unix sockets, and nothing serves the pipe \\\\.\\pipe\\openssh-ssh-agent")
        .about("type=ssh")
        .hint(
            "use a token with --mount=type=secret over https, or fetch with ADD from outside the container");
}

void check_mount(const solver::CacheMount& mount) {
    if (mount.input || mount.source.empty()) return;
    throw fail(ErrorCode::Invalid, "cache mount: source \"/{}\" is there only with a from",
               tree::printable(mount.source))
        .about("source=");
}

template <typename Mount>
void check_mount(const Mount&) {}

}  // namespace

void refuse_unsupported(const solver::ExecOperation& operation, const WorkerOptions& options) {
    check_rights(operation, options);
    check_unix_attributes(operation);
    for (const solver::Mount& mount : operation.mounts) {
        std::visit([](const auto& each) { check_mount(each); }, mount);
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
