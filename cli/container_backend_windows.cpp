#include <mutex>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
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

namespace {

// Made when the first layer goes: most commands remove none, and need no privileges.
class LayerRemover {
  public:
    explicit LayerRemover(std::filesystem::path state) : state_(std::move(state)) {}

    void remove(const std::filesystem::path& folder) {
        if (hcs::LayerStorage* made = storage()) return made->remove_layer(folder);
        try {
            hcs::enable_layer_privileges();
        } catch (const base::Error& error) {
            base::log("cli").debug("removing {} without privileges: {}", folder.string(), error.what());
        }
        base::remove_tree(folder);
    }

  private:
    // Null where the feature Containers is gone, and with it whatever could be using a layer.
    hcs::LayerStorage* storage() {
        std::lock_guard lock(mutex_);
        try {
            if (!storage_) storage_ = hcs::make_native_layer_storage({.state = state_});
        } catch (const base::Error& error) {
            if (error.code() != base::ErrorCode::Unsupported) throw;
        }
        return storage_.get();
    }

    std::filesystem::path state_;
    std::mutex mutex_;
    std::unique_ptr<hcs::LayerStorage> storage_;
};

}  // namespace

cache::RemoveLayer layer_remover(const std::filesystem::path& state) {
    auto remover = std::make_shared<LayerRemover>(state);
    return [remover](const std::filesystem::path& folder) { remover->remove(folder); };
}

}  // namespace mullion::cli
