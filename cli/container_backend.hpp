// The container backend of this host, made when a command needs it.
#pragma once

#include <filesystem>
#include <memory>

#include "cli/context.hpp"
#include "hcs/emulation.hpp"
#include "worker/worker.hpp"

namespace mullion::cli {

hcs::EmulationOptions emulation_options(const std::filesystem::path& state);

// Owns the services that `services()` points to. Where containers cannot run, services() says why and
// everything that needs none still works.
class ContainerBackend {
  public:
    explicit ContainerBackend(const Context& context);

    worker::ComputeServices services() const;
    // Makes the Wine layer if it is not there yet; quick otherwise. Nothing if containers cannot run.
    void prepare(const base::CancelToken& cancel) const;

  private:
    hcs::EmulationOptions options_;
    std::string problem_;
    std::unique_ptr<hcs::ComputeService> compute_;
    std::unique_ptr<hcs::LayerStorage> storage_;
};

}  // namespace mullion::cli
