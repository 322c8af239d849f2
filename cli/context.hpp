// What every command shares: global options, the state directory, registries, cancellation. Lives in main();
// commands keep a reference.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "cache/state.hpp"
#include "oci/docker_config.hpp"
#include "oci/registry_client.hpp"

namespace mullion::cli {

class Context {
  public:
    // Global options.
    std::string state_option;
    bool debug = false;
    std::string ca_file;
    std::vector<std::string> insecure_registries;
    std::vector<std::string> hosts_directories;

    // Chosen by the parsed command; main() runs it and exits with what it returns.
    std::function<int()> action;

    base::CancelToken cancel;

    std::filesystem::path state_directory() const;
    // Opened at first use: `version` and `--help` touch no disk.
    cache::State& state();

    // As the options say; Invalid for a --ca-file that is none.
    oci::RegistryOptions registry_options() const;
    // With the credentials that are stored; made at first use.
    oci::RegistryClient& registry();
    oci::DockerConfig& credentials();

  private:
    std::unique_ptr<cache::State> state_;
    std::unique_ptr<oci::DockerConfig> credentials_;
    std::unique_ptr<oci::RegistryClient> registry_;
};

}  // namespace mullion::cli
