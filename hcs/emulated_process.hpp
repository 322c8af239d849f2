// A process in a box.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "hcs/box.hpp"
#include "hcs/compute_system.hpp"
#include "hcs/stream_pump.hpp"

namespace mullion::hcs {

class EmulatedProcess final : public Process {
  public:
    // What to run, as hcs/launch.hpp makes it.
    struct Program {
        std::vector<std::string> arguments;
        std::vector<std::string> variables;
        std::string file;
    };

    EmulatedProcess(std::shared_ptr<Box> box, std::uint32_t id, const Program& program,
                    const ProcessStreams& streams);
    ~EmulatedProcess() override;

    std::uint32_t id() const override { return id_; }
    ProcessStatus wait(std::optional<Deadline> deadline, const base::CancelToken& cancel) override;
    void signal(Signal signal) override;

  private:
    void finish_output();
    void kill();

    std::shared_ptr<Box> box_;
    std::uint32_t id_;
    std::unique_ptr<InputPump> input_;
    std::unique_ptr<OutputPump> output_;
    std::unique_ptr<OutputPump> error_;
    std::atomic<bool> killed_ = false;
    std::atomic<bool> ended_ = false;
};

}  // namespace mullion::hcs
