#include "cli/windows_host.hpp"

#include "hcs/host.hpp"

namespace mullion::cli {

std::optional<oci::WindowsHost> windows_host() {
    hcs::HostFacts facts = hcs::host_facts();
    return oci::WindowsHost{oci::OsVersion::parse(facts.version).value_or(oci::OsVersion{}), facts.is_server,
                            facts.has_hyperv};
}

}  // namespace mullion::cli
