// The emulation as a backend of the conformance suites. Its Wine layer is made once a build tree.
#pragma once

#include "hcs/emulation.hpp"
#include "tests/conformance/hcs_backend.hpp"

namespace mullion::test {

inline hcs::EmulationOptions emulation_options() {
    hcs::EmulationOptions options;
    options.state = MULLION_TEST_STATE;
    options.limits.memory_in_mb = 4096;
    std::filesystem::create_directories(options.state);
    return options;
}

inline HcsBackendFactory emulated_backend() {
    return {"Emulated", hcs::emulation_problem, [](const BackendLimits& limits) {
                hcs::EmulationOptions options = emulation_options();
                options.limits.tasks = limits.tasks;
                options.limits.time_limit = limits.time_limit;
                hcs::prepare_emulation(options, {});
                return HcsBackend{hcs::make_emulated_compute_service(options),
                                  hcs::make_emulated_layer_storage(options)};
            }};
}

}  // namespace mullion::test
