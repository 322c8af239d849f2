#include "tests/support/http_server.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace mullion::test {

HttpServer::HttpServer(std::filesystem::path root, std::filesystem::path certificate)
    : log_(root.string() + ".log") {
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    std::string script = std::string(MULLION_TEST_SUPPORT) + "/http_server.py";
    std::filesystem::create_directories(root);
    child_ = ::fork();
    if (child_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(in[0], 0);
        ::dup2(out[1], 1);
        ::execlp("python3", "python3", script.c_str(), root.c_str(), log_.c_str(),
                 certificate.empty() ? nullptr : certificate.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = base::UniqueFd(in[1]);
    base::UniqueFd output(out[0]);
    std::string port;
    for (char c = 0; ::read(output.get(), &c, 1) == 1 && c != '\n';) port += c;
    origin_ = (certificate.empty() ? "http://127.0.0.1:" : "https://127.0.0.1:") + port;
    if (port.empty()) throw std::runtime_error("the test HTTP server did not start");
}

HttpServer::~HttpServer() {
    input_ = base::UniqueFd();
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
}

std::string HttpServer::url(std::string_view name) const {
    return origin_ + "/files/" + std::string(name);
}

std::string HttpServer::git_url(std::string_view name) const {
    return origin_ + "/git/" + std::string(name);
}

std::vector<HttpServer::Request> HttpServer::requests() const {
    std::vector<Request> all;
    std::ifstream log(log_);
    for (std::string line; std::getline(log, line);) {
        std::istringstream fields(line);
        Request request;
        fields >> request.method >> request.path >> request.status >> request.size;
        std::getline(fields, request.headers);
        all.push_back(std::move(request));
    }
    return all;
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

}  // namespace mullion::test
