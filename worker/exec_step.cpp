#include "worker/exec_step.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "base/error.hpp"
#include "base/log.hpp"
#include "tree/delta_times.hpp"
#include "tree/name.hpp"
#include "worker/exec_support.hpp"
#include "worker/file_editor.hpp"
#include "worker/isolation.hpp"
#include "worker/output_log.hpp"
#include "worker/staging.hpp"
#include "worker/step_changes.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;
using tree::Os;

constexpr std::string_view kFileDirectory = "Windows/Temp";
// The kernel stamps files with a clock that may run this much behind the one we read.
constexpr std::int64_t kClockSlack = base::FileTime::kTicksPerSecond / 10;
constexpr std::size_t kRegistryChangesShown = 10;
// Before a step is tried again; doubled each time.
constexpr std::chrono::seconds kFirstPause{1};
constexpr std::chrono::seconds kLongestPause{30};

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
        text.replace(at, what.size(), with);
    }
}

Limits limits_of(const solver::StepSettings& settings, Limits limits) {
    if (settings.memory_mb) limits.memory_mb = *settings.memory_mb;
    if (settings.processors) limits.processors = static_cast<std::uint32_t>(*settings.processors);
    if (settings.time_limit) limits.time_limit = std::chrono::seconds(*settings.time_limit);
    return limits;
}

// Another attempt can help only against what the step itself ran into.
bool worth_another_try(const base::Error& error) {
    return error.code() == ErrorCode::Process || error.code() == ErrorCode::TimedOut ||
           error.code() == ErrorCode::Exhausted;
}

// The command line as messages have it.
std::string shown_command(const solver::ExecOperation& operation) {
    std::string text = fmt::format("{}", fmt::join(operation.arguments, " "));
    for (const solver::StepFile& file : operation.files) replace_all(text, file.mark, "<heredoc>");
    return text;
}

}  // namespace

ExecStep::ExecStep(Worker::Parts& parts, const solver::ExecOperation& operation,
                   std::vector<SnapshotRef> inputs, const solver::ExecContext& context)
    : parts_(parts),
      operation_(operation),
      inputs_(std::move(inputs)),
      context_(context),
      mask_(visible_secrets(operation, parts.options)),
      epoch_(epoch_of(operation.epoch_ticks)) {
    require_services(parts_.services, "RUN");
    refuse_unsupported(operation_, parts_.options);
    if (inputs_.at(0)->os() != Os::Windows) {
        throw fail(ErrorCode::Unsupported, "RUN in a {} image is not built yet; only Windows images can run",
                   inputs_[0]->platform().os);
    }
    isolation_ =
        step_isolation(operation_.settings, inputs_[0]->platform().os_version, parts_.options).isolation;
    owner_sid_ = user_sid(operation_.user, {inputs_[0], parts_.blobs.contents(), context_.cancel});
}

SnapshotRef ExecStep::run() {
    std::chrono::seconds pause = kFirstPause;
    for (std::size_t attempt = 1;; ++attempt) {
        try {
            return try_once();
        } catch (const base::Error& error) {
            base::Error shown = mask_.empty() ? error : masked(error, mask_);
            if (attempt > operation_.settings.retries || !worth_another_try(error)) throw shown;
            context_.progress->emit(
                base::WarningEvent{context_.vertex,
                                   1,
                                   fmt::format("attempt {} of {} failed, trying again in {} s: {}", attempt,
                                               operation_.settings.retries + 1, pause.count(), shown.what()),
                                   "",
                                   {},
                                   {}});
        }
        if (context_.cancel.wait_for(pause)) context_.cancel.check();
        pause = std::min(pause * 2, kLongestPause);
    }
}

SnapshotRef ExecStep::try_once() {
    const Snapshot& rootfs = *inputs_[0];
    parts_.writer.write_all(rootfs, context_.cancel);
    const tree::Tree& lower = rootfs.tree(context_.cancel);
    Root root = prepare(lower);

    base::TempDir work(parts_.state.temporary_directory(), "run");
    StepMounts mounts(parts_, operation_, inputs_, work.path(), context_.cancel);
    RootFolders layers = root_folders(parts_, rootfs, root.staged, context_.cancel);
    ContainerSpec spec;
    spec.folders = layers.folders;
    spec.os_version = rootfs.platform().os_version;
    spec.isolation = isolation_;
    spec.host = parts_.options.host;
    spec.users = image_users(lower);
    spec.mounts = mounts.mapped();
    spec.pipes = mounts.pipes();
    spec.limits = limits_of(operation_.settings, parts_.options.limits);
    spec.network = network();

    base::FileTime started{base::FileTime::now().ticks - kClockSlack};
    Container container(parts_.services, work.path() / ("scratch-" + work.path().filename().string()), spec,
                        context_.cancel);
    run_process(container, root, mounts);
    hcs::LayerChanges changes = container.shut_down(context_.cancel);
    bool registry_lost = check_registry(changes.registry);
    return snapshot(lower, root, changes, started, registry_lost || mounts_registry_loss());
}

hcs::NetworkSpec ExecStep::network() const {
    if (operation_.network == solver::NetworkMode::None) return {};
    hcs::NetworkSpec spec = parts_.options.network;
    bool host = operation_.network == solver::NetworkMode::Host;
    spec.mode = host ? hcs::NetworkMode::Host : hcs::NetworkMode::Nat;
    return spec;
}

ExecStep::Root ExecStep::prepare(const tree::Tree& lower) const {
    tree::Tree wanted = with_directory(lower, operation_.working_directory, epoch_);
    Root root{wanted, wanted, fmt::format("{}", fmt::join(operation_.arguments, " "))};
    for (const solver::StepFile& file : operation_.files) {
        replace_all(root.command_line, file.mark, add_file(root.staged, file));
    }
    return root;
}

// Puts the file into the tree that the process sees and returns its Windows path. The name follows from the
// bytes, so that a step that prints it prints the same again.
std::string ExecStep::add_file(tree::Tree& staged, const solver::StepFile& content) const {
    solver::WriteFileAction file;
    std::string digest = base::Digest::of(content.data).hex().substr(0, 16);
    file.destination = fmt::format("{}/mullion-{}{}", kFileDirectory, digest, content.extension);
    file.data = content.data;
    FileEditor editor(staged, epoch_);
    editor.write_file(file);
    staged = editor.tree();
    return tree::display_path(Os::Windows, staged.fold_to_casing(file.destination));
}

hcs::ProcessParameters ExecStep::parameters(const Root& root, const StepMounts& mounts) const {
    hcs::ProcessParameters parameters;
    parameters.CommandLine = root.command_line;
    parameters.User = operation_.user;
    parameters.WorkingDirectory = tree::display_path(
        Os::Windows,
        root.wanted.resolve(operation_.working_directory).value_or(operation_.working_directory));
    std::vector<std::string> environment;
    for (const auto& [name, value] : operation_.proxy_environment) environment.push_back(name + "=" + value);
    for (const auto* more : {&operation_.environment, &mounts.environment()}) {
        environment.insert(environment.end(), more->begin(), more->end());
    }
    parameters.Environment = windows_environment(environment);
    parameters.CreateStdOutPipe = true;
    parameters.CreateStdErrPipe = true;
    return parameters;
}

void ExecStep::run_process(Container& container, const Root& root, const StepMounts& mounts) {
    OutputTail tail;
    OutputLog out_log(*context_.progress, context_.vertex, 1, tail);
    OutputLog err_log(*context_.progress, context_.vertex, 2, tail);
    MaskedSink out(mask_, out_log);
    MaskedSink err(mask_, err_log);
    std::string shown = shown_command(operation_);
    auto run = [&] {
        return container.run(parameters(root, mounts), {nullptr, &out, &err}, context_.cancel);
    };
    std::uint32_t code =
        base::with_context([&] { return fmt::format("process \"{}\"", shown); }, std::move(run));
    out.finish();
    err.finish();
    if (auto usage = container.usage()) {
        context_.progress->emit(base::UsageEvent{context_.vertex, *usage, base::FileTime::now()});
    }
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
        list += (i == 0 ? "" : "\n") + mask_.text(hcs::to_string(changes[i]));
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
    return std::any_of(inputs_.begin() + 1, inputs_.end(),
                       [](const SnapshotRef& input) { return input->registry_lost(); });
}

SnapshotRef ExecStep::snapshot(const tree::Tree& lower, const Root& root, const hcs::LayerChanges& changes,
                               base::FileTime started, bool registry_lost) {
    // Directories the step was given count as there: what is in them inherits from them.
    tree::ContentProvider& contents = parts_.blobs.contents();
    tree::Delta prepared = tree::diff(lower, root.wanted);
    tree::Delta made =
        delta_of_changes(changes, {root.wanted, started, epoch_, owner_sid_}, contents, context_.cancel);
    prepared.changes.insert(prepared.changes.end(), made.changes.begin(), made.changes.end());
    prepared.hives = std::move(made.hives);
    prepared.files_root = lower.root()->metadata;
    tree::canonicalise(prepared, lower);
    if (operation_.uniform_parents) tree::stamp_repeated_parents(prepared, lower, epoch_);
    auto layer =
        std::make_shared<Layer>(std::make_shared<const tree::Delta>(std::move(prepared)), registry_lost);
    parts_.writer.write(*layer, context_.cancel);
    return Snapshot::on_top(inputs_[0], std::move(layer));
}

}  // namespace mullion::worker
