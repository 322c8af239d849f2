// What the parts of a RegistryClient share. Internal to the room.
#pragma once

#include "oci/registry_client.hpp"
#include "oci/registry_exchange.hpp"

namespace mullion::oci {

AuthScopes pull_scope(const Reference& repository);
AuthScopes push_scope(const Reference& repository);

struct RegistryClient::Parts {
    Parts(RegistryOptions options_, Keychain& keychain)
        : options(std::move(options_)), exchange(options.hosts, keychain) {}

    template <typename Ask>
    auto ask_all(const std::string& host, bool RegistryEndpoint::*able, const base::CancelToken& cancel,
                 Ask&& ask);
    RegistryRoute& push_route(const std::string& host, const base::CancelToken& cancel);
    bool has_blob(RegistryRoute& route, const Reference& repository, const Descriptor& blob,
                  const base::CancelToken& cancel);

    RegistryOptions options;
    RegistryExchange exchange;
};

}  // namespace mullion::oci
