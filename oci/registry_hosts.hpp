// Where a registry is: the servers that answer for a host name of references, and how to talk to them.
//
// A directory for each host says so, as containerd has it (docs/hosts.md there): DIR/HOST/hosts.toml, where
// the port may be written "HOST_PORT_" as well, else DIR/_default/hosts.toml:
//
//     server = "https://registry-1.docker.io"      the registry itself; default: the host, by https
//     capabilities = ["pull", "resolve", "push"]   of the server; so are the keys below
//     [host."https://mirror.example"]              asked first, in the order of the file
//       capabilities = ["pull"]                    resolve: what a tag stands for
//       ca = "ca.pem"                              beside the system's; or a list
//       client = [["client.cert", "client.key"]]   or one file that has both
//       skip_verify = true
//       override_path = true                       the URL's path is the API's: no "/v2" behind it
//       dial_timeout = "5s"
//       [host."https://mirror.example".header]
//         x-team = "builds"
//
// Files are relative to the directory. A directory without hosts.toml is Docker's: *.crt are authorities,
// *.cert with the *.key of the same name prove who we are.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "oci/http_client.hpp"

namespace mullion::oci {

// One server. What it may be used for is up to whoever configured it.
struct RegistryEndpoint {
    std::string base;         // "https://registry-1.docker.io/v2"
    std::string credentials;  // the name they are kept under: "docker.io", of a mirror its own host
    bool pull = true;
    bool resolve = true;  // may it say what a tag stands for?
    bool push = true;
    bool may_be_plain = false;  // if https is not spoken there, http is
    std::string mirror_of;      // told to the server as "ns"; empty: the server is the registry itself
    HttpHeaders headers;        // sent to this server only
    HttpOptions http;
};

struct RegistryHostOptions {
    HttpOptions http;                   // of every endpoint, unless it has its own
    std::vector<std::string> insecure;  // "HOST[:PORT]": any certificate will do, or none at all
    // The first that has something about a host counts.
    std::vector<std::filesystem::path> directories;
};

// The endpoints of `host`, in the order to be tried; at least one. Registries on this very machine may be
// without TLS, as everywhere. Throws Invalid or Unsupported for a file that cannot be understood, naming file
// and key.
std::vector<RegistryEndpoint> registry_endpoints(const std::string& host, const RegistryHostOptions& options);

}  // namespace mullion::oci
