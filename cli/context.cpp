#include "cli/context.hpp"

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "cli/container_backend.hpp"
#include "cli/hosts_directories.hpp"

namespace mullion::cli {
namespace fs = std::filesystem;

fs::path Context::state_directory() const {
    return fs::absolute(state_option.empty() ? cache::default_state_directory()
                                             : base::to_path(state_option));
}

cache::State& Context::state() {
    if (!state_) {
        fs::path directory = state_directory();
        state_ = std::make_unique<cache::State>(directory, layer_remover(directory));
    }
    return *state_;
}

oci::RegistryOptions Context::registry_options() const {
    oci::RegistryOptions options;
    if (!ca_file.empty() && !fs::is_regular_file(base::to_path(ca_file))) {
        throw base::fail(base::ErrorCode::Invalid, "--ca-file {}: there is no such file", ca_file);
    }
    options.hosts.http.ca_file = base::to_path(ca_file);
    options.hosts.insecure = insecure_registries;
    options.hosts.directories = default_hosts_directories();
    if (!hosts_directories.empty()) {
        options.hosts.directories.clear();
        for (const std::string& directory : hosts_directories) {
            options.hosts.directories.push_back(base::to_path(directory));
        }
    }
    return options;
}

oci::DockerConfig& Context::credentials() {
    if (!credentials_) credentials_ = std::make_unique<oci::DockerConfig>(oci::default_credentials_file());
    return *credentials_;
}

oci::RegistryClient& Context::registry() {
    if (!registry_) registry_ = std::make_unique<oci::RegistryClient>(registry_options(), credentials());
    return *registry_;
}

}  // namespace mullion::cli
