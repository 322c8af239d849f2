// A hosts.toml. What was read has an API under http or https.
#include <cstdlib>

#include "base/error.hpp"
#include "oci/hosts_file.hpp"
#include "tests/fuzz/target.hpp"

namespace mullion::test {
namespace {

void look_at(const oci::HostEntry& entry) {
    const std::string url = entry.api_url();
    if (!url.starts_with("http://") && !url.starts_with("https://")) std::abort();
    if (entry.authority().find('/') != std::string::npos) std::abort();
}

}  // namespace

void fuzz(std::string_view input) {
    try {
        const oci::HostsFile hosts =
            oci::parse_hosts(std::string(input), "/hosts/hosts.toml", "https://registry.example");
        look_at(hosts.server);
        for (const oci::HostEntry& mirror : hosts.mirrors) look_at(mirror);
    } catch (const base::Error&) {
    }
}

}  // namespace mullion::test
