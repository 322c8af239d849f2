#include "worker/exec_step.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "tree/delta_times.hpp"
#include "tree/name.hpp"
#include "worker/file_editor.hpp"
#include "worker/output_log.hpp"
#include "worker/staging.hpp"
#include "worker/step_changes.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;
using tree::Os;

constexpr std::string_view kScriptMark = "{script}";
constexpr std::string_view kScriptDirectory = "Windows/Temp";
// The kernel stamps files with a clock that may run this much behind the one we read.
constexpr std::int64_t kClockSlack = base::FileTime::kTicksPerSecond / 10;
constexpr std::size_t kRegistryChangesShown = 10;

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
        text.replace(at, what.size(), with);
    }
}

}  // namespace

tree::Tree mount_tree(const solver::BindMount& mount, const Snapshot& from, const base::CancelToken& cancel) {
    const tree::Tree& tree = from.tree(cancel);
    auto path = tree.resolve(mount.source);
    if (!path) {
        throw fail(ErrorCode::NotFound, "mount source \"/{}\": not found", tree::printable(mount.source));
    }
    tree::NodeRef node = tree.find(*path);
    if (node->kind != tree::NodeKind::Directory) {
        throw fail(ErrorCode::Unsupported, "mount source \"/{}\" is a file; only directories can be mounted",
                   tree::printable(mount.source));
    }
    return {tree.os(), node};
}

ExecStep::ExecStep(Worker::Parts& parts, const solver::ExecOperation& operation,
                   std::vector<SnapshotRef> inputs, const solver::ExecContext& context)
    : parts_(parts),
      operation_(operation),
      inputs_(std::move(inputs)),
      context_(context),
      epoch_(epoch_of(operation.epoch_ticks)) {
    require_services(parts_.services, "RUN");
    if (inputs_.at(0)->os() != Os::Windows) {
        throw fail(ErrorCode::Unsupported, "RUN in a {} image is not built yet; only Windows images can run",
                   inputs_[0]->platform().os);
    }
    owner_sid_ = user_sid(operation_.user, {inputs_[0], parts_.blobs.contents(), context_.cancel});
}

SnapshotRef ExecStep::run() {
    const Snapshot& rootfs = *inputs_[0];
    parts_.writer.write_all(rootfs, context_.cancel);
    const tree::Tree& lower = rootfs.tree(context_.cancel);
    Root root = prepare(lower);

    base::TempDir work(parts_.state.temporary_directory(), "run");
    ContainerSpec spec;
    spec.folders = root_folders(parts_, rootfs, root.staged, work.path(), context_.cancel);
    spec.os_version = rootfs.platform().os_version;
    spec.users = image_users(lower);
    spec.mounts = mounts(work.path());
    spec.limits = parts_.options.limits;
    spec.network = operation_.network;

    base::FileTime started{base::FileTime::now().ticks - kClockSlack};
    Container container(parts_.services, work.path() / ("scratch-" + work.path().filename().string()), spec,
                        context_.cancel);
    run_process(container, root);
    hcs::LayerChanges changes = container.shut_down(context_.cancel);
    bool registry_lost = check_registry(changes.registry);
    return snapshot(lower, root, changes, started, registry_lost || mounts_registry_loss());
}

ExecStep::Root ExecStep::prepare(const tree::Tree& lower) const {
    tree::Tree wanted = with_directory(lower, operation_.working_directory, epoch_);
    Root root{wanted, wanted, fmt::format("{}", fmt::join(operation_.arguments, " "))};
    if (operation_.script) replace_all(root.command_line, kScriptMark, script_path(root.staged));
    for (const solver::BindMount& mount : operation_.mounts) {
        root.staged = with_directory(root.staged, mount.target, epoch_);
    }
    return root;
}

// Puts the script into the tree that the process sees and returns its Windows path. The name follows from the
// bytes, so that a step that prints it prints the same again.
std::string ExecStep::script_path(tree::Tree& staged) const {
    solver::WriteFileAction file;
    std::string digest = base::Digest::of(*operation_.script).hex().substr(0, 16);
    file.destination = fmt::format("{}/mullion-{}{}", kScriptDirectory, digest, operation_.script_extension);
    file.data = *operation_.script;
    FileEditor editor(staged, epoch_);
    editor.write_file(file);
    staged = editor.tree();
    return tree::display_path(Os::Windows, staged.fold_to_casing(file.destination));
}

// Copies, always: a bind mount shows what the step's key was made of, and writes to it are discarded.
std::vector<hcs::MappedDirectory> ExecStep::mounts(const fs::path& directory) {
    std::vector<hcs::MappedDirectory> mapped;
    for (const solver::BindMount& mount : operation_.mounts) {
        fs::path host = directory / fmt::format("mount-{}", mapped.size());
        fs::create_directory(host);
        tree::Tree files = mount_tree(mount, *inputs_.at(mount.input), context_.cancel);
        base::with_context([&] { return fmt::format("mounting {}", mount.target); },
                           [&] { parts_.materialiser.write_files(files, host, context_.cancel); });
        mapped.push_back({host.string(), tree::display_path(Os::Windows, mount.target), !mount.writable});
    }
    return mapped;
}

hcs::ProcessParameters ExecStep::parameters(const Root& root) const {
    hcs::ProcessParameters parameters;
    parameters.CommandLine = root.command_line;
    parameters.User = operation_.user;
    parameters.WorkingDirectory = tree::display_path(
        Os::Windows,
        root.wanted.resolve(operation_.working_directory).value_or(operation_.working_directory));
    std::vector<std::string> environment;
    for (const auto& [name, value] : operation_.proxy_environment) environment.push_back(name + "=" + value);
    environment.insert(environment.end(), operation_.environment.begin(), operation_.environment.end());
    parameters.Environment = windows_environment(environment);
    parameters.CreateStdOutPipe = true;
    parameters.CreateStdErrPipe = true;
    return parameters;
}

void ExecStep::run_process(Container& container, const Root& root) {
    OutputTail tail;
    OutputLog out(*context_.progress, context_.vertex, 1, tail);
    OutputLog err(*context_.progress, context_.vertex, 2, tail);
    std::string shown = fmt::format("{}", fmt::join(operation_.arguments, " "));
    std::uint32_t code =
        base::with_context([&] { return fmt::format("process \"{}\"", shown); },
                           [&] {
                               return container.run(parameters(root), {nullptr, &out, &err}, context_.cancel);
                           });
    if (code == 0) return;
    base::Error error =
        fail(ErrorCode::Process, "process \"{}\" did not complete successfully: exit code: {}", shown, code);
    error.process(code, tail.text());
    if (auto hint = hcs::hint_for_command(root.command_line, code, tail.text())) error.hint(*hint);
    throw error;
}

// True if changes are lost, with the user's consent.
bool ExecStep::check_registry(const std::vector<hcs::RegistryChange>& changes) const {
    if (changes.empty()) return false;
    std::string list;
    for (std::size_t i = 0; i < changes.size() && i < kRegistryChangesShown; ++i) {
        list += (i == 0 ? "" : "\n") + hcs::to_string(changes[i]);
    }
    if (changes.size() > kRegistryChangesShown) {
        list += fmt::format("\n... and {} more", changes.size() - kRegistryChangesShown);
    }
    std::string message = fmt::format(
        "the step changed the registry ({} change{}), which cannot be written "
        "into the layer yet",
        changes.size(), changes.size() == 1 ? "" : "s");
    if (!parts_.options.allow_registry_loss) {
        throw fail(ErrorCode::Unsupported, "{}:\n{}", message, list)
            .hint("if the image does not need these changes, build with --allow-registry-loss");
    }
    context_.progress->emit(
        base::WarningEvent{context_.vertex, 1, message + "; they are lost", list, {}, {}});
    return true;
}

bool ExecStep::mounts_registry_loss() const {
    return std::any_of(operation_.mounts.begin(), operation_.mounts.end(), [&](const auto& mount) {
        return mount.input > 0 && inputs_.at(mount.input)->registry_lost();
    });
}

SnapshotRef ExecStep::snapshot(const tree::Tree& lower, const Root& root, const hcs::LayerChanges& changes,
                               base::FileTime started, bool registry_lost) {
    // Directories the step was given count as there: what is in them inherits from them.
    tree::ContentProvider& contents = parts_.blobs.contents();
    tree::Delta prepared = tree::diff(lower, root.wanted);
    tree::Delta made =
        delta_of_changes(changes, {root.wanted, started, epoch_, owner_sid_}, contents, context_.cancel);
    prepared.changes.insert(prepared.changes.end(), made.changes.begin(), made.changes.end());
    prepared.files_root = lower.root()->metadata;
    tree::canonicalise(prepared, lower);
    if (operation_.uniform_parents) tree::stamp_repeated_parents(prepared, lower, epoch_);
    auto layer =
        std::make_shared<Layer>(std::make_shared<const tree::Delta>(std::move(prepared)), registry_lost);
    parts_.writer.write(*layer, context_.cancel);
    return Snapshot::on_top(inputs_[0], std::move(layer));
}

}  // namespace mullion::worker
