#include "cli/context.hpp"

namespace mullion::cli {

std::filesystem::path Context::state_directory() const {
    return state_option.empty() ? cache::default_state_directory() : std::filesystem::path(state_option);
}

cache::State& Context::state() {
    if (!state_) state_ = std::make_unique<cache::State>(state_directory());
    return *state_;
}

}  // namespace mullion::cli
