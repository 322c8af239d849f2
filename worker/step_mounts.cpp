#include "worker/step_mounts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "tree/name.hpp"
#include "worker/file_editor.hpp"
#include "worker/staging.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;
using tree::Os;

constexpr std::string_view kHostsFile = "Windows/System32/drivers/etc/hosts";
constexpr std::size_t kHostsLimit = 1 << 20;
constexpr const char* kAgentPipe = "openssh-ssh-agent";
constexpr const char* kAgentVariable = "SSH_AUTH_SOCK";
constexpr const char* kPipeDirectory = "\\\\.\\pipe\\";

const std::string* target_of(const solver::Mount& mount) {
    return std::visit(
        [](const auto& each) -> const std::string* {
            using Kind = std::decay_t<decltype(each)>;
            if constexpr (std::is_same_v<Kind, solver::SecretMount>) {
                return each.target ? &*each.target : nullptr;
            } else if constexpr (std::is_same_v<Kind, solver::SshMount>) {
                return nullptr;
            } else {
                return &each.target;
            }
        },
        mount);
}

std::string sort_key(const solver::Mount& mount) {
    const std::string* target = target_of(mount);
    return target == nullptr ? std::string() : tree::fold(Os::Windows, *target);
}

cache::MountSharing sharing_of(solver::CacheSharing sharing) {
    switch (sharing) {
        case solver::CacheSharing::Shared:
            break;
        case solver::CacheSharing::Private:
            return cache::MountSharing::Private;
        case solver::CacheSharing::Locked:
            return cache::MountSharing::Locked;
    }
    return cache::MountSharing::Shared;
}

// Where `path` lies in the directory `within`; empty if it does not.
std::string path_within(const std::string& within, const std::string& path) {
    if (!tree::fold(Os::Windows, path).starts_with(tree::fold(Os::Windows, within) + "/")) return {};
    std::string relative;
    std::vector<std::string_view> names = tree::split(path);
    for (std::size_t i = tree::split(within).size(); i < names.size(); ++i)
        relative = tree::join(relative, names[i]);
    return relative;
}

std::string shown(std::string_view path) {
    return tree::display_path(Os::Windows, tree::printable(path));
}

}  // namespace

tree::Tree mount_tree(const std::string& source, const Snapshot& from, const base::CancelToken& cancel) {
    const tree::Tree& tree = from.tree(cancel);
    auto path = tree.resolve(source);
    if (!path) throw fail(ErrorCode::NotFound, "mount source \"/{}\": not found", tree::printable(source));
    return {tree.os(), tree.find(*path)};
}

std::vector<std::string> visible_secrets(const solver::ExecOperation& operation,
                                         const WorkerOptions& options) {
    std::vector<std::string> values;
    for (const solver::Mount& mount : operation.mounts) {
        const auto* secret = std::get_if<solver::SecretMount>(&mount);
        if (secret == nullptr) continue;
        auto value = options.secrets.find(secret->id);
        if (value != options.secrets.end()) values.push_back(value->second);
    }
    return values;
}

StepMounts::StepMounts(Worker::Parts& parts, const solver::ExecOperation& operation,
                       const std::vector<SnapshotRef>& inputs, const fs::path& directory,
                       const base::CancelToken& cancel)
    : parts_(parts), operation_(operation), inputs_(inputs), directory_(directory), cancel_(cancel) {
    std::vector<const solver::Mount*> mounts;
    for (const solver::Mount& mount : operation.mounts) mounts.push_back(&mount);
    std::stable_sort(mounts.begin(), mounts.end(), [](const solver::Mount* a, const solver::Mount* b) {
        return sort_key(*a) < sort_key(*b);
    });
    take_caches();
    add_hosts();
    for (const solver::Mount* mount : mounts) {
        std::visit([&](const auto& each) { add(each); }, *mount);
    }
}

StepMounts::~StepMounts() = default;

void StepMounts::map(fs::path host, const std::string& target, bool read_only) {
    mapped_.push_back({host.string(), tree::display_path(Os::Windows, target), read_only});
}

void StepMounts::map_private(std::string_view data, const std::string& target) {
    check_target(target, false);
    files_.emplace_back(data);
    map(files_.back().path(), target, true);
}

// Whether there can be such a file or directory, and whether it would hide one of the other kind.
void StepMounts::check_target(const std::string& target, bool directory) const {
    for (std::string_view name : tree::split(target)) {
        if (auto problem = tree::name_problem(Os::Windows, name)) {
            throw fail(ErrorCode::Invalid, "mount target {}: {} {}", shown(target), tree::printable(name),
                       *problem)
                .hint("give the mount another target=PATH");
        }
    }
    const tree::Tree& root = inputs_.at(0)->tree(cancel_);
    auto path = root.resolve(target);
    if (!path) return;
    bool is_directory = root.find(*path)->kind == tree::NodeKind::Directory;
    if (is_directory == directory) return;
    throw fail(ErrorCode::Invalid, "mount target {} is a {} in the image, and what is mounted there is not",
               shown(target), is_directory ? "directory" : "file");
}

bool StepMounts::shows_file(const solver::Mount& mount) const {
    const auto* bind = std::get_if<solver::BindMount>(&mount);
    if (bind == nullptr) return std::holds_alternative<solver::SecretMount>(mount);
    tree::Tree tree = mount_tree(bind->source, *inputs_.at(bind->input), cancel_);
    return tree.root()->kind != tree::NodeKind::Directory;
}

// Other mounts may have their place in what is mounted read-only here.
tree::Tree StepMounts::with_mount_points(tree::Tree tree, const std::string& target) const {
    base::FileTime epoch = epoch_of(operation_.epoch_ticks);
    for (const solver::Mount& mount : operation_.mounts) {
        const std::string* other = target_of(mount);
        std::string path = other == nullptr ? std::string() : path_within(target, *other);
        if (path.empty() || tree.resolve(path)) continue;
        if (!shows_file(mount)) {
            tree = with_directory(tree, path, epoch);
            continue;
        }
        FileEditor editor(tree, epoch);
        solver::WriteFileAction file;
        file.destination = path;
        editor.write_file(file);
        tree = editor.tree();
    }
    return tree;
}

// Copies, always: a bind mount shows what the step's key was made of, and writes to it are discarded.
void StepMounts::add(const solver::BindMount& mount) {
    tree::Tree tree = mount_tree(mount.source, *inputs_.at(mount.input), cancel_);
    bool directory = tree.root()->kind == tree::NodeKind::Directory;
    check_target(mount.target, directory);
    fs::path host = directory_ / fmt::format("mount-{}", mapped_.size());
    fs::create_directory(host);
    std::string name(tree::base_name(mount.target));
    if (directory) {
        tree = with_mount_points(tree, mount.target);
    } else {
        tree::TreeEditor editor{tree::Tree(tree.os())};
        editor.put(name, tree.root());
        tree = editor.finish();
    }
    base::with_context([&] { return fmt::format("mounting {}", shown(mount.target)); },
                       [&] { parts_.materialiser.write_files(tree, host, cancel_); });
    map(directory ? host : host / base::to_path(name), mount.target, !mount.writable);
}

// What a new cache begins with; nullopt for nothing.
std::optional<tree::Tree> StepMounts::cache_content(const solver::CacheMount& mount) const {
    if (!mount.input) return std::nullopt;
    tree::Tree content = mount_tree(mount.source, *inputs_.at(*mount.input), cancel_);
    if (content.root()->kind == tree::NodeKind::Directory) return content;
    throw fail(ErrorCode::Invalid, "mount source \"/{}\" is a file; a cache begins with a directory",
               tree::printable(mount.source));
}

base::Digest StepMounts::cache_key(const solver::CacheMount& mount) const {
    base::Hasher hasher;
    hasher.field("cache mount 1").field(mount.id);
    if (auto content = cache_content(mount)) {
        hasher.field(mount.source);
        hasher.field(content->digest("", parts_.blobs.contents(), cancel_).string());
    }
    return hasher.finish();
}

// In the order of their keys: two steps that want the same caches never wait for one another.
void StepMounts::take_caches() {
    std::map<base::Digest, const solver::CacheMount*> wanted;
    for (const solver::Mount& mount : operation_.mounts) {
        if (const auto* cache = std::get_if<solver::CacheMount>(&mount)) {
            wanted.emplace(cache_key(*cache), cache);
        }
    }
    for (const auto& [key, mount] : wanted) {
        auto fill = [&, mount = mount](const fs::path& files) {
            if (auto content = cache_content(*mount)) {
                parts_.materialiser.write_files(*content, files, cancel_);
            }
        };
        base::with_context([&, mount = mount] { return fmt::format("cache mount {}", shown(mount->target)); },
                           [&, key = key, mount = mount] {
                               cache::CacheMountRequest request{key, mount->id, sharing_of(mount->sharing)};
                               caches_.emplace(key, parts_.state.mounts().take(request, fill, cancel_));
                           });
    }
}

void StepMounts::add(const solver::CacheMount& mount) {
    check_target(mount.target, true);
    map(caches_.at(cache_key(mount)).files(), mount.target, !mount.writable);
}

void StepMounts::add(const solver::TmpfsMount& mount) {
    check_target(mount.target, true);
    mapped_.push_back(parts_.services.compute->memory_directory(tree::display_path(Os::Windows, mount.target),
                                                                mount.size.value_or(0)));
    mapped_.back().ReadOnly = !mount.writable;
}

void StepMounts::add(const solver::SecretMount& mount) {
    auto value = parts_.options.secrets.find(mount.id);
    if (value == parts_.options.secrets.end()) {
        if (!mount.required) return;
        throw fail(ErrorCode::NotFound, "secret {}: not found", tree::printable(mount.id))
            .about("id=" + mount.id)
            .hint(fmt::format("build with --secret id={},src=FILE or --secret id={},env=NAME",
                              tree::printable(mount.id), tree::printable(mount.id)));
    }
    if (mount.target) map_private(value->second, *mount.target);
    if (mount.variable) environment_.push_back(*mount.variable + "=" + value->second);
}

// The first agent is where Windows' ssh looks by itself, and where SSH_AUTH_SOCK says.
void StepMounts::add(const solver::SshMount& mount) {
    auto agent = parts_.ssh_agents.step_address(mount.id, cancel_);
    if (!agent) return;  // refuse_unsupported saw to those required
    std::string name = mount.target;
    if (name.empty()) name = pipes_.empty() ? kAgentPipe : fmt::format("{}.{}", kAgentPipe, pipes_.size());
    hcs::MappedPipe pipe{std::move(*agent), name};
    if (std::find(pipes_.begin(), pipes_.end(), pipe) != pipes_.end()) return;
    bool named =
        std::any_of(operation_.environment.begin(), operation_.environment.end(), [](const auto& entry) {
            return tree::names_equal(Os::Windows, entry.substr(0, entry.find('=')), kAgentVariable);
        });
    if (pipes_.empty() && !named)
        environment_.push_back(fmt::format("{}={}{}", kAgentVariable, kPipeDirectory, name));
    pipes_.push_back(std::move(pipe));
}

void StepMounts::add_hosts() {
    if (operation_.extra_hosts.empty()) return;
    std::string text = "127.0.0.1 localhost\r\n";
    const tree::Tree& root = inputs_.at(0)->tree(cancel_);
    tree::NodeRef own = root.find(kHostsFile);
    if (own && own->content) {
        text += parts_.blobs.contents().open(*own->content, cancel_)->read_all(kHostsLimit, "the hosts file");
        if (!text.ends_with('\n')) text += "\r\n";
    }
    for (const solver::ExtraHost& host : operation_.extra_hosts) {
        text += fmt::format("{} {}\r\n", host.address, host.name);
    }
    map_private(text, root.fold_to_casing(kHostsFile));
}

}  // namespace mullion::worker
