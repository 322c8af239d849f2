#include "worker/credentials.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "base/error.hpp"
#include "oci/http_url.hpp"

namespace mullion::worker {
namespace {

using Secrets = std::map<std::string, std::string>;

constexpr std::string_view kTokenUser = "x-access-token:";
constexpr std::string_view kPublicForges[] = {"https://github.com/", "https://www.github.com/"};

struct Name {
    std::string secret;
    bool token = false;
};

// "user@host:port" of an http(s) URL; empty for other URLs.
std::string_view authority(std::string_view url) {
    if (!oci::is_http_url(url)) return {};
    url.remove_prefix(url.find("://") + 3);
    return url.substr(0, url.find_first_of("/?#"));
}

// The host with its port, then without.
std::vector<std::string> hosts_of(std::string_view url) {
    std::string host = base::lower_ascii(authority(url));
    if (host.empty() || host.find('@') != std::string::npos) return {};
    std::vector<std::string> hosts = {host};
    std::size_t colon = host.rfind(':');
    if (colon != std::string::npos && host.find(']', colon) == std::string::npos)
        hosts.push_back(host.substr(0, colon));
    return hosts;
}

// Files and variables end in line ends that nobody means. No message has the value in it.
std::string header_value(const std::string& name, std::string_view value) {
    while (value.ends_with('\n') || value.ends_with('\r')) value.remove_suffix(1);
    auto illegal = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (value.empty() || std::any_of(value.begin(), value.end(), illegal)) {
        throw base::fail(base::ErrorCode::Invalid, "secret {}: what is in it cannot be a header of HTTP",
                         name);
    }
    return std::string(value);
}

// The first of them that was given.
template <typename Token>
std::optional<std::string> first_of(const Secrets& secrets, const std::vector<Name>& names, Token token) {
    for (const Name& name : names) {
        auto found = secrets.find(name.secret);
        if (found == secrets.end()) continue;
        std::string value = header_value(name.secret, found->second);
        return name.token ? token(value) : value;
    }
    return {};
}

std::string basic(const std::string& token) {
    std::string value = "basic ";
    base::append_base64(value, std::string(kTokenUser) + token);
    return value;
}

std::string scope_of(std::string_view remote) {
    for (std::string_view forge : kPublicForges) {
        if (remote.starts_with(forge)) return std::string(forge);
    }
    return std::string(remote);
}

}  // namespace

std::vector<std::string> authorization_secrets(const Secrets& secrets) {
    std::vector<std::string> values;
    for (const auto& [name, value] : secrets) {
        if (!name.starts_with("HTTP_AUTH_") && !name.starts_with("GIT_AUTH_")) continue;
        values.push_back(value);
        std::size_t blank = value.find(' ');
        if (blank != std::string::npos) values.push_back(value.substr(blank + 1));
    }
    return values;
}

std::optional<std::string> http_authorization(const Secrets& secrets, std::string_view url) {
    std::vector<Name> names;
    for (const std::string& host : hosts_of(url)) {
        names.push_back({"HTTP_AUTH_HEADER_" + host});
        names.push_back({"HTTP_AUTH_TOKEN_" + host, true});
    }
    return first_of(secrets, names, [](const std::string& token) { return "Bearer " + token; });
}

std::optional<std::pair<std::string, std::string>> git_authorization(const Secrets& secrets,
                                                                     std::string_view remote) {
    std::vector<std::string> hosts = hosts_of(remote);
    if (hosts.empty()) return {};
    std::vector<Name> names;
    for (const std::string& host : hosts) {
        names.push_back({"GIT_AUTH_HEADER." + host});
        names.push_back({"GIT_AUTH_TOKEN." + host, true});
    }
    names.push_back({"GIT_AUTH_HEADER"});
    names.push_back({"GIT_AUTH_TOKEN", true});
    auto value = first_of(secrets, names, basic);
    if (!value) return {};
    return std::pair("http." + scope_of(remote) + ".extraHeader", "Authorization: " + *value);
}

}  // namespace mullion::worker
