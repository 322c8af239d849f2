#include "frontend/remote_source.hpp"

#include <algorithm>

namespace mullion::frontend {

namespace {

bool is_name_character(char c, std::string_view extra) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
}

bool is_http(std::string_view source) {
    return source.starts_with("http://") || source.starts_with("https://");
}

// user@host:path
bool is_scp_style(std::string_view source) {
    const auto at = source.find('@');
    const auto colon = source.find(':');
    if (at == std::string_view::npos || colon == std::string_view::npos || at == 0 || colon <= at + 1)
        return false;
    const auto user = source.substr(0, at);
    const auto host = source.substr(at + 1, colon - at - 1);
    return std::all_of(user.begin(), user.end(), [](char c) { return is_name_character(c, "-_"); }) &&
           std::all_of(host.begin(), host.end(), [](char c) { return is_name_character(c, "-."); });
}

}  // namespace

bool is_git_source(std::string_view source) {
    if (source.starts_with("git://") || source.starts_with("ssh://")) return true;
    if (!is_http(source)) return is_scp_style(source);
    const auto path = source.substr(0, source.find_first_of("?#"));
    return path.ends_with(".git");
}

bool is_git_context(std::string_view context) {
    return context.starts_with("github.com/") || is_git_source(context);
}

bool is_url_source(std::string_view source) {
    return is_http(source) && !is_git_source(source);
}

}  // namespace mullion::frontend
