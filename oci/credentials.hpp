// Who we are to a registry, and where that is written down.
#pragma once

#include <optional>
#include <string>

#include "base/cancel.hpp"

namespace mullion::oci {

struct Credential {
    std::string username;
    std::string password;
    std::string identity_token;  // a refresh token (OAuth 2), instead of a password
    std::string registry_token;  // a bearer token, sent as it is
    bool operator==(const Credential&) const = default;
};

class Keychain {
  public:
    virtual ~Keychain() = default;
    // For a registry ("docker.io", "registry.example:5000") and a repository there ("library/app"; empty: the
    // registry as such); nullopt: nobody in particular. Called from any thread. Throws what ends the request:
    // a helper that fails, a file that cannot be read.
    virtual std::optional<Credential> find(const std::string& host, const std::string& repository,
                                           const base::CancelToken& cancel) = 0;
};

// The same for every registry.
class FixedKeychain final : public Keychain {
  public:
    explicit FixedKeychain(std::optional<Credential> credential = {}) : credential_(std::move(credential)) {}
    std::optional<Credential> find(const std::string&, const std::string&,
                                   const base::CancelToken&) override {
        return credential_;
    }

  private:
    std::optional<Credential> credential_;
};

}  // namespace mullion::oci
