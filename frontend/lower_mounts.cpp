// RUN --mount as data for the worker (dockerfile.md §9, §11).
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "frontend/lower.hpp"
#include "frontend/mount.hpp"
#include "frontend/unicode.hpp"
#include "tree/name.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kSecretDirectory = "run/secrets";
constexpr std::string_view kPipeDirectory = "//./pipe/";
constexpr std::uint32_t kRead = 0400;
constexpr std::uint32_t kWrite = 0200;
constexpr std::uint32_t kExecute = 0100;
constexpr std::uint32_t kPermissions = 0777;

solver::CacheSharing sharing_of(const std::string& word) {
    if (word == "private") return solver::CacheSharing::Private;
    if (word == "locked") return solver::CacheSharing::Locked;
    return solver::CacheSharing::Shared;
}

std::string_view last_element(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path.substr(path.find_last_of("/\\") + 1);
}

// What the step's user can do with a mount, in the terms of its owner's permissions.
std::uint32_t access_of(const Mount& mount) {
    if (mount.type == MountType::Secret) return kRead;
    if (mount.type == MountType::Ssh) return kRead | kWrite;
    return kRead | kExecute | (mount.read_only ? 0 : kWrite);
}

// One user is in a Windows container and every mount is his, so `uid` and `gid` say who that is (numbers name
// nobody else there, see --chown), and the digits of group and others have nobody to speak of. What would
// take from him what he can do, and bits without a meaning in Windows, cannot be had.
void check_mode(const Mount& mount) {
    if (!mount.mode) return;
    const auto access = access_of(mount);
    if (*mount.mode <= kPermissions && (*mount.mode & access) == access) return;
    throw fail(
        ErrorCode::Unsupported,
        "{} mount: mode={:04o} cannot be honoured: the user of the step can use every mount, and files "
        "in a Windows container have no setuid, setgid and sticky bits",
        to_string(mount.type), *mount.mode)
        .about("mode=")
        .hint(
            "leave it out, or give the owner the use of the mount: mode=0400 and more for secrets, 0600 "
            "for ssh, 0700 for caches; readonly makes a cache read-only");
}

// NAME of "\\\\.\\pipe\\NAME" or "//./pipe/NAME".
std::string pipe_name(const std::string& path) {
    auto name = frontend::lower(path);
    std::replace(name.begin(), name.end(), '\\', '/');
    const bool is_pipe = name.starts_with(kPipeDirectory) && name.size() > kPipeDirectory.size() &&
                         name.find('/', kPipeDirectory.size()) == std::string::npos;
    if (is_pipe) return path.substr(kPipeDirectory.size());
    throw fail(ErrorCode::Unsupported,
               "ssh mount: target {} cannot be honoured: Windows programs talk to an agent through a named "
               "pipe",
               quote(path))
        .about(path)
        .hint("leave the target out, or write target=//./pipe/NAME");
}

solver::SecretMount secret_mount(const Mount& mount, const std::string& target) {
    solver::SecretMount secret;
    secret.id = mount.source.empty() ? mount.id : mount.source;
    if (secret.id.empty()) secret.id = last_element(mount.target);
    secret.required = mount.required;
    secret.variable = mount.env;
    if (mount.env && (mount.env->empty() || mount.env->find('=') != std::string::npos))
        throw fail(ErrorCode::Invalid, "invalid value for env: {}", *mount.env).about("env=");
    if (!mount.target.empty())
        secret.target = target;
    else if (!mount.env)
        secret.target = tree::join(kSecretDirectory, last_element(secret.id));
    return secret;
}

}  // namespace

// Relative ones join the working directory, by the rules of the image's OS. Empty is the working directory.
std::string StageLowering::mount_target(const std::string& written) const {
    const auto target = written.empty() ? state_.working_directory : tree_path(written);
    if (target.empty()) throw fail(ErrorCode::Invalid, "invalid mount target \"/\"").about(written);
    return target;
}

// As the reference has it: BUILDKIT_CACHE_MOUNT_NS, a slash, the id or the target as written, cleaned. On
// Windows two spellings of one target are one cache.
std::string StageLowering::cache_id(const Mount& mount) {
    const auto* name_space = lowering_.arguments.use("BUILDKIT_CACHE_MOUNT_NS");
    auto id = mount.id;
    if (id.empty()) {
        id = tree::normalise(state_.os(), mount.target);
        if (tree::is_absolute(state_.os(), mount.target)) id.insert(0, "/");
        if (state_.platform.is_windows()) id = frontend::lower(id);
    }
    return (name_space != nullptr ? *name_space : "") + "/" + id;
}

std::string StageLowering::ssh_target(const Mount& mount) const {
    return mount.target.empty() || !state_.platform.is_windows() ? mount.target : pipe_name(mount.target);
}

// The mount as the worker sees it; what it reads becomes an input.
solver::Mount StageLowering::lowered_mount(const Mount& mount, const StageNode* source,
                                           std::vector<solver::Edge>& inputs) {
    const auto add_input = [&] {
        inputs.push_back(source == nullptr ? local_directory(lowering_, "context", state_.platform)
                                           : states_[source->index].root);
        return inputs.size();
    };
    const auto source_path = [&] { return tree::normalise(state_.os(), mount.source); };
    switch (mount.type) {
        case MountType::Bind:
            break;
        case MountType::Cache: {
            solver::CacheMount cache{mount_target(mount.target),
                                     cache_id(mount),
                                     sharing_of(mount.sharing),
                                     std::nullopt,
                                     source_path(),
                                     !mount.read_only};
            if (source != nullptr) cache.input = add_input();
            return cache;
        }
        case MountType::Tmpfs:
            return solver::TmpfsMount{mount_target(mount.target), mount.size, !mount.read_only};
        case MountType::Secret:
            return secret_mount(mount, mount.target.empty() ? std::string() : mount_target(mount.target));
        case MountType::Ssh:
            return solver::SshMount{mount.id.empty() ? "default" : mount.id, ssh_target(mount),
                                    mount.required};
    }
    return solver::BindMount{add_input(), source_path(), mount_target(mount.target), !mount.read_only};
}

void StageLowering::add_mounts(const RunInstruction& run, solver::ExecOperation& exec,
                               std::vector<solver::Edge>& inputs) {
    for (std::size_t i = 0; i < run.mounts.size(); ++i) {
        const auto mount = parse_mount(run.mounts[i], [&](std::string_view value) { return expand(value); });
        lowering_.outline.mount(node_.index, mount, step_->instruction.range);
        if (state_.platform.is_windows()) check_mode(mount);
        const auto* source = step_->sources[i];
        if (source != nullptr && !states_[source->index].lowered)
            throw fail(ErrorCode::Invalid,
                       "cannot mount from stage {} to {}, stage needs to be defined before current command",
                       quote(mount.from), quote(mount.target))
                .about(mount.from);
        exec.mounts.push_back(lowered_mount(mount, source, inputs));
    }
}

}  // namespace mullion::frontend
