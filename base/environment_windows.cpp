#include <windows.h>

#include "base/environment.hpp"
#include "base/path_text.hpp"
#include "base/win32.hpp"

namespace mullion::base {

std::optional<std::string> environment(const std::string& name) {
    std::wstring wide = to_wide(name);
    std::wstring value(256, L'\0');
    for (;;) {
        // The size needed, its terminator included, if what is there is too small.
        ::SetLastError(ERROR_SUCCESS);
        DWORD size = ::GetEnvironmentVariableW(wide.c_str(), value.data(), static_cast<DWORD>(value.size()));
        if (size == 0 && ::GetLastError() != ERROR_SUCCESS) return {};
        bool fits = size < value.size();
        value.resize(size);
        if (fits) return from_wide(value);
    }
}

std::optional<std::string> environment_unless_empty(const std::string& name) {
    std::optional<std::string> value = environment(name);
    if (value && value->empty()) value.reset();
    return value;
}

std::optional<std::filesystem::path> home_directory() {
    std::optional<std::string> profile = environment_unless_empty("USERPROFILE");
    return profile ? std::optional(to_path(*profile)) : std::nullopt;
}

}  // namespace mullion::base
