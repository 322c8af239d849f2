#include "oci/registry_exchange.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "oci/http_url.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::fail;

constexpr int kMaxRedirects = 10;
constexpr int kMaxAnswers = 3;  // of 401: a token may be taken back while we use it
constexpr std::size_t kShownBody = 300;
constexpr std::chrono::seconds kProbeTime{5};

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string plain_line(std::string_view text) {
    std::string line;
    for (char c : text.substr(0, kShownBody)) {
        line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
    return line;
}

// distribution-spec, "Error Codes": {"errors":[{"code","message","detail"}]}.
std::string said(const HttpResponse& response) {
    try {
        base::Json json = base::parse_json(response.error_body, "error");
        base::JsonView view(json, "error");
        auto errors = view.at("errors").array();
        if (errors.empty()) return {};
        std::string code = errors.front().string_or("code", "");
        std::string message = errors.front().string_or("message", "");
        return plain_line(code.empty() || message.empty() ? code + message : code + ": " + message);
    } catch (const base::Error&) {
        return plain_line(response.error_body);
    }
}

ErrorCode code_of(int status) {
    if (status == 404 || status == 410) return ErrorCode::NotFound;
    if (status == 401 || status == 403 || status == 407) return ErrorCode::Denied;
    if (may_pass(status) || status >= 500) return ErrorCode::Unavailable;
    return ErrorCode::Invalid;
}

}  // namespace

// Knows how far a body has come, whatever request brought it.
class RegistryExchange::CountedSink final : public HttpSink {
  public:
    explicit CountedSink(HttpSink* next) : next_(next) {}
    void write(std::string_view data) override {
        position_ += data.size();
        if (next_ != nullptr) next_->write(data);
    }
    void restart() override {
        position_ = 0;
        if (next_ != nullptr) next_->restart();
    }
    std::uint64_t position() const { return position_; }

  private:
    HttpSink* next_;
    std::uint64_t position_ = 0;
};

std::string RegistryRoute::url(const Reference& repository, std::string_view kind,
                               std::string_view name) const {
    std::string text = fmt::format("{}/{}/{}/{}", endpoint.base, repository.path(), kind, name);
    return endpoint.mirror_of.empty() ? text : url_with_parameter(text, "ns", endpoint.mirror_of);
}

const std::vector<std::unique_ptr<RegistryRoute>>& RegistryExchange::routes(const std::string& host,
                                                                            const base::CancelToken& cancel) {
    std::lock_guard lock(mutex_);
    auto& known = routes_[host];
    if (!known.empty()) return known;
    std::vector<std::unique_ptr<RegistryRoute>> routes;
    for (RegistryEndpoint& endpoint : registry_endpoints(host, options_)) {
        if (endpoint.may_be_plain) settle_scheme(endpoint, cancel);
        RegistryAuth::Server server{url_origin(endpoint.base), endpoint.credentials};
        auto http = std::make_unique<HttpClient>(endpoint.http);
        routes.push_back(std::make_unique<RegistryRoute>(
            RegistryRoute{std::move(endpoint), std::move(server), std::move(http)}));
    }
    return known = std::move(routes);
}

// Asked without TLS first where a port is named: whoever speaks TLS there says so at once (with 400, or by
// hanging up), while a server of plain HTTP may wait for the rest of what it takes for a request. Without a
// port the two schemes are two servers, and https has precedence. If nobody answers, it stays https, whose
// error says more.
void RegistryExchange::settle_scheme(RegistryEndpoint& endpoint, const base::CancelToken& cancel) const {
    std::string authority = endpoint.base.substr(std::string_view("https://").size());
    authority.erase(authority.find('/'));
    bool has_port = authority.find(':', authority.find(']') == std::string::npos ? 0 : authority.find(']')) !=
                    std::string::npos;
    std::string plain = "http://" + endpoint.base.substr(std::string_view("https://").size());
    if (!has_port && answers(endpoint, endpoint.base, cancel)) return;
    if (answers(endpoint, plain, cancel)) endpoint.base = plain;
}

bool RegistryExchange::answers(const RegistryEndpoint& endpoint, const std::string& base,
                               const base::CancelToken& cancel) {
    HttpOptions options = endpoint.http;
    options.connect_timeout = std::min<std::chrono::milliseconds>(options.connect_timeout, kProbeTime);
    options.stall_timeout = std::min(options.stall_timeout, kProbeTime);
    HttpRequest request{.url = base + "/", .single_attempt = true, .follow_redirects = false};
    try {
        int status = HttpClient(options).send(request, nullptr, cancel).status;
        return status != 400 && !is_redirect(status);
    } catch (const base::Error& error) {
        if (error.code() == ErrorCode::Canceled) throw;
        base::log("registry").info("{}: {}", base, error.what());
        // A certificate we do not trust is an answer, too.
        return error.code() == ErrorCode::Denied;
    }
}

HttpResponse RegistryExchange::send(RegistryRoute& route, HttpRequest request, const AuthScopes& scopes,
                                    HttpSink* sink, const base::CancelToken& cancel) {
    CountedSink counted(sink);
    const HttpHeaders headers = request.headers;
    const bool own = url_origin(request.url) == route.server.origin;
    for (int answers = 0;; ++answers) {
        std::optional<std::string> authorization;
        request.headers = headers;
        if (own) {
            authorization = auth_.authorization(route.server, scopes);
            if (authorization) request.headers.emplace_back("Authorization", *authorization);
            for (const auto& header : route.endpoint.headers) request.headers.push_back(header);
        }
        if (!request.immutable && counted.position() > 0) counted.restart();
        request.offset = counted.position();
        HttpResponse response =
            own ? follow(route, request, counted, cancel) : elsewhere_.send(request, &counted, cancel);
        bool from_registry = own && url_origin(response.url) == route.server.origin;
        if (answers == kMaxAnswers) return response;
        if (from_registry && response.status == 401) {
            bool again =
                auth_.answer(route.server, scopes, response, authorization, *route.http, elsewhere_, cancel);
            if (!again) return response;
        } else if (own && !from_registry && (response.status == 401 || response.status == 403)) {
            // The address we were sent to was good for a while only: the registry has a new one.
            if (answers > 0 && counted.position() == 0) return response;
        } else {
            return response;
        }
    }
}

HttpResponse RegistryExchange::follow(RegistryRoute& route, const HttpRequest& request, CountedSink& sink,
                                      const base::CancelToken& cancel) {
    HttpRequest next = request;
    next.follow_redirects = false;
    bool inside = true;
    for (int redirects = 0;; ++redirects) {
        HttpClient& client = inside ? *route.http : elsewhere_;
        HttpResponse response = client.send(next, &sink, cancel);
        bool follows = is_redirect(response.status) && (request.method == "GET" || request.method == "HEAD");
        if (!follows) return response;
        if (redirects == kMaxRedirects) throw fail(ErrorCode::Invalid, "more than {} redirects", redirects);
        std::string target = resolved_url(response.url, response.header("location").value_or(""));
        if (next.url.starts_with("https:") && !target.starts_with("https:")) {
            throw fail(ErrorCode::Denied, "redirected from https to {}", redacted_url(target));
        }
        inside = inside && url_origin(target) == route.server.origin;
        next.url = std::move(target);
        next.offset = sink.position();
        if (inside) continue;
        std::erase_if(next.headers, [](const auto& header) { return header.first != "Accept"; });
    }
}

void RegistryExchange::refuse(const RegistryRoute& route, const HttpResponse& response,
                              const std::string& what, const base::CancelToken& cancel) {
    std::string text = said(response);
    base::Error error = fail(code_of(response.status), "{}: {} answered with status {}{}{}", what,
                             route.server.origin, response.status, text.empty() ? "" : ": ", text);
    const std::string& host = route.server.host;
    if (error.code() == ErrorCode::Denied) {
        error.hint(auth_.has_credential(route.server, cancel)
                       ? "the credentials stored for " + host +
                             " do not allow this, or there is no such repository; \"mullion login " + host +
                             "\" replaces them"
                       : "there is no such repository, or it needs a login: mullion login " + host);
    } else if (response.status == 429) {
        error.hint("the registry limits how often it is asked: try later, or log in for a higher limit");
    } else if (error.code() == ErrorCode::Unavailable) {
        error.hint("the registry is in trouble: try again later");
    }
    throw error;
}

}  // namespace mullion::oci
