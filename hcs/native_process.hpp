// A process in a compute system of computecore.dll.
#pragma once

#include <memory>
#include <string>

#include "hcs/compute_system.hpp"
#include "hcs/native_events.hpp"
#include "hcs/native_pump.hpp"

namespace mullion::hcs {

// What processes need of their system. `handle` must stay open as long as they live.
struct ProcessHost {
    std::shared_ptr<const ComputeCore> core;
    std::string system;  // its id
    HCS_SYSTEM handle;
    std::shared_ptr<Watch> watch;  // of the system
};

class NativeProcess final : public Process {
  public:
    // Throws what HCS answered, Canceled, or TimedOut; the process is then gone.
    NativeProcess(const ProcessHost& host, const ProcessParameters& parameters, const ProcessStreams& streams,
                  const base::CancelToken& cancel);
    ~NativeProcess() override;

    std::uint32_t id() const override { return id_; }
    ProcessStatus wait(std::optional<Deadline> deadline, const base::CancelToken& cancel) override;
    void signal(Signal signal) override;

  private:
    class Handles;

    void create(const ProcessParameters& parameters, Handles& handles, const base::CancelToken& cancel);
    void connect(const ProcessStreams& streams, Handles& handles);
    void see_exit_that_came_first();
    ProcessStatus status();
    void finish_output();
    void close_input();
    void kill();
    void terminate(HCS_PROCESS process);
    bool terminate_by_another_handle();

    ProcessHost host_;
    std::uint32_t id_ = 0;
    std::shared_ptr<Watch> watch_ = std::make_shared<Watch>();
    Subscription subscription_{watch_};
    UniqueProcess process_;
    std::unique_ptr<NativeOutputPump> output_;
    std::unique_ptr<NativeOutputPump> error_;
    std::unique_ptr<NativeInputPump> input_;
};

}  // namespace mullion::hcs
