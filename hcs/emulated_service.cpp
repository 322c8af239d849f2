// ComputeService on boxes: documents, states, users.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/private_file.hpp"
#include "base/synced.hpp"
#include "hcs/emulated_network.hpp"
#include "hcs/emulated_pipe.hpp"
#include "hcs/emulated_plan.hpp"
#include "hcs/emulated_process.hpp"
#include "hcs/emulation.hpp"
#include "hcs/launch.hpp"
#include "hcs/wine_layer.hpp"
#include "hcs/wine_runtime.hpp"
#include "tree/name.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
namespace fs = std::filesystem;

constexpr const char* kResolverFile = "/etc/resolv.conf";
constexpr const char* kDefaultUser = "ContainerAdministrator";

[[noreturn]] void refuse(HcsError error, const std::string& id) {
    throw base::fail(ErrorCode::Invalid, "compute system {}: {}", id, describe(error));
}

// Ids in use by one service. Shared with its systems, which may be destroyed on any thread.
using Ids = base::Synced<std::set<std::string>>;

class EmulatedSystem final : public ComputeSystem {
  public:
    // `resolver` is its resolv.conf, "" for the host's.
    EmulatedSystem(std::string id, const ComputeSystemDocument& document, const EmulationOptions& options,
                   Scratch scratch, std::string resolver, std::shared_ptr<Ids> ids)
        : id_(std::move(id)),
          document_(document),
          options_(options),
          scratch_(std::move(scratch)),
          resolver_(std::move(resolver)),
          ids_(std::move(ids)) {}
    ~EmulatedSystem() override;

    const std::string& id() const override { return id_; }
    SystemState state() const override {
        std::lock_guard lock(mutex_);
        return state_;
    }
    void start(const base::CancelToken& cancel) override;
    std::unique_ptr<Process> create_process(const ProcessParameters& parameters,
                                            const ProcessStreams& streams,
                                            const base::CancelToken& cancel) override;
    Statistics statistics() override;
    SystemExitStatus shut_down(const base::CancelToken& cancel) override;
    void terminate() override;

  private:
    void fill_prefix(const WineLayer& wine);
    std::string user_of(const ProcessParameters& parameters) const;
    std::uint32_t processors() const;
    void set_scratch_state(ScratchState state);

    std::string id_;
    ComputeSystemDocument document_;
    EmulationOptions options_;
    Scratch scratch_;
    std::string resolver_;
    std::shared_ptr<Ids> ids_;
    mutable std::mutex mutex_;
    SystemState state_ = SystemState::Created;
    std::optional<WineLayer> wine_;  // what the box stands on
    std::shared_ptr<Box> box_;
    std::vector<std::unique_ptr<EmulatedPipe>> pipes_;
    std::uint32_t next_process_ = 1;
};

EmulatedSystem::~EmulatedSystem() {
    try {
        terminate();
    } catch (const std::exception& error) {
        base::log("hcs").warn("compute system {}: {}", id_, error.what());
    }
    ids_->with([&](auto& ids) { ids.erase(id_); });
}

void EmulatedSystem::set_scratch_state(ScratchState state) {
    scratch_.state = state;
    scratch_.save();
}

// A scratch that had a system before keeps the registry it left.
void EmulatedSystem::fill_prefix(const WineLayer& wine) {
    if (fs::exists(scratch_.prefix())) return;
    make_prefix(scratch_.prefix());
    for (const char* name : kHiveFiles) {
        base::write_file_atomic(scratch_.prefix() / name,
                                wine.hive(name, scratch_.os_version, scratch_.host_name));
    }
}

void EmulatedSystem::start(const base::CancelToken& cancel) {
    std::lock_guard lock(mutex_);
    if (state_ != SystemState::Created) refuse(HcsError::InvalidState, id_);
    wine_.emplace(WineLayer::open(options_.state, cancel));
    const WineLayer& wine = *wine_;
    if (scratch_.host_name.empty())
        scratch_.host_name = host_name_of(document_);  // else check_matches saw to it
    BoxPlan plan = plan_box(document_, options_, scratch_);
    plan.root = wine.root();
    plan.lowers = {wine.files_for(scratch_.layer_files())};
    for (const fs::path& files : scratch_.layer_files()) plan.lowers.push_back(files);
    std::optional<base::PrivateFile> resolver;
    if (!resolver_.empty()) {
        resolver.emplace(resolver_);
        plan.mappings.push_back({BoxMapping::Kind::Copy, resolver->path(), kResolverFile, true});
    }
    fill_prefix(wine);
    // overlayfs wants an empty one each time.
    base::remove_tree(scratch_.work());
    fs::create_directory(scratch_.work());
    set_scratch_state(ScratchState::Running);
    try {
        box_ = std::make_shared<Box>(plan, cancel);
        for (const MappedPipe& pipe : document_.Container.MappedPipes)
            pipes_.push_back(std::make_unique<EmulatedPipe>(box_, next_process_++, pipe, cancel));
    } catch (...) {
        pipes_.clear();
        box_.reset();
        state_ = SystemState::Stopped;
        set_scratch_state(ScratchState::Terminated);
        throw;
    }
    state_ = SystemState::Running;
}

std::string EmulatedSystem::user_of(const ProcessParameters& parameters) const {
    if (parameters.User.empty()) return kDefaultUser;
    std::vector<std::string> known = scratch_.users;
    known.insert(known.end(), {"ContainerAdministrator", "ContainerUser"});
    for (const std::string& user : known) {
        if (tree::names_equal(tree::Os::Windows, user, parameters.User)) return user;
    }
    throw base::fail(ErrorCode::NotFound, "the image has no user {}", tree::printable(parameters.User));
}

std::uint32_t EmulatedSystem::processors() const {
    const std::optional<Processor>& processor = document_.Container.Processor;
    auto host = static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN));
    return processor && processor->Count != 0 ? std::min(processor->Count, host) : host;
}

void check_supported(const ProcessParameters& parameters) {
    auto unsupported = [](const char* member) {
        throw base::fail(ErrorCode::Unsupported, "$.{}: not supported by the emulation", member);
    };
    if (!parameters.ApplicationName.empty()) unsupported("ApplicationName");
    if (parameters.RestrictedToken) unsupported("RestrictedToken");
    if (parameters.EmulateConsole) unsupported("EmulateConsole");
    if (parameters.ConsoleSize) unsupported("ConsoleSize");
    if (std::optional<std::string> pretender = pretending_command(parameters.CommandLine)) {
        throw base::fail(ErrorCode::Unsupported, "$.CommandLine: {}", *pretender);
    }
}

std::unique_ptr<Process> EmulatedSystem::create_process(const ProcessParameters& parameters,
                                                        const ProcessStreams& streams,
                                                        const base::CancelToken& cancel) {
    cancel.check();
    check_process(parameters, streams);
    check_supported(parameters);
    std::lock_guard lock(mutex_);
    if (state_ != SystemState::Running) refuse(HcsError::InvalidState, id_);
    LaunchContext context{user_of(parameters), scratch_.host_name, processors()};
    std::uint32_t process = next_process_++;
    std::string directory = parameters.WorkingDirectory.empty() ? "C:\\" : parameters.WorkingDirectory;
    EmulatedProcess::Program program{
        loader_arguments(std::to_string(process)), loader_variables(context.user),
        launch_file(directory, parameters.CommandLine, environment_block(context, parameters.Environment))};
    return std::make_unique<EmulatedProcess>(box_, process, program, streams);
}

Statistics EmulatedSystem::statistics() {
    std::lock_guard lock(mutex_);
    if (state_ != SystemState::Running) refuse(HcsError::InvalidState, id_);
    return box_->statistics();
}

SystemExitStatus EmulatedSystem::shut_down(const base::CancelToken& cancel) {
    std::lock_guard lock(mutex_);
    if (state_ != SystemState::Running) refuse(HcsError::InvalidState, id_);
    state_ = SystemState::Stopped;
    pipes_.clear();
    try {
        box_->stop(cancel);
    } catch (...) {
        box_->terminate();
        set_scratch_state(ScratchState::Terminated);
        throw;
    }
    set_scratch_state(ScratchState::Clean);
    return {0, "GracefulExit"};
}

void EmulatedSystem::terminate() {
    std::lock_guard lock(mutex_);
    bool running = state_ == SystemState::Running;
    state_ = SystemState::Stopped;
    if (!running) return;
    pipes_.clear();
    box_->terminate();
    set_scratch_state(ScratchState::Terminated);
}

class EmulatedComputeService final : public ComputeService {
  public:
    explicit EmulatedComputeService(const EmulationOptions& options)
        : options_(options), networks_(options.allow_host_network) {}

    std::unique_ptr<ComputeSystem> create(const std::string& id, const ComputeSystemDocument& document,
                                          const base::CancelToken& cancel) override {
        cancel.check();
        validate(document);
        check_supported(document, options_);
        Scratch scratch = load_scratch(document.Container.Storage.Path);
        check_matches(document, scratch);
        if (scratch.state == ScratchState::Running) {
            throw base::fail(ErrorCode::Invalid, "$.Container.Storage.Path: the scratch is in use");
        }
        if (scratch.state == ScratchState::Terminated) {
            throw base::fail(
                ErrorCode::Invalid,
                "$.Container.Storage.Path: the scratch is incomplete: its last system was terminated");
        }
        std::string resolver = networks_.take_resolver(document.Container.Networking);
        bool fresh = ids_->with([&](auto& ids) { return ids.insert(id).second; });
        if (!fresh) {
            throw base::fail(ErrorCode::Exists, "compute system {}: {}", id,
                             describe(HcsError::SystemAlreadyExists));
        }
        return std::make_unique<EmulatedSystem>(id, document, options_, std::move(scratch),
                                                std::move(resolver), ids_);
    }

    std::unique_ptr<ComputeSystem> create_hyperv(const std::string&, const ComputeSystemDocument&,
                                                 const std::filesystem::path&,
                                                 const base::CancelToken&) override {
        throw base::fail(ErrorCode::Unsupported, "the emulation has no Hyper-V isolation");
    }

    void check_network(const NetworkSpec& spec) const override { networks_.check(spec); }
    std::optional<Networking> networking(const NetworkSpec& spec) override { return networks_.make(spec); }

    MappedDirectory memory_directory(const std::string& container_path, std::uint64_t size) override {
        return {fmt::format("{}{}", kMemoryDirectory, size), container_path, false};
    }

  private:
    EmulationOptions options_;
    EmulatedNetworks networks_;
    std::shared_ptr<Ids> ids_ = std::make_shared<Ids>();
};

}  // namespace

std::unique_ptr<ComputeService> make_emulated_compute_service(const EmulationOptions& options) {
    return std::make_unique<EmulatedComputeService>(options);
}

void prepare_emulation(const EmulationOptions& options, const base::CancelToken& cancel) {
    WineLayer::open(options.state, cancel);
}

bool emulation_prepared(const EmulationOptions& options) {
    return WineLayer::is_there(options.state);
}

std::optional<std::string> emulation_problem() {
    if (std::optional<std::string> problem = wine_problem()) return problem;
    return box_problem();
}

}  // namespace mullion::hcs
