#include <cstdlib>

#include "base/environment.hpp"

namespace mullion::base {

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return {};
    return value;
}

std::optional<std::string> environment_unless_empty(const std::string& name) {
    std::optional<std::string> value = environment(name);
    if (value && value->empty()) value.reset();
    return value;
}

std::optional<std::filesystem::path> home_directory() {
    return environment_unless_empty("HOME");
}

}  // namespace mullion::base
