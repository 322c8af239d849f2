// What a box changes that is no change of the container: traces of Wine itself. The one place that lists
// them. There are no files among them: the prepared layer holds all that Wine would make
// (hcs/wine_layer_maker.cpp).
#pragma once

#include <string_view>

namespace mullion::hcs {

// `key` as in RegistryChange. True for the key itself and everything below it.
bool ignored_registry_key(std::string_view key);

}  // namespace mullion::hcs
