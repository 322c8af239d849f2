// Proving to registries who we are: challenges, tokens and their lives (distribution-spec; Docker's token
// authentication, spec/auth/token.md and oauth.md). Internal to the room.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.hpp"
#include "oci/credentials.hpp"
#include "oci/http_client.hpp"

namespace mullion::oci {

// One scheme of a WWW-Authenticate header (RFC 9110 §11.6.1); scheme and names in lower case.
struct AuthChallenge {
    std::string scheme;
    std::map<std::string, std::string> parameters;
};
// What cannot be read is left out.
std::vector<AuthChallenge> parse_challenges(std::string_view header);

// "repository:library/app:pull"
using AuthScopes = std::set<std::string>;

// Thread-safe. Answers are kept as long as the server lets them live.
class RegistryAuth {
  public:
    explicit RegistryAuth(Keychain& keychain) : keychain_(keychain) {}

    struct Server {
        std::string origin;  // url_origin() of the registry
        std::string host;    // the name its credentials are kept under
    };

    // The value of "Authorization" that a request for these scopes should carry; nullopt: none so far.
    std::optional<std::string> authorization(const Server& server, const AuthScopes& scopes);

    // After a 401: finds an authorization better than the one `sent`. False if there is none. `http` reaches
    // the registry itself, `elsewhere` other token servers. Throws Denied if the token server refuses, and
    // what the keychain and the network throw.
    bool answer(const Server& server, const AuthScopes& scopes, const HttpResponse& response,
                const std::optional<std::string>& sent, HttpClient& http, HttpClient& elsewhere,
                const base::CancelToken& cancel);

    bool has_credential(const Server& server, const base::CancelToken& cancel) {
        return keychain_.find(server.host, "", cancel).has_value();
    }

  private:
    using Clock = std::chrono::steady_clock;
    struct Token {
        std::string header;
        Clock::time_point expires;
    };
    struct TokenRequest {
        const Server& server;
        const AuthScopes& scopes;
        const AuthChallenge& challenge;
        HttpClient& http;
        HttpClient& elsewhere;
        const base::CancelToken& cancel;
    };

    std::optional<std::string> known(const Server& server, const AuthScopes& scopes);
    std::optional<Token> basic(const std::optional<Credential>& credential) const;
    Token bearer(const TokenRequest& request, const std::optional<Credential>& credential) const;
    Token fetch_token(const TokenRequest& request, const std::optional<Credential>& credential) const;

    Keychain& keychain_;
    std::mutex asking_;  // one conversation with token servers at a time: others wait for its result
    std::mutex mutex_;
    // By origin and repository, or scopes: credentials can be those of a repository.
    std::map<std::pair<std::string, std::string>, Token> basic_;
    std::map<std::pair<std::string, AuthScopes>, Token> bearer_;
};

}  // namespace mullion::oci
