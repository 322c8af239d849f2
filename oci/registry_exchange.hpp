// One request to a registry with everything that belongs to it: authorization, redirects, scheme. Internal to
// the room.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "oci/http_client.hpp"
#include "oci/reference.hpp"
#include "oci/registry_auth.hpp"
#include "oci/registry_hosts.hpp"

namespace mullion::oci {

// An endpoint in use.
struct RegistryRoute {
    RegistryEndpoint endpoint;
    RegistryAuth::Server server;
    std::unique_ptr<HttpClient> http;

    // "BASE/PATH/KIND/NAME"
    std::string url(const Reference& repository, std::string_view kind, std::string_view name) const;
};

// Thread-safe.
class RegistryExchange {
  public:
    RegistryExchange(RegistryHostOptions options, Keychain& keychain)
        : options_(std::move(options)), auth_(keychain), elsewhere_(options_.http) {}

    // The servers of a host, in the order to be tried.
    const std::vector<std::unique_ptr<RegistryRoute>>& routes(const std::string& host,
                                                              const base::CancelToken& cancel);

    // Sends the request; a 401 is answered, a redirect of GET and HEAD followed, at most ten times. Both
    // credentials and the endpoint's own headers go to the endpoint itself only. Returns the last response,
    // whatever its status.
    HttpResponse send(RegistryRoute& route, HttpRequest request, const AuthScopes& scopes, HttpSink* sink,
                      const base::CancelToken& cancel);
    // For URLs that are no registry's.
    HttpClient& elsewhere() { return elsewhere_; }

    // Throws for a response that is no success. `what`: "manifest latest".
    [[noreturn]] void refuse(const RegistryRoute& route, const HttpResponse& response,
                             const std::string& what, const base::CancelToken& cancel);

  private:
    class CountedSink;
    HttpResponse follow(RegistryRoute& route, const HttpRequest& request, CountedSink& sink,
                        const base::CancelToken& cancel);
    void settle_scheme(RegistryEndpoint& endpoint, const base::CancelToken& cancel) const;
    // Is there an HTTP server at `base` that means what we mean?
    static bool answers(const RegistryEndpoint& endpoint, const std::string& base,
                        const base::CancelToken& cancel);

    RegistryHostOptions options_;
    RegistryAuth auth_;
    HttpClient elsewhere_;
    std::mutex mutex_;
    std::map<std::string, std::vector<std::unique_ptr<RegistryRoute>>> routes_;
};

}  // namespace mullion::oci
