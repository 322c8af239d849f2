// `run --publish`, as docker writes it.
#pragma once

#include <string>
#include <vector>

#include "hcs/network_schema.hpp"

namespace mullion::cli {

// "[HOSTIP:]HOSTPORT:CONTAINERPORT[/tcp|/udp]", where both ports may be ranges of one length ("8000-8009").
// 0.0.0.0 is all addresses. Throws Invalid quoting the text, Unsupported for what docker takes besides: ports
// of the host that are left to choose, SCTP, IPv6 addresses.
std::vector<hcs::PortMapping> parse_ports(const std::string& text);

}  // namespace mullion::cli
