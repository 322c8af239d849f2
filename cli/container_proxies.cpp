#include "cli/container_proxies.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "frontend/unicode.hpp"
#include "oci/docker_config.hpp"

namespace mullion::cli {

KeyValueList configured_proxies(const KeyValueList& given) {
    KeyValueList proxies;
    try {
        for (const auto& [name, value] : oci::container_proxies(oci::docker_config_file())) {
            bool is_given = std::any_of(given.begin(), given.end(), [&, &name = name](const auto& pair) {
                return frontend::upper_ascii(pair.first) == name;
            });
            if (!is_given) proxies.emplace_back(name, value);
        }
    } catch (const base::Error& error) {
        base::log("cli").warn("containers get no proxies: {}", error.what());
    }
    return proxies;
}

}  // namespace mullion::cli
