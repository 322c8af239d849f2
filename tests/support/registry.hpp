// Registries for tests: Debian's docker-registry on a loopback port, and a proxy before it that makes trouble
// (registry_proxy.py).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "tests/support/child.hpp"
#include "tests/support/http_server.hpp"

namespace mullion::test {

class DockerRegistry {
  public:
    enum class Auth { None, Password };
    struct Options {
        Auth auth = Auth::None;
        std::filesystem::path certificate;  // PEM, with its key: https
        std::filesystem::path client_ca;    // asks clients for a certificate of this authority
        std::string proxy_of = {};          // a pull-through cache of this URL
        bool read_only = false;
    };
    static constexpr const char* kUser = "builder";
    static constexpr const char* kPassword = "correct horse";

    explicit DockerRegistry(const Options& options);
    DockerRegistry() : DockerRegistry(Options()) {}

    // "127.0.0.1:PORT"
    std::string host() const { return "127.0.0.1:" + port_; }
    const std::string& port() const { return port_; }
    // Of its own access log: "METHOD PATH STATUS" of every request so far.
    std::vector<std::string> requests() const;
    // How many of them begin with `method`, have `part` in them and end with ` status`.
    std::size_t count(std::string_view method, std::string_view part, std::string_view status) const;

  private:
    base::TempDir directory_;
    std::unique_ptr<Child> child_;
    std::string port_;
};

// See registry_proxy.py.
class RegistryProxy {
  public:
    explicit RegistryProxy(const DockerRegistry& upstream);

    std::string host() const { return "127.0.0.1:" + port_; }
    // The JSON of FAULTS.
    void set(std::string_view json) const;
    std::vector<HttpServer::Request> requests() const;
    void forget_requests() const;

  private:
    base::TempDir directory_;
    std::unique_ptr<Child> child_;
    std::string port_;
};

// An authority, a server certificate of it for 127.0.0.1 (with its key) and one of a client, made by openssl.
struct Certificates {
    explicit Certificates(const std::filesystem::path& directory);
    std::filesystem::path authority;
    std::filesystem::path server;
    std::filesystem::path client;
    std::filesystem::path client_key;
};

}  // namespace mullion::test
