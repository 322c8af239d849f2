#include "hcs/emulated_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "hcs/pipe.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using base::UniqueFd;
using namespace std::chrono_literals;

// A grandchild may keep an output open after the process' end.
constexpr auto kDrainLimit = 1s;
// What a process ended by force leaves behind (TerminateProcess by HCS).
constexpr std::uint32_t kTerminatedCode = 0xffffffff;

UniqueFd open_null() {
    UniqueFd fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!fd) throw base::system_error(errno, "cannot open /dev/null");
    return fd;
}

}  // namespace

EmulatedProcess::EmulatedProcess(std::shared_ptr<Box> box, std::uint32_t id, const Program& program,
                                 const ProcessStreams& streams)
    : box_(std::move(box)), id_(id) {
    Pipe in = streams.standard_input ? make_pipe() : Pipe{open_null(), {}};
    Pipe out = streams.standard_output ? make_pipe() : Pipe{{}, open_null()};
    Pipe err = streams.standard_error ? make_pipe() : Pipe{{}, open_null()};
    box_->spawn(std::to_string(id_), program.arguments, program.variables, in.read.get(), out.write.get(),
                err.write.get(), program.file);
    auto on_failure = [this] { kill(); };
    if (streams.standard_input)
        input_ = std::make_unique<InputPump>(std::move(in.write), *streams.standard_input,
                                             streams.interrupt_input);
    if (streams.standard_output) {
        output_ = std::make_unique<OutputPump>(std::move(out.read), *streams.standard_output, on_failure);
    }
    if (streams.standard_error) {
        error_ = std::make_unique<OutputPump>(std::move(err.read), *streams.standard_error, on_failure);
    }
}

EmulatedProcess::~EmulatedProcess() {
    if (!ended_) kill();
}

void EmulatedProcess::kill() {
    killed_ = true;
    box_->kill(std::to_string(id_));
}

void EmulatedProcess::finish_output() {
    auto deadline = std::chrono::steady_clock::now() + kDrainLimit;
    for (OutputPump* pump : {output_.get(), error_.get()}) {
        if (pump != nullptr) pump->finish(deadline);
    }
}

ProcessStatus EmulatedProcess::wait(std::optional<Deadline> deadline, const base::CancelToken& cancel) {
    ProcessStatus status;
    status.ProcessId = id_;
    std::optional<BoxExit> exit = box_->wait(std::to_string(id_), deadline, cancel);
    if (!exit) return status;
    ended_ = true;
    finish_output();
    status.Exited = true;
    if (exit->code) {
        status.ExitCode = *exit->code;
    } else if (killed_) {
        status.ExitCode = kTerminatedCode;
    } else {
        throw base::fail(ErrorCode::Process, "the launcher ended without an exit code (status {:#x})",
                         exit->unix_status);
    }
    return status;
}

void EmulatedProcess::signal(Signal signal) {
    if (signal == Signal::CtrlC) {
        throw base::fail(ErrorCode::Unsupported, "the emulation cannot deliver Ctrl-C to a process");
    }
    if (ended_) throw base::fail(ErrorCode::Invalid, "{}", describe(HcsError::ProcessAlreadyStopped));
    kill();
}

}  // namespace mullion::hcs
