#include "cli/container_backend.hpp"

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

ContainerBackend::ContainerBackend(const Context& context)
    : options_(emulation_options(context.state_directory())) {
    if (auto problem = hcs::emulation_problem()) {
        problem_ = *problem;
        return;
    }
    compute_ = hcs::make_emulated_compute_service(options_);
    storage_ = hcs::make_emulated_layer_storage(options_);
}

worker::ComputeServices ContainerBackend::services() const {
    return {compute_.get(), storage_.get(), problem_};
}

void ContainerBackend::prepare(const base::CancelToken& cancel) const {
    if (compute_) hcs::prepare_emulation(options_, cancel);
}

}  // namespace mullion::cli
