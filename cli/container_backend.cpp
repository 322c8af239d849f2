#include "cli/container_backend.hpp"

namespace mullion::cli {

ContainerBackend::ContainerBackend(const Context& context) {
    options_.state = context.state_directory();
    // Steps download packages; `--network none` takes the network away from a container.
    options_.allow_host_network = true;
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
