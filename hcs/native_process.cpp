#include "hcs/native_process.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "hcs/native_operation.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A grandchild may keep an output open after the process' end.
constexpr auto kDrainLimit = 1s;
// How long the end of a killed process may go unreported before it is taken for granted.
constexpr auto kKillLimit = 5s;
constexpr std::chrono::milliseconds kRequestLimit = 30s;
// What a process ended by force leaves behind.
constexpr std::uint32_t kTerminatedCode = 0xffffffff;

constexpr const wchar_t* kCloseInput =
    L"{\"Operation\":\"CloseHandle\",\"CloseHandle\":{\"Handle\":\"StdIn\"}}";
constexpr const wchar_t* kControlC = L"{\"Signal\":\"CtrlC\"}";

}  // namespace

// The local ends of a new process' pipes: ours whatever happens to the request that brings them. Where there
// is no pipe there is NULL or INVALID_HANDLE_VALUE.
class NativeProcess::Handles {
  public:
    ~Handles() {
        for (HANDLE handle : {info.StdInput, info.StdOutput, info.StdError})
            base::UniqueHandle closed(handle);
    }
    base::UniqueHandle take(HANDLE HCS_PROCESS_INFORMATION::*member) {
        return base::UniqueHandle(std::exchange(info.*member, nullptr));
    }
    HCS_PROCESS_INFORMATION info = {};
};

NativeProcess::NativeProcess(const ProcessHost& host, const ProcessParameters& parameters,
                             const ProcessStreams& streams, const base::CancelToken& cancel)
    : host_(host), process_(nullptr, host.core->HcsCloseProcess) {
    Handles handles;
    create(parameters, handles, cancel);
    id_ = handles.info.ProcessId;
    try {
        Hresult result = hresult(host_.core->HcsSetProcessCallback(
            process_.get(), HcsEventOptionNone, subscription_.context(), Subscription::on_event));
        if (result.failed()) throw hcs_failure(result, "cannot watch a process");
        see_exit_that_came_first();
        host_.watch->carry(watch_);
        connect(streams, handles);
    } catch (...) {
        terminate(process_.get());
        throw;
    }
}

NativeProcess::~NativeProcess() {
    if (watch_->ended()) return;
    try {
        kill();
    } catch (const std::exception& error) {
        base::log("hcs").warn("process {} of {}: {}", id_, host_.system, error.what());
    }
}

// The request can fail although the process is there: then its handles are asked for once more, and if that
// fails too, the first failure counts.
void NativeProcess::create(const ProcessParameters& parameters, Handles& handles,
                           const base::CancelToken& cancel) {
    const std::string& directory = parameters.WorkingDirectory;
    Operation operation(host_.core, fmt::format("create a process in {}{}compute system {}", directory,
                                                directory.empty() ? "" : " of ", host_.system));
    HCS_PROCESS process = nullptr;
    HRESULT accepted = host_.core->HcsCreateProcess(host_.handle, base::to_wide(to_json(parameters)).c_str(),
                                                    operation.get(), nullptr, &process);
    process_.reset(process);
    operation.submitted(accepted);
    auto give_up = [&] { terminate(process_.get()); };
    try {
        operation.wait({.cancel = cancel, .give_up = give_up}, handles.info);
    } catch (const base::Error& error) {
        if (!process_ || !hresult_of(error)) throw;
        try {
            Operation again(host_.core, "ask for a process");
            again.submitted(host_.core->HcsGetProcessInfo(process_.get(), again.get()));
            again.wait({.limit = kRequestLimit, .cancel = cancel}, handles.info);
        } catch (const base::Error& second) {
            base::log("hcs").debug("{}", second.what());
            terminate(process_.get());
            throw error;
        }
    }
}

// HCS does not promise an event for what happened before the callback was there.
void NativeProcess::see_exit_that_came_first() {
    Operation operation(host_.core, "ask how a process stands");
    operation.submitted(host_.core->HcsGetProcessProperties(process_.get(), operation.get(), nullptr));
    std::string document = operation.wait({.limit = kRequestLimit});
    if (!document.empty() && parse_process_status(document).Exited) {
        watch_->end({Ending::Cause::Exited, std::move(document)});
    }
}

void NativeProcess::connect(const ProcessStreams& streams, Handles& handles) {
    auto output = [&](base::Sink* sink, HANDLE HCS_PROCESS_INFORMATION::*member, const char* name) {
        if (sink == nullptr) return std::unique_ptr<NativeOutputPump>();
        base::UniqueHandle pipe = handles.take(member);
        if (!pipe) throw base::fail(ErrorCode::Io, "HCS gave the process no {}", name);
        auto on_failure = [this] { terminate(process_.get()); };
        return std::make_unique<NativeOutputPump>(std::move(pipe), *sink, on_failure);
    };
    output_ = output(streams.standard_output, &HCS_PROCESS_INFORMATION::StdOutput, "standard output");
    error_ = output(streams.standard_error, &HCS_PROCESS_INFORMATION::StdError, "standard error");
    if (streams.standard_input == nullptr) return;
    base::UniqueHandle pipe = handles.take(&HCS_PROCESS_INFORMATION::StdInput);
    if (!pipe) throw base::fail(ErrorCode::Io, "HCS gave the process no standard input");
    input_ = std::make_unique<NativeInputPump>(std::move(pipe), *streams.standard_input,
                                               streams.interrupt_input, [this] { close_input(); });
}

// Fails where the process has ended, which is no loss.
void NativeProcess::close_input() {
    try {
        Operation operation(host_.core, "close the input of a process");
        operation.submitted(host_.core->HcsModifyProcess(process_.get(), operation.get(), kCloseInput));
        operation.wait({.limit = kRequestLimit});
    } catch (const base::Error& error) {
        base::log("hcs").debug("{}", error.what());
    }
}

void NativeProcess::finish_output() {
    auto deadline = Clock::now() + kDrainLimit;
    for (NativeOutputPump* pump : {output_.get(), error_.get()}) {
        if (pump != nullptr) pump->finish(deadline);
    }
}

ProcessStatus NativeProcess::status() {
    std::optional<Ending> ending = watch_->ended();
    switch (ending->cause) {
        case Ending::Cause::Exited:
            break;
        case Ending::Cause::SystemExited:
            throw base::fail(ErrorCode::Process, "compute system {} ended under its process: {}",
                             host_.system, describe(HcsError::Terminated));
        case Ending::Cause::ServiceGone:
            throw base::fail(ErrorCode::Process, "compute system {}: {}", host_.system,
                             describe(HcsError::ServiceDisconnect));
        case Ending::Cause::Unreported:
            return {id_, true, kTerminatedCode, 0};
    }
    if (!ending->document.empty()) return parse_process_status(ending->document);
    Operation operation(host_.core, "ask how a process ended");
    operation.submitted(host_.core->HcsGetProcessProperties(process_.get(), operation.get(), nullptr));
    return parse_process_status(operation.wait({.limit = kRequestLimit}));
}

ProcessStatus NativeProcess::wait(std::optional<Deadline> deadline, const base::CancelToken& cancel) {
    if (!watch_->wait(deadline, cancel)) return {id_, false, 0, 0};
    finish_output();
    ProcessStatus result = status();
    result.ProcessId = id_;
    result.Exited = true;
    return result;
}

void NativeProcess::signal(Signal signal) {
    if (watch_->ended()) {
        throw base::fail(ErrorCode::Invalid, "{}", describe(HcsError::ProcessAlreadyStopped));
    }
    if (signal == Signal::Kill) return kill();
    Operation operation(host_.core, "send Ctrl-C to a process");
    operation.submitted(host_.core->HcsSignalProcess(process_.get(), operation.get(), kControlC));
    operation.wait({.limit = kRequestLimit});
}

// Its end is what counts, not what the request says: a process that is dying already denies access.
void NativeProcess::terminate(HCS_PROCESS process) {
    if (process == nullptr) return;
    try {
        Operation operation(host_.core, "end a process");
        operation.submitted(host_.core->HcsTerminateProcess(process, operation.get(), nullptr));
        operation.wait({.limit = kRequestLimit});
    } catch (const base::Error& error) {
        base::log("hcs").debug("{}", error.what());
    }
}

// HCS delivers the signals of one system handle one after another: a Ctrl-C that hangs would hold up what is
// sent by the same.
bool NativeProcess::terminate_by_another_handle() {
    HCS_SYSTEM system = nullptr;
    if (hresult(host_.core->HcsOpenComputeSystem(base::to_wide(host_.system).c_str(), GENERIC_ALL, &system))
            .failed())
        return false;
    UniqueSystem own_system(system, host_.core->HcsCloseComputeSystem);
    HCS_PROCESS process = nullptr;
    if (hresult(host_.core->HcsOpenProcess(system, id_, GENERIC_ALL, &process)).failed()) return false;
    UniqueProcess own_process(process, host_.core->HcsCloseProcess);
    terminate(process);
    return true;
}

void NativeProcess::kill() {
    if (!terminate_by_another_handle()) terminate(process_.get());
    if (watch_->wait(Clock::now() + kKillLimit, {})) return;
    base::log("hcs").warn("the end of process {} of {} was not reported", id_, host_.system);
    watch_->end({Ending::Cause::Unreported});
}

}  // namespace mullion::hcs
