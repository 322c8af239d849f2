#include "tests/support/http_server.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace mullion::test {

HttpServer::HttpServer(std::filesystem::path root, std::filesystem::path certificate)
    : log_(root.string() + ".log"), connections_(root.string() + ".connections") {
    std::filesystem::create_directories(root);
    std::vector<std::string> argv = {"python3", std::string(MULLION_TEST_SUPPORT) + "/http_server.py",
                                     root.string(), log_.string()};
    if (!certificate.empty()) argv.push_back(certificate.string());
    child_ = std::make_unique<Child>(std::move(argv));
    std::string port = child_->first_line();
    origin_ = (certificate.empty() ? "http://127.0.0.1:" : "https://127.0.0.1:") + port;
    if (port.empty()) throw std::runtime_error("the test HTTP server did not start");
}

std::string HttpServer::url(std::string_view name) const {
    return origin_ + "/files/" + std::string(name);
}

std::string HttpServer::git_url(std::string_view name) const {
    return origin_ + "/git/" + std::string(name);
}

std::vector<HttpServer::Request> read_request_log(const std::filesystem::path& file) {
    std::vector<HttpServer::Request> all;
    std::ifstream log(file);
    for (std::string line; std::getline(log, line);) {
        std::istringstream fields(line);
        HttpServer::Request request;
        fields >> request.method >> request.path >> request.status >> request.size;
        std::getline(fields, request.headers);
        all.push_back(std::move(request));
    }
    return all;
}

std::vector<HttpServer::Request> HttpServer::requests() const {
    return read_request_log(log_);
}

std::size_t HttpServer::count(int status) const {
    std::size_t number = 0;
    for (const Request& request : requests()) number += request.status == status ? 1 : 0;
    return number;
}

std::size_t HttpServer::sent() const {
    std::size_t bytes = 0;
    for (const Request& request : requests()) bytes += request.size;
    return bytes;
}

std::size_t HttpServer::connections() const {
    return std::filesystem::exists(connections_) ? std::filesystem::file_size(connections_) : 0;
}

}  // namespace mullion::test
