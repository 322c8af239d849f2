#include "oci/reference.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr std::string_view kDefaultHost = "docker.io";
constexpr std::string_view kLegacyHost = "index.docker.io";
constexpr std::string_view kOfficial = "library/";
constexpr std::size_t kMaxPath = 255;
constexpr std::size_t kMaxTag = 128;
constexpr std::size_t kMaxText = 1024;
constexpr std::size_t kIdentifierSize = 64;

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
bool is_number(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter_or_number(char c) {
    return is_lower(c) || is_upper(c) || is_number(c);
}
bool is_hex(char c) {
    return is_number(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

template <typename Test>
bool all(std::string_view text, Test test) {
    return std::all_of(text.begin(), text.end(), test);
}

[[noreturn]] void refuse(std::string_view reason) {
    throw base::fail(ErrorCode::Invalid, "invalid reference format: {}", reason);
}

bool is_domain_component(std::string_view text) {
    return !text.empty() && is_letter_or_number(text.front()) && is_letter_or_number(text.back()) &&
           all(text, [](char c) { return is_letter_or_number(c) || c == '-'; });
}

bool is_domain_name(std::string_view text) {
    for (;;) {
        std::size_t dot = text.find('.');
        if (!is_domain_component(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

// A domain name, an IPv4 address or a bracketed IPv6 address, with an optional port.
bool is_host(std::string_view text) {
    std::string_view name = text;
    std::string_view port;
    std::size_t bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
    std::size_t colon = bracket == std::string_view::npos ? text.find(':') : bracket + 1;
    if (colon < text.size()) {
        if (text[colon] != ':') return false;
        name = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (port.empty() || !all(port, is_number)) return false;
    }
    if (bracket == std::string_view::npos) return is_domain_name(name);
    std::string_view address = name.substr(1, name.size() - 2);
    return !address.empty() && all(address, [](char c) { return is_hex(c) || c == ':'; });
}

// Runs of lower-case letters and digits, joined by ".", "_", "__" or any number of "-".
bool is_path_component(std::string_view text) {
    auto is_atom = [](char c) { return is_lower(c) || is_number(c); };
    if (text.empty() || !is_atom(text.front()) || !is_atom(text.back())) return false;
    for (std::size_t at = 0; at < text.size();) {
        if (is_atom(text[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && !is_atom(text[end])) ++end;
        std::string_view separator = text.substr(at, end - at);
        bool dashes = all(separator, [](char c) { return c == '-'; });
        if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
        at = end;
    }
    return true;
}

bool is_path(std::string_view text) {
    for (;;) {
        std::size_t slash = text.find('/');
        if (!is_path_component(text.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        text.remove_prefix(slash + 1);
    }
}

bool is_tag(std::string_view text) {
    auto is_word = [](char c) { return is_letter_or_number(c) || c == '_'; };
    return !text.empty() && text.size() <= kMaxTag && is_word(text.front()) &&
           all(text, [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

// What Docker takes for a host: the first component, if it cannot be part of a path on the default host.
std::pair<std::string, std::string> split_host(std::string_view text) {
    std::size_t slash = text.find('/');
    std::string host(kDefaultHost);
    std::string rest(text);
    if (slash != std::string_view::npos) {
        std::string_view first = text.substr(0, slash);
        bool is_legacy = first == kLegacyHost;
        if (is_legacy || first == "localhost" || first.find_first_of(".:") != std::string_view::npos ||
            std::any_of(first.begin(), first.end(), is_upper)) {
            host = is_legacy ? kDefaultHost : first;
            rest = text.substr(slash + 1);
        }
    }
    if (host == kDefaultHost && rest.find('/') == std::string::npos) rest.insert(0, kOfficial);
    return {std::move(host), std::move(rest)};
}

base::Digest parse_digest(std::string_view text) {
    if (auto digest = base::Digest::try_parse(text)) return *digest;
    std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) refuse(fmt::format("\"{}\" is not a digest", text));
    if (text.substr(0, colon) != "sha256") {
        refuse(fmt::format("unsupported digest algorithm \"{}\"", text.substr(0, colon)));
    }
    refuse("a sha256 digest has 64 lower-case hexadecimal digits");
}

}  // namespace

Reference Reference::parse(std::string_view text) {
    if (text.empty()) refuse("the reference is empty");
    if (text.size() > kMaxText) refuse(fmt::format("longer than {} characters", kMaxText));
    if (text.size() == kIdentifierSize && all(text, [](char c) { return is_hex(c) && !is_upper(c); })) {
        throw base::fail(ErrorCode::Invalid,
                         "invalid repository name ({}), cannot specify 64-byte hexadecimal strings", text);
    }
    auto [host, rest] = split_host(text);
    std::string_view remote = std::string_view(rest).substr(0, rest.find_first_of(":@"));
    if (std::any_of(remote.begin(), remote.end(), is_upper)) {
        refuse(fmt::format("repository name ({}) must be lowercase", remote));
    }
    if (!is_host(host)) refuse(fmt::format("\"{}\" in \"{}\" is not a registry host", host, text));
    if (!is_path(remote)) refuse(fmt::format("\"{}\" in \"{}\" is not a repository name", remote, text));
    if (remote.size() > kMaxPath) {
        refuse(fmt::format("repository name must not be more than {} characters", kMaxPath));
    }
    Reference reference;
    reference.path_ = remote;
    reference.host_ = std::move(host);
    std::string_view tail = std::string_view(rest).substr(remote.size());
    if (tail.starts_with(':')) {
        std::string_view tag =
            tail.substr(1, tail.find('@') == std::string_view::npos ? tail.npos : tail.find('@') - 1);
        if (!is_tag(tag)) refuse(fmt::format("\"{}\" in \"{}\" is not a tag", tag, text));
        reference.tag_ = tag;
        tail.remove_prefix(tag.size() + 1);
    }
    if (tail.starts_with('@')) reference.digest_ = parse_digest(tail.substr(1));
    return reference;
}

Reference Reference::with_default_tag() const {
    Reference copy = *this;
    if (!tag_ && !digest_) copy.tag_ = "latest";
    return copy;
}

Reference Reference::with_digest(const base::Digest& digest) const {
    Reference copy = *this;
    copy.digest_ = digest;
    return copy;
}

std::string Reference::suffix() const {
    return (tag_ ? ":" + *tag_ : "") + (digest_ ? "@" + digest_->string() : "");
}

std::string Reference::name() const {
    return host_ + "/" + path_;
}

std::string Reference::string() const {
    return name() + suffix();
}

std::string Reference::familiar() const {
    if (host_ != kDefaultHost) return string();
    bool official = path_.starts_with(kOfficial) && path_.find('/', kOfficial.size()) == std::string::npos;
    return (official ? path_.substr(kOfficial.size()) : path_) + suffix();
}

}  // namespace mullion::oci
