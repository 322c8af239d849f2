// tests/support/http_server.py, running: what it serves is in a directory, what it was asked can be read.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/child.hpp"

namespace mullion::test {

class HttpServer {
  public:
    // Serves `root`; the log lies beside it. With a certificate (PEM, with its key): https.
    explicit HttpServer(std::filesystem::path root, std::filesystem::path certificate = {});

    // "http://127.0.0.1:PORT/files/NAME", or https
    std::string url(std::string_view name) const;
    // "http://127.0.0.1:PORT/git/NAME"
    std::string git_url(std::string_view name) const;

    struct Request {
        std::string method;
        std::string path;
        int status = 0;
        std::size_t size = 0;  // of the body that was sent
        std::string headers;   // as JSON, names in lower case
    };
    std::vector<Request> requests() const;
    // How many requests had this status.
    std::size_t count(int status) const;
    // The bytes of all bodies that were sent.
    std::size_t sent() const;
    // How many connections were made.
    std::size_t connections() const;

  private:
    std::filesystem::path log_;
    std::filesystem::path connections_;
    std::unique_ptr<Child> child_;
    std::string origin_;  // "http://127.0.0.1:PORT"
};

// A log as http_server.py writes it.
std::vector<HttpServer::Request> read_request_log(const std::filesystem::path& file);

}  // namespace mullion::test
