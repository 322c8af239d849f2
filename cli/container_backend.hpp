// The container backend of this host, made when a command needs it.
#pragma once

#include <filesystem>
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

// How the layer folders of a state directory are removed on this host, whether or not containers can run.
cache::RemoveLayer layer_remover(const std::filesystem::path& state);

}  // namespace mullion::cli
