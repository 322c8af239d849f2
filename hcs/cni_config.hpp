// Network configurations of CNI for the Windows plugins nat and sdnbridge (hcs.md §6.2; CNI
// specification 1.0, "Network configuration format"), for whoever has one already: we do what the plugins
// would, by HCN itself.
#pragma once

#include <string_view>

#include "hcs/network_schema.hpp"

namespace mullion::hcs {

struct CniConfig {
    // Found by its name; made from this if it is a NAT network and not there.
    HostNetwork network;
    bool port_mappings = false;  // what the file says the network can do
    bool dns = false;
};

// One configuration, or a list with one plugin. Versions 0.2.0, 0.3.0, 0.4.0 and 1.0.0. The case of members
// does not count, as for the plugins. Throws Invalid naming the member, Unsupported for other plugins and
// versions and for every member of a plugin that we do not heed (policies, optional flags, chained plugins,
// other address managers).
CniConfig parse_cni_config(std::string_view json);

}  // namespace mullion::hcs
