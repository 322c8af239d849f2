// hosts.toml, read (registry_hosts.hpp says what is in it). Internal to the room.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "oci/http_client.hpp"

namespace mullion::oci {

struct HostEntry {
    std::string url;  // "https://mirror.example/path"
    bool pull = true;
    bool resolve = true;
    bool push = true;
    std::vector<std::filesystem::path> authorities;  // absolute, as are the files below
    std::filesystem::path client_certificate;
    std::filesystem::path client_key;
    bool skip_verify = false;
    bool override_path = false;
    std::optional<std::chrono::milliseconds> dial_timeout;
    HttpHeaders headers;

    std::string api_url() const;    // with "/v2"
    std::string authority() const;  // "mirror.example", "mirror.example:5000"
};

struct HostsFile {
    HostEntry server;
    std::vector<HostEntry> mirrors;  // in the order of the file
};

// Throws Invalid, Unsupported, naming file and key.
HostsFile parse_hosts_file(const std::filesystem::path& file, const std::string& default_server);
// The text of one; `file` is what it is called and where its paths begin.
HostsFile parse_hosts(const std::string& text, const std::filesystem::path& file,
                      const std::string& default_server);

}  // namespace mullion::oci
