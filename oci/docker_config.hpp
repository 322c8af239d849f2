// What docker, podman, skopeo and crane share: `config.json`, with credentials and their helpers.
//
//     {"auths": {"HOST": {"auth": BASE64},         here, readable by whoever can read the file
//                "HOST/team/app": {...}},          of a repository, or of all below "team"; the longest key
//                                                  counts (containers-auth.json(5); podman writes them)
//      "credsStore": "pass",                       with the helper docker-credential-pass
//      "credHelpers": {"HOST": "ecr-login"},       with another one for this host; it comes first
//      "proxies": {"default": {"httpProxy": URL}}} for containers; those of single daemons are none of ours
//
// Helpers get hosts and secrets on standard input, never in arguments (docker/docker-credential-helpers);
// each is asked once per host, and has half a minute to answer.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "oci/credentials.hpp"

namespace mullion::oci {

// config.json in $DOCKER_CONFIG, else in ~/.docker; empty if none can be told.
std::filesystem::path docker_config_file();
// $REGISTRY_AUTH_FILE, else docker_config_file().
std::filesystem::path default_credentials_file();

// The variables that containers get ("HTTP_PROXY", URL), by name. Throws Invalid for a file that cannot be
// understood; one that is absent has none.
std::map<std::string, std::string> container_proxies(const std::filesystem::path& file);

// Thread-safe. The file is read at every call; one that is absent has nothing in it. Throws Invalid for a
// file that cannot be understood, NotFound for a helper that is not installed, Process for one that fails,
// TimedOut.
class DockerConfig final : public Keychain {
  public:
    explicit DockerConfig(std::filesystem::path file,
                          std::chrono::milliseconds helper_time_limit = std::chrono::seconds(30))
        : file_(std::move(file)), helper_time_limit_(helper_time_limit) {}

    std::optional<Credential> find(const std::string& host, const std::string& repository,
                                   const base::CancelToken& cancel) override;
    // Keeps it, replacing what was kept for the host. Returns where: a helper's name or the file's.
    std::string store(const std::string& host, const Credential& credential, const base::CancelToken& cancel);
    // False if there was none.
    bool erase(const std::string& host, const base::CancelToken& cancel);
    // The programs of all helpers that the file names, sorted.
    std::vector<std::string> helper_programs() const;

  private:
    std::optional<Credential> look_up(const std::string& host, const std::string& repository,
                                      const base::CancelToken& cancel);
    std::optional<Credential> ask_once(const std::string& helper, const std::string& host,
                                       const base::CancelToken& cancel);
    std::optional<Credential> ask_helper(const std::string& helper, const std::string& host,
                                         const base::CancelToken& cancel) const;
    struct Answer;
    Answer call_helper(const std::string& helper, const char* verb, const std::string& input,
                       const base::CancelToken& cancel) const;

    const std::filesystem::path file_;
    const std::chrono::milliseconds helper_time_limit_;
    std::mutex mutex_;
    std::map<std::string, std::optional<Credential>> answers_;  // of helpers, by host
};

}  // namespace mullion::oci
