// Wine's registry files ("WINE REGISTRY Version 2"): reading, editing and comparing them as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hcs/layer_storage.hpp"

namespace mullion::hcs {

// `hive` with a value set; the key is made if it is not there. `key` and `name` unescaped
// ("Software\Contoso"), `data` as the file writes it ("\"text\"", "dword:0000000a").
std::string with_registry_value(std::string hive, std::string_view key, std::string_view name,
                                std::string_view data);

// A string value's data: quoted and escaped.
std::string registry_string(std::string_view text);

// What turns `before` into `after`, in the order of keys and names, keys under `root` ("HKLM"). Times are
// ignored, and keys that ignored_registry_key() names. Throws Corrupt for what is no registry file.
std::vector<RegistryChange> compare_hives(std::string_view root, std::string_view before,
                                          std::string_view after);

}  // namespace mullion::hcs
