// What containers of the emulation have for a network: the host's network namespace, shared. A port is
// published by being the host's own, so it keeps its number, and listens where its program does.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/synced.hpp"
#include "hcs/compute_system.hpp"

namespace mullion::hcs {

// Thread-safe.
class EmulatedNetworks {
  public:
    explicit EmulatedNetworks(bool allowed) : allowed_(allowed) {}

    // ComputeService::check_network and networking().
    void check(const NetworkSpec& spec) const;
    std::optional<Networking> make(const NetworkSpec& spec);

    // The resolv.conf of a container with this member, which may be asked for once; "" for the host's. Throws
    // Unsupported for a namespace that is none of ours.
    std::string take_resolver(const std::optional<Networking>& networking);

  private:
    bool allowed_;
    // By namespace, of networks with name servers of their own.
    base::Synced<std::map<std::string, std::string>> resolvers_;
};

}  // namespace mullion::hcs
