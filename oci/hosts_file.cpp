#include "oci/hosts_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "oci/http_url.hpp"

namespace mullion::oci {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxFile = 1 << 20;
constexpr std::size_t kMaxMirrors = 64;

// Where something stands, for complaints: file and key.
struct Place {
    fs::path file;
    std::string key;

    Place member(std::string_view name) const {
        return {file, key.empty() ? std::string(name) : key + "." + std::string(name)};
    }
    [[noreturn]] void refuse(std::string_view expected) const {
        throw fail(ErrorCode::Invalid, "{}: {}: expected {}", file.string(), key, expected);
    }
    fs::path path(const std::string& name) const { return file.parent_path() / base::to_path(name); }
};

std::string text_of(const toml::node& node, const Place& place) {
    auto text = node.value_exact<std::string>();
    if (!text) place.refuse("a string");
    return *text;
}

bool flag_of(const toml::node& node, const Place& place) {
    auto flag = node.value_exact<bool>();
    if (!flag) place.refuse("true or false");
    return *flag;
}

// A string, or a list of them.
std::vector<std::string> texts_of(const toml::node& node, const Place& place) {
    const toml::array* list = node.as_array();
    if (list == nullptr) return {text_of(node, place)};
    std::vector<std::string> texts;
    for (const toml::node& item : *list) texts.push_back(text_of(item, place));
    return texts;
}

void read_capabilities(HostEntry& entry, const toml::node& node, const Place& place) {
    entry.pull = entry.resolve = entry.push = false;
    for (const std::string& name : texts_of(node, place)) {
        if (name == "pull") {
            entry.pull = true;
        } else if (name == "resolve") {
            entry.resolve = true;
        } else if (name == "push") {
            entry.push = true;
        } else {
            place.refuse("pull, resolve and push");
        }
    }
}

// "a.pem" (certificate and key), ["a.pem"], [["a.cert", "a.key"]]. Of several, containerd lets the server
// choose, by the authorities that it names; libcurl has one for a connection.
void read_client(HostEntry& entry, const toml::node& node, const Place& place) {
    std::vector<std::string> pair;
    const toml::array* list = node.as_array();
    if (list != nullptr && list->size() > 1) {
        throw fail(ErrorCode::Unsupported, "{}: {}: only one client certificate is supported",
                   place.file.string(), place.key);
    }
    if (list != nullptr && list->size() == 1 && list->get(0)->is_array()) {
        pair = texts_of(*list->get(0), place);
    } else {
        pair = texts_of(node, place);
    }
    if (pair.empty() || pair.size() > 2) place.refuse("a certificate and its key");
    entry.client_certificate = place.path(pair.front());
    entry.client_key = place.path(pair.back());
}

std::chrono::milliseconds duration_of(const toml::node& node, const Place& place) {
    std::string text = text_of(node, place);
    unsigned number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (error == std::errc() && number > 0 && number <= 86'400'000) {
        if (unit == "ms") return std::chrono::milliseconds(number);
        if (unit == "s") return std::chrono::seconds(number);
        if (unit == "m") return std::chrono::minutes(number);
    }
    place.refuse("a duration such as 500ms or 5s");
}

void read_headers(HostEntry& entry, const toml::node& node, const Place& place) {
    const toml::table* table = node.as_table();
    if (table == nullptr) place.refuse("a table");
    for (const auto& [name, value] : *table) {
        Place member = place.member(name.str());
        for (const std::string& text : texts_of(value, member)) {
            std::string header(name.str());
            if ((header + text).find_first_of("\r\n") != std::string::npos) member.refuse("one line");
            entry.headers.emplace_back(header, text);
        }
    }
}

// False for a key that no endpoint has.
bool read_key(HostEntry& entry, std::string_view key, const toml::node& node, const Place& place) {
    if (key == "capabilities") {
        read_capabilities(entry, node, place);
    } else if (key == "ca") {
        for (const std::string& name : texts_of(node, place)) entry.authorities.push_back(place.path(name));
    } else if (key == "client") {
        read_client(entry, node, place);
    } else if (key == "skip_verify") {
        entry.skip_verify = flag_of(node, place);
    } else if (key == "override_path") {
        entry.override_path = flag_of(node, place);
    } else if (key == "dial_timeout") {
        entry.dial_timeout = duration_of(node, place);
    } else if (key == "header") {
        read_headers(entry, node, place);
    } else {
        return false;
    }
    return true;
}

std::string with_scheme(const std::string& url, const Place& place) {
    std::string whole = url.find("://") == std::string::npos ? "https://" + url : url;
    if (!is_http_url(whole)) place.refuse("an http(s) URL");
    return whole;
}

[[noreturn]] void unknown(const Place& place) {
    throw fail(ErrorCode::Unsupported, "{}: {} is not known here", place.file.string(), place.key)
        .hint("what a hosts.toml may have is in docs/registries.md");
}

HostEntry read_mirror(const std::string& url, const toml::node& node, const Place& place) {
    const toml::table* table = node.as_table();
    if (table == nullptr) place.refuse("a table");
    HostEntry entry;
    entry.url = with_scheme(url, place);
    for (const auto& [key, value] : *table) {
        Place member = place.member(key.str());
        if (!read_key(entry, key.str(), value, member)) unknown(member);
    }
    return entry;
}

// A table forgets the order of its members; the file has it.
std::vector<HostEntry> read_mirrors(const toml::node& node, const Place& place) {
    const toml::table* table = node.as_table();
    if (table == nullptr) place.refuse("a table");
    if (table->size() > kMaxMirrors) place.refuse(fmt::format("at most {} hosts", kMaxMirrors));
    std::vector<std::pair<std::string, const toml::node*>> members;
    for (const auto& [url, value] : *table) members.emplace_back(url.str(), &value);
    std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
        return a.second->source().begin < b.second->source().begin;
    });
    std::vector<HostEntry> mirrors;
    for (const auto& [url, value] : members) mirrors.push_back(read_mirror(url, *value, place.member(url)));
    return mirrors;
}

toml::table parse(const std::string& text, const fs::path& file) {
    try {
        return toml::parse(text);
    } catch (const toml::parse_error& error) {
        throw fail(ErrorCode::Invalid, "{}: line {}: {}", file.string(), error.source().begin.line,
                   error.description());
    }
}

}  // namespace

std::string HostEntry::api_url() const {
    std::string base = url;
    while (base.ends_with('/')) base.pop_back();
    return override_path || base.ends_with("/v2") ? base : base + "/v2";
}

std::string HostEntry::authority() const {
    std::string_view rest = std::string_view(url).substr(url.find("://") + 3);
    return std::string(rest.substr(0, rest.find('/')));
}

HostsFile parse_hosts_file(const fs::path& file, const std::string& default_server) {
    return parse_hosts(base::read_file(file, kMaxFile), file, default_server);
}

HostsFile parse_hosts(const std::string& text, const fs::path& file, const std::string& default_server) {
    toml::table document = parse(text, file);
    Place top{file, ""};
    HostsFile hosts;
    hosts.server.url = default_server;
    for (const auto& [key, value] : document) {
        Place place = top.member(key.str());
        if (key.str() == "server") {
            hosts.server.url = with_scheme(text_of(value, place), place);
        } else if (key.str() == "host") {
            hosts.mirrors = read_mirrors(value, place);
        } else if (!read_key(hosts.server, key.str(), value, place)) {
            unknown(place);
        }
    }
    return hosts;
}

}  // namespace mullion::oci
