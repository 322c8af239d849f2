#include "oci/registry_auth.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "oci/http_url.hpp"
#include "oci/memory_sink.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxTokenDocument = 1 << 20;
constexpr std::size_t kMaxChallenges = 16;
constexpr std::chrono::seconds kDefaultLife{60};  // spec/auth/token.md: if the server does not say
constexpr std::chrono::seconds kLongestLife{3600};
constexpr std::chrono::seconds kMargin{5};
constexpr const char* kClientId = "mullion";

// Reads `scheme name="value", name=value, scheme ...`.
class ChallengeReader {
  public:
    explicit ChallengeReader(std::string_view text) : text_(text) {}

    std::vector<AuthChallenge> read() {
        std::vector<AuthChallenge> challenges;
        while (challenges.size() < kMaxChallenges) {
            skip(" \t,");
            std::string word = token();
            if (word.empty()) break;
            skip(" \t");
            if (!challenges.empty() && peek('=')) {
                ++at_;
                challenges.back().parameters.emplace(base::lower_ascii(word), value());
            } else {
                challenges.push_back({base::lower_ascii(word), {}});
            }
        }
        return challenges;
    }

  private:
    void skip(std::string_view characters) {
        at_ = std::min(text_.find_first_not_of(characters, at_), text_.size());
    }
    bool peek(char c) const { return at_ < text_.size() && text_[at_] == c; }
    std::string token() {
        std::size_t end = std::min(text_.find_first_of(" \t,=\"", at_), text_.size());
        std::string word(text_.substr(at_, end - at_));
        at_ = end;
        return word;
    }
    std::string value() {
        skip(" \t");
        if (!peek('"')) return token();
        std::string out;
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            out += text_[at_];
        }
        if (at_ < text_.size()) ++at_;
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::vector<AuthChallenge> challenges_of(const HttpResponse& response) {
    std::vector<AuthChallenge> all;
    for (const auto& [name, value] : response.headers) {
        if (name != "www-authenticate") continue;
        for (AuthChallenge& challenge : parse_challenges(value)) all.push_back(std::move(challenge));
    }
    return all;
}

const AuthChallenge* find_scheme(const std::vector<AuthChallenge>& challenges, std::string_view scheme) {
    auto found = std::find_if(challenges.begin(), challenges.end(),
                              [&](const AuthChallenge& challenge) { return challenge.scheme == scheme; });
    return found == challenges.end() ? nullptr : &*found;
}

std::string parameter(const AuthChallenge& challenge, const std::string& name) {
    auto found = challenge.parameters.find(name);
    return found == challenge.parameters.end() ? std::string() : found->second;
}

std::string basic_header(const Credential& credential) {
    std::string header = "Basic ";
    base::append_base64(header, credential.username + ":" + credential.password);
    return header;
}

// A header with a line feed in it would be two.
const std::string& checked_token(const std::string& token) {
    bool plain = std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (token.empty() || !plain) throw fail(ErrorCode::Invalid, "the token server sent no usable token");
    return token;
}

// What we ask for, and what the server thinks we need: it may know a scope by another name.
AuthScopes wanted_scopes(const AuthScopes& scopes, const AuthChallenge& challenge) {
    AuthScopes all = scopes;
    std::string more = parameter(challenge, "scope");
    for (std::size_t begin = 0; begin < more.size();) {
        std::size_t end = std::min(more.find(' ', begin), more.size());
        std::string scope = more.substr(begin, end - begin);
        begin = end + 1;
        std::string resource = scope.substr(0, scope.rfind(':') + 1);
        bool covered = std::any_of(scopes.begin(), scopes.end(), [&](const std::string& own) {
            return !resource.empty() && own.starts_with(resource);
        });
        if (!scope.empty() && !covered) all.insert(scope);
    }
    return all;
}

// Whose credentials a request has: those of the repository it writes to, else of the one it reads. Empty: of
// none.
std::string repository_of(const AuthScopes& scopes) {
    constexpr std::string_view kRepository = "repository:";
    std::string found;
    for (const std::string& scope : scopes) {
        if (!scope.starts_with(kRepository)) continue;
        std::size_t actions = scope.rfind(':');
        bool writes = scope.find("push", actions) != std::string::npos;
        if (writes || found.empty()) found = scope.substr(kRepository.size(), actions - kRepository.size());
        if (writes) break;
    }
    return found;
}

}  // namespace

std::vector<AuthChallenge> parse_challenges(std::string_view header) {
    return ChallengeReader(header).read();
}

std::optional<std::string> RegistryAuth::authorization(const Server& server, const AuthScopes& scopes) {
    return known(server, scopes);
}

std::optional<std::string> RegistryAuth::known(const Server& server, const AuthScopes& scopes) {
    std::lock_guard lock(mutex_);
    if (auto token = bearer_.find({server.origin, scopes}); token != bearer_.end()) {
        if (token->second.expires > Clock::now()) return token->second.header;
        bearer_.erase(token);
    }
    auto basic = basic_.find({server.origin, repository_of(scopes)});
    return basic == basic_.end() ? std::nullopt : std::optional(basic->second.header);
}

bool RegistryAuth::answer(const Server& server, const AuthScopes& scopes, const HttpResponse& response,
                          const std::optional<std::string>& sent, HttpClient& http, HttpClient& elsewhere,
                          const base::CancelToken& cancel) {
    std::lock_guard asking(asking_);
    if (auto now = known(server, scopes); now && now != sent) return true;
    std::vector<AuthChallenge> challenges = challenges_of(response);
    std::optional<Credential> credential = keychain_.find(server.host, repository_of(scopes), cancel);
    if (const AuthChallenge* challenge = find_scheme(challenges, "bearer")) {
        Token token = bearer({server, scopes, *challenge, http, elsewhere, cancel}, credential);
        if (sent == token.header) return false;
        std::lock_guard lock(mutex_);
        bearer_.insert_or_assign({server.origin, scopes}, std::move(token));
        return true;
    }
    if (find_scheme(challenges, "basic") == nullptr) return false;
    std::optional<Token> token = basic(credential);
    if (!token || sent == token->header) return false;
    std::lock_guard lock(mutex_);
    basic_.insert_or_assign({server.origin, repository_of(scopes)}, std::move(*token));
    return true;
}

std::optional<RegistryAuth::Token> RegistryAuth::basic(const std::optional<Credential>& credential) const {
    if (!credential || credential->username.empty()) return {};
    return Token{basic_header(*credential), Clock::time_point::max()};
}

RegistryAuth::Token RegistryAuth::bearer(const TokenRequest& request,
                                         const std::optional<Credential>& credential) const {
    if (credential && !credential->registry_token.empty()) {
        return {"Bearer " + checked_token(credential->registry_token), Clock::time_point::max()};
    }
    return base::with_context([&] { return "asking for a token for " + request.server.host; },
                              [&] { return fetch_token(request, credential); });
}

RegistryAuth::Token RegistryAuth::fetch_token(const TokenRequest& request,
                                              const std::optional<Credential>& credential) const {
    std::string realm = parameter(request.challenge, "realm");
    std::string origin = url_origin(realm);
    if (request.server.origin.starts_with("https:") && !origin.starts_with("https:")) {
        throw fail(ErrorCode::Denied, "the registry names a token server without encryption: {}",
                   redacted_url(realm));
    }
    std::string service = parameter(request.challenge, "service");
    AuthScopes scopes = wanted_scopes(request.scopes, request.challenge);
    // Never repeated at another address: redirects of a token server are not followed.
    HttpRequest http{.url = realm, .max_body = kMaxTokenDocument, .follow_redirects = false};
    std::string form;
    if (credential && !credential->identity_token.empty()) {
        std::string scope;
        for (const std::string& one : scopes) scope += (scope.empty() ? "" : " ") + one;
        form = fmt::format("grant_type=refresh_token&service={}&client_id={}&scope={}&refresh_token={}",
                           percent_encoded(service), kClientId, percent_encoded(scope),
                           percent_encoded(credential->identity_token));
        http.method = "POST";
        http.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
        http.body = [&form] { return std::make_unique<base::MemorySource>(form); };
        http.body_size = form.size();
    } else {
        if (!service.empty()) http.url = url_with_parameter(http.url, "service", service);
        for (const std::string& scope : scopes) http.url = url_with_parameter(http.url, "scope", scope);
        if (credential && !credential->username.empty()) {
            http.url = url_with_parameter(http.url, "account", credential->username);
            http.headers.emplace_back("Authorization", basic_header(*credential));
        }
    }
    MemorySink body;
    HttpClient& client = origin == request.server.origin ? request.http : request.elsewhere;
    HttpResponse response = client.send(http, &body, request.cancel);
    if (response.status == 400 || response.status == 401 || response.status == 403) {
        throw fail(ErrorCode::Denied, "{} refuses{} (status {})", redacted_url(realm),
                   credential ? " the credentials that are stored" : "", response.status)
            .hint("log in: mullion login " + request.server.host);
    }
    require_success(response, "token server " + redacted_url(realm));
    base::Json json = base::parse_json(body.text(), "token");
    base::JsonView view(json, "token");
    std::string token = view.string_or("token", "");
    if (token.empty()) token = view.string_or("access_token", "");
    std::chrono::seconds life = kDefaultLife;
    if (auto seconds = view.find("expires_in")) {
        life = std::chrono::seconds(std::min<std::uint64_t>(seconds->size(), kLongestLife.count()));
    }
    return {"Bearer " + checked_token(token), Clock::now() + std::max(life - kMargin, kMargin)};
}

}  // namespace mullion::oci
