#include "oci/registry_hosts.hpp"

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "oci/hosts_file.hpp"

namespace mullion::oci {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

constexpr std::string_view kDockerHub = "docker.io";
constexpr std::string_view kDockerHubServer = "registry-1.docker.io";
constexpr std::size_t kMaxCertificates = 4 << 20;

bool is_loopback(std::string_view host) {
    std::string_view name =
        host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
    return name == "localhost" || name == "[::1]" || name.starts_with("127.");
}

std::string server_of(const std::string& host) {
    return "https://" + (host == kDockerHub ? std::string(kDockerHubServer) : host);
}

bool is_there(const fs::path& path) {
    std::error_code code;
    return fs::exists(path, code);
}

// What a directory of configuration has about `host`.
std::optional<fs::path> directory_of(const fs::path& parent, const std::string& host) {
    std::vector<std::string> names = {host};
    if (std::size_t colon = host.rfind(':'); colon != std::string::npos && !host.ends_with(']')) {
        names.push_back(host.substr(0, colon) + "_" + host.substr(colon + 1) + "_");
    }
    names.push_back("_default");
    for (const std::string& name : names) {
        if (is_there(parent / name)) return parent / name;
    }
    return {};
}

void add_authority(RegistryEndpoint& endpoint, const fs::path& file) {
    endpoint.http.ca_certificates += base::read_file(file, kMaxCertificates) + "\n";
    if (endpoint.http.ca_certificates.size() > kMaxCertificates) {
        throw fail(ErrorCode::Invalid, "{}: more than {} bytes of certificates", file.string(),
                   kMaxCertificates);
    }
}

// Docker's form of such a directory.
void add_certificates(RegistryEndpoint& endpoint, const fs::path& directory) {
    for (const std::string& name : base::list_directory(directory)) {
        fs::path file = directory / name;
        if (file.extension() == ".crt") add_authority(endpoint, file);
        if (file.extension() != ".cert") continue;
        fs::path key = fs::path(file).replace_extension(".key");
        if (!is_there(key)) {
            throw fail(ErrorCode::Invalid, "{}: there is no {} beside it", file.string(), key.string());
        }
        if (!endpoint.http.client_certificate.empty()) {
            throw fail(ErrorCode::Unsupported,
                       "{}: only one client certificate is supported, and there is {}", file.string(),
                       endpoint.http.client_certificate.string());
        }
        endpoint.http.client_certificate = file;
        endpoint.http.client_key = key;
    }
}

RegistryEndpoint make_endpoint(const HostEntry& entry, const std::string& host, bool is_server,
                               const HttpOptions& http) {
    RegistryEndpoint endpoint;
    endpoint.base = entry.api_url();
    endpoint.credentials = is_server ? host : entry.authority();
    if (!is_server && entry.authority() != host) endpoint.mirror_of = host;
    endpoint.pull = entry.pull;
    endpoint.resolve = entry.resolve;
    endpoint.push = entry.push;
    endpoint.headers = entry.headers;
    endpoint.http = http;
    for (const fs::path& file : entry.authorities) add_authority(endpoint, file);
    endpoint.http.client_certificate = entry.client_certificate;
    endpoint.http.client_key = entry.client_key;
    if (entry.skip_verify) endpoint.http.verify_server = false;
    if (entry.dial_timeout) endpoint.http.connect_timeout = *entry.dial_timeout;
    return endpoint;
}

std::vector<RegistryEndpoint> read_hosts_file(const fs::path& file, const std::string& host,
                                              const RegistryHostOptions& options) {
    HostsFile hosts = parse_hosts_file(file, server_of(host));
    std::vector<RegistryEndpoint> endpoints;
    for (const HostEntry& mirror : hosts.mirrors) {
        endpoints.push_back(make_endpoint(mirror, host, false, options.http));
    }
    endpoints.push_back(make_endpoint(hosts.server, host, true, options.http));
    return endpoints;
}

}  // namespace

std::vector<RegistryEndpoint> registry_endpoints(const std::string& host,
                                                 const RegistryHostOptions& options) {
    bool insecure =
        std::find(options.insecure.begin(), options.insecure.end(), host) != options.insecure.end();
    RegistryEndpoint endpoint;
    endpoint.base = server_of(host) + "/v2";
    endpoint.credentials = host;
    endpoint.may_be_plain = insecure || is_loopback(host);
    endpoint.http = options.http;
    if (insecure) endpoint.http.verify_server = false;
    for (const fs::path& parent : options.directories) {
        auto directory = directory_of(parent, host);
        if (!directory) continue;
        if (is_there(*directory / "hosts.toml")) {
            return read_hosts_file(*directory / "hosts.toml", host, options);
        }
        add_certificates(endpoint, *directory);
        break;
    }
    return {std::move(endpoint)};
}

}  // namespace mullion::oci
