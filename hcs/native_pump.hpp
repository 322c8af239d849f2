// Threads that carry bytes between a process' overlapped pipe handles and its sinks and source
// (hcs.md §1.3): what hcs/stream_pump.hpp is for the emulation.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <thread>

#include "base/stream.hpp"
#include "hcs/native_api.hpp"

namespace mullion::hcs {

// Reads a pipe into a sink until the end of the stream, or until told to finish.
class NativeOutputPump {
  public:
    // `on_failure` runs on the pump's thread when the sink throws.
    NativeOutputPump(base::UniqueHandle pipe, base::Sink& sink, std::function<void()> on_failure);
    ~NativeOutputPump();

    // Waits for the end of the stream, at most until `deadline`, then takes what is in the pipe. Throws what
    // the sink threw. Calling it again does nothing.
    void finish(std::chrono::steady_clock::time_point deadline);

  private:
    void run();
    bool pump_once();
    void read_rest();

    base::UniqueHandle pipe_;
    base::UniqueHandle stop_;  // events, reset by hand
    base::UniqueHandle done_;
    base::Sink& sink_;
    std::function<void()> on_failure_;
    std::exception_ptr failure_;
    std::thread thread_;
};

// Writes a source into a pipe until the source ends, the reader is gone or it is destroyed, and calls
// `at_end` (on its thread) before it closes the pipe.
class NativeInputPump {
  public:
    // `interrupt` ends a read of the source that waits (ProcessStreams::interrupt_input); may be empty.
    NativeInputPump(base::UniqueHandle pipe, base::Source& source, std::function<void()> interrupt,
                    std::function<void()> at_end);
    ~NativeInputPump();

  private:
    void run();
    bool write(const char* data, DWORD size);

    base::UniqueHandle pipe_;
    base::UniqueHandle stop_;
    base::Source& source_;
    std::function<void()> interrupt_;
    std::function<void()> at_end_;
    std::thread thread_;
};

}  // namespace mullion::hcs
