// Threads that carry bytes between a process' pipes and its sinks and source.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <thread>

#include "base/handle.hpp"
#include "base/stream.hpp"

namespace mullion::hcs {

// Reads a pipe into a sink until the end of the stream, or until told to finish.
class OutputPump {
  public:
    // `on_failure` runs on the pump's thread when the sink throws.
    OutputPump(base::UniqueFd pipe, base::Sink& sink, std::function<void()> on_failure);
    ~OutputPump();

    // Waits for the end of the stream, at most until `deadline`, then takes what is in the pipe. Throws what
    // the sink threw.
    void finish(std::chrono::steady_clock::time_point deadline);

  private:
    void run();
    std::size_t read_some(std::size_t most);
    void read_rest();

    base::UniqueFd pipe_;
    base::UniqueFd stop_;  // an eventfd
    base::UniqueFd done_;  // an eventfd
    base::Sink& sink_;
    std::function<void()> on_failure_;
    std::exception_ptr failure_;
    std::thread thread_;
};

// Writes a source into a pipe and closes it at the end, or when the reader is gone, or when destroyed.
class InputPump {
  public:
    // `interrupt` ends a read of the source that waits (ProcessStreams::interrupt_input); may be empty.
    InputPump(base::UniqueFd pipe, base::Source& source, std::function<void()> interrupt);
    ~InputPump();

  private:
    void run();

    base::UniqueFd pipe_;
    base::UniqueFd stop_;
    base::Source& source_;
    std::function<void()> interrupt_;
    std::thread thread_;
};

}  // namespace mullion::hcs
