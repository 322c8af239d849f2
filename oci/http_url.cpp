#include "oci/http_url.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "base/ascii.hpp"
#include "base/error.hpp"

namespace mullion::oci {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Where the authority begins: behind "://".
std::size_t authority_of(std::string_view url) {
    std::size_t scheme = url.find("://");
    return scheme == std::string_view::npos ? 0 : scheme + 3;
}

// "a=1&b=2" -> "a=...&b=...": values are where tokens and signatures are.
std::string redacted_query(std::string_view query) {
    std::string text;
    while (!query.empty()) {
        std::size_t end = std::min(query.find('&'), query.size());
        std::string_view pair = query.substr(0, end);
        std::size_t equals = pair.find('=');
        text += text.empty() ? "" : "&";
        text += pair.substr(0, equals);
        if (equals != std::string_view::npos) text += "=...";
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return text;
}

struct UrlDeleter {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlDeleter>;

Url parse_url(const std::string& text) {
    Url url(curl_url());
    if (url && is_http_url(text) && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK) {
        return url;
    }
    throw base::fail(base::ErrorCode::Invalid, "\"{}\" is no http(s) URL", redacted_url(text));
}

std::string url_part(const Url& url, CURLUPart part, unsigned flags) {
    char* text = nullptr;
    if (curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return {};
    std::string copy = text;
    curl_free(text);
    return copy;
}

}  // namespace

bool is_http_url(std::string_view text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

std::string redacted_url(std::string_view url) {
    url = url.substr(0, url.find('#'));
    std::size_t authority = authority_of(url);
    std::size_t path = std::min(url.find_first_of("/?", authority), url.size());
    std::size_t at = url.substr(0, path).rfind('@');
    std::string text(url.substr(0, authority));
    std::size_t host = at == std::string_view::npos || at < authority ? authority : at + 1;
    std::size_t query = std::min(url.find('?', host), url.size());
    text += url.substr(host, query - host);
    if (query < url.size()) text += "?" + redacted_query(url.substr(query + 1));
    return text;
}

std::string url_file_name(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    std::size_t path = url.find('/', authority_of(url));
    if (path == std::string_view::npos) return {};
    url.remove_prefix(path);
    while (url.ends_with('/')) url.remove_suffix(1);
    std::size_t slash = url.rfind('/');
    return percent_decoded(slash == std::string_view::npos ? url : url.substr(slash + 1));
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        int low = high < 0 ? -1 : hex_value(text[i + 2]);
        if (low < 0) {
            out += text[i];
        } else {
            out += static_cast<char>(high << 4 | low);
            i += 2;
        }
    }
    return out;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (char c : text) {
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            auto byte = static_cast<unsigned char>(c);
            out += {'%', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return out;
}

std::string url_origin(const std::string& url) {
    Url parsed = parse_url(url);
    std::string host = base::lower_ascii(url_part(parsed, CURLUPART_HOST, 0));
    return url_part(parsed, CURLUPART_SCHEME, 0) + "://" + host + ":" +
           url_part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

std::string resolved_url(const std::string& base, const std::string& reference) {
    Url url = parse_url(base);
    std::string text;
    if (curl_url_set(url.get(), CURLUPART_URL, reference.c_str(), 0) == CURLUE_OK) {
        text = url_part(url, CURLUPART_URL, 0);
    }
    if (!is_http_url(text)) {
        throw base::fail(base::ErrorCode::Invalid, "\"{}\" is no place for \"{}\" to point to",
                         redacted_url(reference), redacted_url(base));
    }
    return text;
}

std::string url_with_parameter(std::string url, std::string_view name, std::string_view value) {
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += percent_encoded(name) + "=" + percent_encoded(value);
    return url;
}

}  // namespace mullion::oci
