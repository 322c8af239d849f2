// What a box changes that is no change of the container: traces of Wine itself. The one place that lists
// them.
#pragma once

#include <string_view>

namespace mullion::hcs {

// `path` as in RawChange. True for the path itself and everything below it.
bool ignored_path(std::string_view path);

// `key` as in RegistryChange. True for the key itself and everything below it.
bool ignored_registry_key(std::string_view key);

}  // namespace mullion::hcs
