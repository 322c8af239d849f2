#include "cli/registry_host.hpp"

#include <string_view>

#include "base/error.hpp"
#include "oci/reference.hpp"

namespace mullion::cli {

std::string registry_host(const std::string& text) {
    if (text.empty()) return "docker.io";
    std::string_view host = text;
    for (std::string_view scheme : {"https://", "http://"}) {
        if (host.starts_with(scheme)) host.remove_prefix(scheme.size());
    }
    host = host.substr(0, host.find('/'));
    // What is no host for a reference is none for us: "myregistry/app" is a repository of docker.io.
    oci::Reference reference = oci::Reference::parse(std::string(host) + "/name");
    if (reference.host() != host && host != "index.docker.io") {
        throw base::fail(base::ErrorCode::Invalid, "\"{}\" is no registry: its name has no dot and no port",
                         text);
    }
    return reference.host();
}

}  // namespace mullion::cli
