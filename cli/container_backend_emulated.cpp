#include "cli/container_backend.hpp"
#include "cli/emulation_options.hpp"

namespace mullion::cli {

hcs::EmulationOptions emulation_options(const std::filesystem::path& state) {
    hcs::EmulationOptions options;
    options.state = state;
    // Steps download packages; `--network none` takes the network away from a container.
    options.allow_host_network = true;
    // The worker has a limit for each container (worker::Limits), or none where the user wants none.
    options.limits.time_limit.reset();
    return options;
}

struct ContainerBackend::State {
    hcs::EmulationOptions options;
    std::string problem;
    std::unique_ptr<hcs::ComputeService> compute;
    std::unique_ptr<hcs::LayerStorage> storage;
};

ContainerBackend::ContainerBackend(const Context& context) : state_(std::make_unique<State>()) {
    state_->options = emulation_options(context.state_directory());
    if (auto problem = hcs::emulation_problem()) {
        state_->problem = *problem;
        return;
    }
    state_->compute = hcs::make_emulated_compute_service(state_->options);
    state_->storage = hcs::make_emulated_layer_storage(state_->options);
}

ContainerBackend::~ContainerBackend() = default;

worker::ComputeServices ContainerBackend::services() const {
    return {state_->compute.get(), state_->storage.get(), state_->problem};
}

void ContainerBackend::prepare(const base::CancelToken& cancel) const {
    if (state_->compute) hcs::prepare_emulation(state_->options, cancel);
}

cache::RemoveLayer layer_remover(const std::filesystem::path& state) {
    std::shared_ptr<hcs::LayerStorage> storage = hcs::make_emulated_layer_storage(emulation_options(state));
    return [storage](const std::filesystem::path& folder) { storage->remove_layer(folder); };
}

}  // namespace mullion::cli
