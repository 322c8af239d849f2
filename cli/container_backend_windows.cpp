#include "base/error.hpp"
#include "cli/container_backend.hpp"
#include "hcs/native.hpp"

namespace mullion::cli {

struct ContainerBackend::State {
    std::string problem;
    std::unique_ptr<hcs::ComputeService> compute;
    std::unique_ptr<hcs::LayerStorage> storage;
};

ContainerBackend::ContainerBackend(const Context& context) : state_(std::make_unique<State>()) {
    try {
        state_->compute = hcs::make_native_compute_service();
        state_->storage = hcs::make_native_layer_storage({.state = context.state_directory()});
    } catch (const base::Error& error) {
        if (error.code() != base::ErrorCode::Unsupported && error.code() != base::ErrorCode::Denied) throw;
        state_->problem = error.what();
        if (!error.hint().empty()) state_->problem += "; " + error.hint();
    }
}

ContainerBackend::~ContainerBackend() = default;

worker::ComputeServices ContainerBackend::services() const {
    if (!state_->problem.empty()) return {nullptr, nullptr, state_->problem};
    return {state_->compute.get(), state_->storage.get(), ""};
}

// HCS is there from the start.
void ContainerBackend::prepare(const base::CancelToken&) const {}

}  // namespace mullion::cli
