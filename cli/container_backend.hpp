// The container backend of this host, made when a command needs it.
#pragma once

#include <memory>

#include "cli/context.hpp"
#include "worker/worker.hpp"

namespace mullion::cli {

// Owns the services that `services()` points to. Where containers cannot run, services() says why and
// everything that needs none still works.
class ContainerBackend {
  public:
    explicit ContainerBackend(const Context& context);
    ~ContainerBackend();

    worker::ComputeServices services() const;
    // What has to be made once for all containers of a host is made if it is not there yet. Nothing if
    // containers cannot run.
    void prepare(const base::CancelToken& cancel) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mullion::cli
