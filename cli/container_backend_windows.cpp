#include "cli/container_backend.hpp"

namespace mullion::cli {

struct ContainerBackend::State {
    std::string problem = "native HCS is not in this build yet";
};

ContainerBackend::ContainerBackend(const Context&) : state_(std::make_unique<State>()) {}

ContainerBackend::~ContainerBackend() = default;

worker::ComputeServices ContainerBackend::services() const {
    return {nullptr, nullptr, state_->problem};
}

void ContainerBackend::prepare(const base::CancelToken&) const {}

}  // namespace mullion::cli
