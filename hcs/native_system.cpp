#include "hcs/native_system.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "hcs/native_operation.hpp"
#include "hcs/native_process.hpp"
#include "hcs/native_vm.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTerminateLimit = 30s;
constexpr std::chrono::milliseconds kStatisticsLimit = 10s;
// How long the end of a terminated system may go unreported before it is taken for granted.
constexpr auto kReportLimit = 5s;

}  // namespace

NativeSystem::NativeSystem(std::shared_ptr<const ComputeCore> core, const NativeOptions& options,
                           std::string id, const std::string& document,
                           std::unique_ptr<ContainerNetwork> network, const base::CancelToken& cancel,
                           std::unique_ptr<NativeVm> vm)
    : core_(std::move(core)),
      options_(options),
      id_(std::move(id)),
      network_(std::move(network)),
      vm_(std::move(vm)),
      system_(nullptr, core_->HcsCloseComputeSystem) {
    if (vm_) vm_->carry(watch_);
    create(document, cancel);
}

NativeSystem::~NativeSystem() {
    try {
        terminate();
    } catch (const std::exception& error) {
        base::log("hcs").warn("compute system {}: {}", id_, error.what());
    }
}

std::string NativeSystem::named(const char* verb) const {
    return fmt::format("{} compute system {}", verb, id_);
}

// A failing request may leave a handle all the same. The system behind it is ended only if the request was
// accepted: a refused one may have named somebody else's.
void NativeSystem::create(const std::string& document, const base::CancelToken& cancel) {
    Operation operation(core_, named("create"));
    HCS_SYSTEM system = nullptr;
    HRESULT accepted = core_->HcsCreateComputeSystem(
        base::to_wide(id_).c_str(), base::to_wide(document).c_str(), operation.get(), nullptr, &system);
    system_.reset(system);
    operation.submitted(accepted);
    Hresult watched = hresult(core_->HcsSetComputeSystemCallback(
        system_.get(), HcsEventOptionNone, subscription_.context(), Subscription::on_event));
    try {
        operation.wait({options_.create_limit, cancel, [&] { request_termination(); }});
        if (watched.failed()) throw hcs_failure(watched, fmt::format("cannot {}", named("watch")));
    } catch (const base::Error& error) {
        std::optional<Hresult> result = hresult_of(error);
        if (!result || !result->is(HcsError::SystemAlreadyExists)) request_termination();
        throw;
    }
}

SystemState NativeSystem::state() const {
    if (watch_->ended()) return SystemState::Stopped;
    std::lock_guard lock(mutex_);
    return state_;
}

void NativeSystem::enter(SystemState from, SystemState to) {
    std::lock_guard lock(mutex_);
    if (state_ != from || watch_->ended()) {
        throw base::fail(ErrorCode::Invalid, "compute system {}: {}", id_, describe(HcsError::InvalidState));
    }
    state_ = to;
}

void NativeSystem::start(const base::CancelToken& cancel) {
    enter(SystemState::Created, SystemState::Running);
    try {
        Operation operation(core_, named("start"));
        operation.submitted(core_->HcsStartComputeSystem(system_.get(), operation.get(), nullptr));
        operation.wait({options_.create_limit, cancel, [&] { request_termination(); }});
    } catch (...) {
        end_now();
        throw;
    }
}

std::unique_ptr<Process> NativeSystem::create_process(const ProcessParameters& parameters,
                                                      const ProcessStreams& streams,
                                                      const base::CancelToken& cancel) {
    cancel.check();
    check_process(parameters, streams);
    enter(SystemState::Running, SystemState::Running);
    return std::make_unique<NativeProcess>(ProcessHost{core_, id_, system_.get(), watch_}, parameters,
                                           streams, cancel);
}

Statistics NativeSystem::statistics() {
    enter(SystemState::Running, SystemState::Running);
    Operation operation(core_, named("ask for statistics of"));
    operation.submitted(core_->HcsGetComputeSystemProperties(system_.get(), operation.get(),
                                                             base::to_wide(statistics_query()).c_str()));
    return parse_statistics(operation.wait({.limit = kStatisticsLimit}));
}

// The request ends long before the system does, and when it fails there is termination: only the system's
// own end is waited for.
bool NativeSystem::ask_to_shut_down() {
    Operation operation(core_, named("shut down"));
    Hresult result = hresult(core_->HcsShutDownComputeSystem(system_.get(), operation.get(), nullptr));
    if (!result.failed() || result.handling() == HcsHandling::AlreadyGone) return true;
    base::log("hcs").warn("cannot {}: {}", named("shut down"), result.describe());
    return false;
}

SystemExitStatus NativeSystem::shut_down(const base::CancelToken& cancel) {
    enter(SystemState::Running, SystemState::Stopped);
    bool forced = false;
    try {
        forced = !ask_to_shut_down() || !watch_->wait(Clock::now() + options_.shut_down_limit, cancel);
    } catch (...) {
        end_now();
        throw;
    }
    if (forced) end_now();
    SystemExitStatus status = exit_status(forced);
    if (vm_) vm_->shut_down(cancel);
    return status;
}

void NativeSystem::modify(const std::string& request, const base::CancelToken& cancel) {
    enter(SystemState::Running, SystemState::Running);
    Operation operation(core_, named("change"));
    operation.submitted(core_->HcsModifyComputeSystem(system_.get(), operation.get(),
                                                      base::to_wide(request).c_str(), nullptr));
    operation.wait({options_.create_limit, cancel, [&] { request_termination(); }});
}

SystemExitStatus NativeSystem::exit_status(bool forced) const {
    std::optional<Ending> ending = watch_->ended();
    if (ending->cause == Ending::Cause::ServiceGone) {
        throw base::fail(ErrorCode::Process, "compute system {}: {}", id_,
                         describe(HcsError::ServiceDisconnect));
    }
    if (ending->cause == Ending::Cause::SystemExited) {
        throw base::fail(ErrorCode::Process, "compute system {}: its utility VM has ended", id_);
    }
    SystemExitStatus status;
    if (!ending->document.empty()) status = parse_system_exit_status(ending->document);
    if (status.ExitType == "UnexpectedExit") {
        throw hcs_failure(Hresult(static_cast<std::uint32_t>(status.Status)),
                          fmt::format("compute system {} exited unexpectedly", id_));
    }
    if (forced) status.ExitType = "ForcedExit";
    return status;
}

// That it has gone already is what was wanted.
void NativeSystem::request_termination() {
    if (!system_) return;
    try {
        Operation operation(core_, named("terminate"));
        operation.submitted(core_->HcsTerminateComputeSystem(system_.get(), operation.get(), nullptr));
        operation.wait({.limit = kTerminateLimit});
    } catch (const base::Error& error) {
        std::optional<Hresult> result = hresult_of(error);
        if (!result || result->handling() != HcsHandling::AlreadyGone) {
            base::log("hcs").warn("{}", error.what());
        }
    }
}

void NativeSystem::end_now() {
    {
        std::lock_guard lock(mutex_);
        state_ = SystemState::Stopped;
    }
    if (watch_->ended()) return;
    watch_->end_carried();
    request_termination();
    if (!watch_->wait(Clock::now() + kReportLimit, {})) watch_->end({Ending::Cause::Unreported});
}

void NativeSystem::terminate() {
    if (system_) end_now();
}

}  // namespace mullion::hcs
