#include "hcs/native_host.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "hcs/native_network.hpp"

namespace mullion::hcs {
namespace {

// A library that is there may be older than the functions we call.
template <typename Table>
void add_problem(std::vector<std::string>& problems, const char* library) {
    try {
        Library present(library);
    } catch (const base::Error&) {
        problems.push_back(fmt::format("there is no {}", library));
        return;
    }
    try {
        Table::load();
    } catch (const base::Error& error) {
        problems.emplace_back(error.what());
    }
}

}  // namespace

std::vector<std::string> missing_libraries() {
    std::vector<std::string> problems;
    add_problem<ComputeCore>(problems, "computecore.dll");
    add_problem<ComputeNetwork>(problems, "computenetwork.dll");
    add_problem<VmCompute>(problems, "vmcompute.dll");
    return problems;
}

std::optional<std::string> nat_network() {
    std::optional<HostNetwork> network = NativeNetworks().nat();
    return network ? std::optional(network->name) : std::nullopt;
}

void make_nat_network() {
    NativeNetworks().find("");
}

}  // namespace mullion::hcs
