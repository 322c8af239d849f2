#include "tests/support/registry.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "base/process.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;

// kUser, and kPassword by bcrypt with the lowest cost: the only form docker-registry takes.
constexpr const char* kPasswords = "builder:$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e\n";

std::string config(const DockerRegistry::Options& options, const fs::path& directory) {
    std::ostringstream yaml;
    yaml << "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: "
         << (directory / "data").string() << "\n";
    if (options.read_only) yaml << "  maintenance:\n    readonly:\n      enabled: true\n";
    yaml << "http:\n  addr: 127.0.0.1:0\n  secret: test\n";
    if (!options.certificate.empty()) {
        yaml << "  tls:\n    certificate: " << options.certificate.string()
             << "\n    key: " << options.certificate.string() << "\n";
        if (!options.client_ca.empty())
            yaml << "    clientcas:\n      - " << options.client_ca.string() << "\n";
    }
    if (options.auth == DockerRegistry::Auth::Password) {
        yaml << "auth:\n  htpasswd:\n    realm: test\n    path: " << (directory / "passwords").string()
             << "\n";
    }
    if (!options.proxy_of.empty()) yaml << "proxy:\n  remoteurl: " << options.proxy_of << "\n";
    // By default it refuses every manifest whose layers have URLs.
    yaml << "validation:\n  manifests:\n    urls:\n      allow:\n        - ^http\n";
    return yaml.str();
}

// 'msg="listening on 127.0.0.1:40123"', with ", tls" behind it at times.
std::string listening_port(const fs::path& log) {
    std::ifstream file(log);
    constexpr std::string_view kMark = "listening on 127.0.0.1:";
    for (std::string line; std::getline(file, line);) {
        std::size_t at = line.find(kMark);
        if (at == std::string::npos) continue;
        std::size_t begin = at + kMark.size();
        return line.substr(begin, line.find_first_not_of("0123456789", begin) - begin);
    }
    return {};
}

void openssl(std::vector<std::string> arguments) {
    base::ProcessOptions process;
    process.argv = {"openssl"};
    process.argv.insert(process.argv.end(), arguments.begin(), arguments.end());
    auto done = base::run_and_capture(process, {});
    if (done.exit_code != 0) throw std::runtime_error("openssl: " + done.err);
}

}  // namespace

DockerRegistry::DockerRegistry(const Options& options) : directory_(fs::temp_directory_path(), "registry") {
    const fs::path& directory = directory_.path();
    base::write_file_atomic(directory / "passwords", kPasswords);
    base::write_file_atomic(directory / "config.yml", config(options, directory));
    child_ = std::make_unique<Child>(
        std::vector<std::string>{"docker-registry", "serve", (directory / "config.yml").string()},
        directory / "access", directory / "log");
    while (port_.empty()) {
        if (!child_->running()) {
            throw std::runtime_error("docker-registry did not start: " +
                                     base::read_file(directory / "log", 1 << 20));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        port_ = listening_port(directory / "log");
    }
}

std::vector<std::string> DockerRegistry::requests() const {
    std::vector<std::string> requests;
    std::ifstream file(directory_.path() / "access");
    // 127.0.0.1 - - [date] "GET /v2/ HTTP/1.1" 200 2 "" "mullion"
    for (std::string line; std::getline(file, line);) {
        std::size_t begin = line.find('"');
        std::size_t end = line.find('"', begin + 1);
        if (begin == std::string::npos || end == std::string::npos) continue;
        std::istringstream words(line.substr(begin + 1, end - begin - 1) + line.substr(end + 1));
        std::string method, path, version, status;
        words >> method >> path >> version >> status;
        requests.push_back(method + " " + path + " " + status);
    }
    return requests;
}

std::size_t DockerRegistry::count(std::string_view method, std::string_view part,
                                  std::string_view status) const {
    std::vector<std::string> all = requests();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const std::string& request) {
        return request.starts_with(std::string(method) + " ") && request.find(part) != std::string::npos &&
               request.ends_with(" " + std::string(status));
    }));
}

RegistryProxy::RegistryProxy(const DockerRegistry& upstream)
    : directory_(fs::temp_directory_path(), "registry-proxy") {
    child_ = std::make_unique<Child>(std::vector<std::string>{
        "python3", std::string(MULLION_TEST_SUPPORT) + "/registry_proxy.py", upstream.port(),
        (directory_.path() / "faults").string(), (directory_.path() / "log").string()});
    port_ = child_->first_line();
    if (port_.empty()) throw std::runtime_error("the registry proxy did not start");
}

void RegistryProxy::set(std::string_view json) const {
    base::write_file_atomic(directory_.path() / "faults", json);
}

std::vector<HttpServer::Request> RegistryProxy::requests() const {
    return read_request_log(directory_.path() / "log");
}

void RegistryProxy::forget_requests() const {
    fs::remove(directory_.path() / "log");
}

Certificates::Certificates(const fs::path& directory)
    : authority(directory / "ca.pem"),
      server(directory / "server.pem"),
      client(directory / "client.cert"),
      client_key(directory / "client.key") {
    auto path = [&](const char* name) { return (directory / name).string(); };
    openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
             "-keyout", path("ca.key"), "-out", authority.string()});
    base::write_file_atomic(directory / "names", "subjectAltName=IP:127.0.0.1\n");
    auto sign = [&](const char* name, const std::string& key, const std::string& out) {
        openssl({"req", "-newkey", "rsa:2048", "-nodes", "-subj", std::string("/CN=") + name, "-keyout", key,
                 "-out", path("request")});
        openssl({"x509", "-req", "-in", path("request"), "-CA", authority.string(), "-CAkey", path("ca.key"),
                 "-CAcreateserial", "-days", "2", "-extfile", path("names"), "-out", out});
    };
    sign("127.0.0.1", path("server.key"), path("server.cert"));
    base::write_file_atomic(
        server, base::read_file(path("server.cert"), 1 << 20) + base::read_file(path("server.key"), 1 << 20));
    sign("client", client_key.string(), client.string());
}

}  // namespace mullion::test
