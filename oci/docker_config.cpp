#include "oci/docker_config.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/base64.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/path_text.hpp"
#include "base/process.hpp"

namespace mullion::oci {
namespace {

namespace fs = std::filesystem;
using base::CancelToken;
using base::ErrorCode;
using base::fail;
using base::Json;
using base::JsonView;
using base::OrderedJson;

constexpr std::size_t kMaxFile = 4 << 20;
constexpr std::size_t kMaxAnswer = 64 * 1024;
constexpr std::size_t kShownAnswer = 200;
constexpr std::string_view kDockerHub = "docker.io";
// What Docker keeps Docker Hub's credentials under, from the days of its first registry.
constexpr const char* kDockerHubKey = "https://index.docker.io/v1/";
// docker-credential-helpers, credentials/error.go.
constexpr std::string_view kNotFound = "credentials not found in native keychain";
constexpr std::array<std::pair<const char*, const char*>, 5> kProxyMembers{{
    {"httpProxy", "HTTP_PROXY"},
    {"httpsProxy", "HTTPS_PROXY"},
    {"ftpProxy", "FTP_PROXY"},
    {"allProxy", "ALL_PROXY"},
    {"noProxy", "NO_PROXY"},
}};
constexpr std::string_view kTokenUser = "<token>";  // then the secret is an identity token

std::string key_of(const std::string& host) {
    return host == kDockerHub ? kDockerHubKey : host;
}

// "https://registry.example/v1/" -> "registry.example"; Docker Hub has several names.
std::string host_of(std::string_view key) {
    for (std::string_view scheme : {"https://", "http://"}) {
        if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
    }
    std::string_view host = key.substr(0, key.find('/'));
    bool hub = host == "index.docker.io" || host == "registry-1.docker.io";
    return std::string(hub ? kDockerHub : host);
}

bool names_host(std::string_view key, const std::string& host) {
    // Keys may go on with a repository; those are not for the whole host.
    bool whole = key.find("://") != std::string_view::npos || key.find('/') == std::string_view::npos;
    return whole && host_of(key) == host;
}

OrderedJson read_config(const fs::path& file) {
    auto text = file.empty() ? std::nullopt : base::try_read_file(file, kMaxFile);
    if (!text) return OrderedJson::object();
    base::parse_json(*text, file.string());  // bounds its depth
    OrderedJson config = OrderedJson::parse(*text);
    if (!config.is_object()) throw fail(ErrorCode::Invalid, "{}: expected an object", file.string());
    return config;
}

// The helper for a host; empty if its credentials are in the file.
std::string helper_for(const JsonView& config, const std::string& host) {
    if (auto helpers = config.find("credHelpers")) {
        for (const auto& [key, name] : helpers->members()) {
            if (names_host(key, host)) return name.string();
        }
    }
    return config.string_or("credsStore", "");
}

Credential parse_entry(const JsonView& entry) {
    Credential credential{entry.string_or("username", ""), entry.string_or("password", ""),
                          entry.string_or("identitytoken", ""), entry.string_or("registrytoken", "")};
    std::string packed = entry.string_or("auth", "");
    if (packed.empty()) return credential;
    auto pair = base::decode_base64(packed);
    std::size_t colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) entry.at("auth").fail("\"USER:PASSWORD\" in base64");
    credential.username = pair->substr(0, colon);
    credential.password = pair->substr(colon + 1);
    while (credential.password.ends_with('\0')) credential.password.pop_back();
    return credential;
}

bool is_empty(const Credential& credential) {
    return credential == Credential();
}

// An empty entry says that a helper has it.
std::optional<Credential> find_host(const JsonView& entries, const std::string& host) {
    for (const auto& [key, entry] : entries.members()) {
        if (!names_host(key, host)) continue;
        if (Credential credential = parse_entry(entry); !is_empty(credential)) return credential;
    }
    return {};
}

// containers-auth.json(5): the repository's own key, else that of the next namespace above it.
std::optional<Credential> find_repository(const JsonView& entries, const std::string& host,
                                          const std::string& repository) {
    for (std::string name = repository; !name.empty();) {
        if (auto entry = entries.find(host + "/" + name)) {
            if (Credential credential = parse_entry(*entry); !is_empty(credential)) return credential;
        }
        std::size_t slash = name.rfind('/');
        name.erase(slash == std::string::npos ? 0 : slash);
    }
    return {};
}

// A name, not a path: what it names is run.
std::string program_of(const std::string& helper) {
    bool plain = std::all_of(helper.begin(), helper.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || c == '.';
    });
    if (!plain) throw fail(ErrorCode::Invalid, "\"{}\" is no name of a credential helper", helper);
    return "docker-credential-" + helper;
}

std::string first_line(std::string_view text) {
    std::string line(text.substr(0, std::min(text.find('\n'), kShownAnswer)));
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    return line;
}

}  // namespace

struct DockerConfig::Answer {
    bool success = false;
    std::string text;
};

fs::path docker_config_file() {
    if (auto directory = base::environment_unless_empty("DOCKER_CONFIG")) {
        return base::to_path(*directory) / "config.json";
    }
    auto home = base::home_directory();
    return home ? *home / ".docker" / "config.json" : fs::path();
}

fs::path default_credentials_file() {
    if (auto file = base::environment_unless_empty("REGISTRY_AUTH_FILE")) return base::to_path(*file);
    return docker_config_file();
}

std::map<std::string, std::string> container_proxies(const fs::path& file) {
    Json config = read_config(file);
    auto proxies = JsonView(config, file.string()).find("proxies");
    auto all = proxies ? proxies->find("default") : std::nullopt;
    std::map<std::string, std::string> variables;
    if (!all) return variables;
    for (const auto& [member, variable] : kProxyMembers) {
        if (std::string value = all->string_or(member, ""); !value.empty()) variables[variable] = value;
    }
    return variables;
}

std::optional<Credential> DockerConfig::find(const std::string& host, const std::string& repository,
                                             const CancelToken& cancel) {
    std::lock_guard lock(mutex_);
    return base::with_context([&] { return "credentials for " + host; },
                              [&] { return look_up(host, repository, cancel); });
}

std::optional<Credential> DockerConfig::look_up(const std::string& host, const std::string& repository,
                                                const CancelToken& cancel) {
    Json config = read_config(file_);
    JsonView view(config, file_.string());
    if (std::string helper = helper_for(view, host); !helper.empty()) {
        if (auto credential = ask_once(helper, host, cancel)) return credential;
    }
    auto entries = view.find("auths");
    if (!entries) return {};
    if (auto credential = find_repository(*entries, host, repository)) return credential;
    return find_host(*entries, host);
}

std::optional<Credential> DockerConfig::ask_once(const std::string& helper, const std::string& host,
                                                 const CancelToken& cancel) {
    if (auto known = answers_.find(host); known != answers_.end()) return known->second;
    return answers_.emplace(host, ask_helper(helper, host, cancel)).first->second;
}

DockerConfig::Answer DockerConfig::call_helper(const std::string& helper, const char* verb,
                                               const std::string& input, const CancelToken& cancel) const {
    base::ProcessOptions process;
    process.argv = {program_of(helper), verb};
    process.input = input;
    process.time_limit = helper_time_limit_;
    try {
        base::ProcessOutput output = base::run_and_capture(std::move(process), cancel, kMaxAnswer);
        if (output.exit_code == 0) return {true, std::move(output.out)};
        // By the protocol, what is wrong comes on standard output.
        if (output.out.starts_with(kNotFound)) return {false, {}};
        throw fail(ErrorCode::Process, "{} {} failed: {}", program_of(helper), verb, first_line(output.out));
    } catch (base::Error& error) {
        if (error.code() == ErrorCode::NotFound) {
            error.hint(fmt::format("{} names this helper: install it, or take it out there", file_.string()));
        }
        throw;
    }
}

std::optional<Credential> DockerConfig::ask_helper(const std::string& helper, const std::string& host,
                                                   const CancelToken& cancel) const {
    Answer answer = call_helper(helper, "get", key_of(host), cancel);
    if (!answer.success) return {};
    std::string user;
    std::string secret;
    try {
        Json json = base::parse_json(answer.text, "answer");
        JsonView view(json, "answer");
        user = view.string_or("Username", "");
        secret = view.string_or("Secret", "");
    } catch (const base::Error&) {
        // Not its text: that may have the secret in it.
        throw fail(ErrorCode::Invalid, "{} gave an answer that is no credential", program_of(helper));
    }
    if (secret.empty()) return {};
    if (user == kTokenUser) return Credential{"", "", std::move(secret), ""};
    return Credential{std::move(user), std::move(secret), "", ""};
}

std::string DockerConfig::store(const std::string& host, const Credential& credential,
                                const CancelToken& cancel) {
    std::lock_guard lock(mutex_);
    if (file_.empty()) throw fail(ErrorCode::NotFound, "no place to keep credentials: HOME is not set");
    OrderedJson config = read_config(file_);
    Json plain = config;
    answers_.erase(host);
    std::string helper = helper_for(JsonView(plain, file_.string()), host);
    if (!helper.empty()) {
        OrderedJson request;
        request["ServerURL"] = key_of(host);
        request["Username"] = credential.username;
        request["Secret"] = credential.password;
        if (!call_helper(helper, "store", request.dump(), cancel).success) {
            throw fail(ErrorCode::Process, "{} did not store it", program_of(helper));
        }
        config["auths"][key_of(host)] = OrderedJson::object();
    } else {
        std::string packed;
        base::append_base64(packed, credential.username + ":" + credential.password);
        config["auths"][key_of(host)] = {{"auth", packed}};
    }
    base::write_file_atomic(file_, config.dump(2) + "\n", true);
    return helper.empty() ? file_.string() : program_of(helper);
}

bool DockerConfig::erase(const std::string& host, const CancelToken& cancel) {
    std::lock_guard lock(mutex_);
    OrderedJson config = read_config(file_);
    Json plain = config;
    answers_.erase(host);
    bool erased = false;
    std::string helper = helper_for(JsonView(plain, file_.string()), host);
    if (!helper.empty() && ask_helper(helper, host, cancel)) {
        erased = call_helper(helper, "erase", key_of(host), cancel).success;
    }
    auto entries = config.find("auths");
    if (entries == config.end() || !entries->is_object()) return erased;
    for (auto entry = entries->begin(); entry != entries->end();) {
        bool own = names_host(entry.key(), host);
        erased |= own;
        entry = own ? entries->erase(entry) : std::next(entry);
    }
    if (erased) base::write_file_atomic(file_, config.dump(2) + "\n", true);
    return erased;
}

std::vector<std::string> DockerConfig::helper_programs() const {
    Json config = read_config(file_);
    JsonView view(config, file_.string());
    std::set<std::string> programs;
    if (std::string helper = view.string_or("credsStore", ""); !helper.empty()) {
        programs.insert(program_of(helper));
    }
    if (auto helpers = view.find("credHelpers")) {
        for (const auto& [host, helper] : helpers->members()) programs.insert(program_of(helper.string()));
    }
    return {programs.begin(), programs.end()};
}

}  // namespace mullion::oci
