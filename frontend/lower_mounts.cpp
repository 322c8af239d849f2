// RUN --mount as data for the worker (dockerfile.md §9, §11).
#include <fmt/format.h>

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
constexpr std::uint32_t kCacheMode = 0755;
constexpr std::uint32_t kSecretMode = 0400;
constexpr std::uint32_t kSshMode = 0600;

solver::CacheSharing sharing_of(const std::string& word) {
    if (word == "private") return solver::CacheSharing::Private;
    if (word == "locked") return solver::CacheSharing::Locked;
    return solver::CacheSharing::Shared;
}

std::string_view last_element(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path.substr(path.find_last_of("/\\") + 1);
}

// Ownership and permissions that differ from what a mount has anyway.
void add_unix_attributes(const Mount& mount, solver::ExecOperation& exec) {
    const auto default_mode = mount.type == MountType::Cache    ? kCacheMode
                              : mount.type == MountType::Secret ? kSecretMode
                                                                : kSshMode;
    const auto add = [&](std::string option) {
        exec.unix_attributes.push_back({std::move(option), to_string(mount.type)});
    };
    if (mount.mode.value_or(default_mode) != default_mode) add(fmt::format("mode={:04o}", *mount.mode));
    if (mount.uid.value_or(0) != 0) add(fmt::format("uid={}", *mount.uid));
    if (mount.gid.value_or(0) != 0) add(fmt::format("gid={}", *mount.gid));
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
            return solver::SshMount{mount.id.empty() ? "default" : mount.id, mount.required};
    }
    return solver::BindMount{add_input(), source_path(), mount_target(mount.target), !mount.read_only};
}

void StageLowering::add_mounts(const RunInstruction& run, solver::ExecOperation& exec,
                               std::vector<solver::Edge>& inputs) {
    for (std::size_t i = 0; i < run.mounts.size(); ++i) {
        const auto mount = parse_mount(run.mounts[i], [&](std::string_view value) { return expand(value); });
        lowering_.outline.mount(node_.index, mount, step_->instruction.range);
        const auto* source = step_->sources[i];
        if (source != nullptr && !states_[source->index].lowered)
            throw fail(ErrorCode::Invalid,
                       "cannot mount from stage {} to {}, stage needs to be defined before current command",
                       quote(mount.from), quote(mount.target))
                .about(mount.from);
        exec.mounts.push_back(lowered_mount(mount, source, inputs));
        add_unix_attributes(mount, exec);
    }
}

}  // namespace mullion::frontend
