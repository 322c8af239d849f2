// Secrets that open servers, by the names BuildKit gives them:
//
//     HTTP_AUTH_HEADER_HOST, HTTP_AUTH_TOKEN_HOST             files of that host
//     GIT_AUTH_HEADER[.HOST], GIT_AUTH_TOKEN[.HOST]           repositories over http(s), of that host or of
//     any
//
// A header is sent as it is, a token as "Bearer TOKEN" to file servers and as the password of the user
// x-access-token to git. HOST may have a port. Who names a user in the URL gets what the URL says.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mullion::worker {

// A value for the header Authorization. Throws Invalid, naming the secret, for what no header can hold.
std::optional<std::string> http_authorization(const std::map<std::string, std::string>& secrets,
                                              std::string_view url);

// As configuration of git ("http.URL.extraHeader" and its value): it goes with requests to `remote` only, on
// github.com to any repository (as BuildKit has it, for submodules).
std::optional<std::pair<std::string, std::string>> git_authorization(
    const std::map<std::string, std::string>& secrets, std::string_view remote);

// Every secret of such a name, and what stands behind the scheme of a header: a server may repeat what it was
// sent.
std::vector<std::string> authorization_secrets(const std::map<std::string, std::string>& secrets);

}  // namespace mullion::worker
