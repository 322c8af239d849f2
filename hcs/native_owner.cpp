#include "hcs/native_owner.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "hcs/native_api.hpp"

namespace mullion::hcs {
namespace {

// When a process began, in 100 ns; 0 if it cannot be asked.
std::uint64_t birth_of(HANDLE process) {
    FILETIME created, exited, kernel, user;
    if (!::GetProcessTimes(process, &created, &exited, &kernel, &user)) return 0;
    return static_cast<std::uint64_t>(created.dwHighDateTime) << 32 | created.dwLowDateTime;
}

}  // namespace

std::string this_process() {
    return fmt::format("{}-{:x}", ::GetCurrentProcessId(), birth_of(::GetCurrentProcess()));
}

bool is_gone(std::string_view process) {
    unsigned long id = 0;
    unsigned long long birth = 0;
    if (std::sscanf(std::string(process).c_str(), "%lu-%llx", &id, &birth) != 2) return false;
    base::UniqueHandle handle(::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, id));
    if (!handle) return ::GetLastError() == ERROR_INVALID_PARAMETER;
    if (::WaitForSingleObject(handle.get(), 0) == WAIT_OBJECT_0) return true;
    std::uint64_t found = birth_of(handle.get());
    return found != 0 && found != birth;
}

}  // namespace mullion::hcs
