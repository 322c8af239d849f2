#include <windows.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/win32.hpp"
#include "hcs/native.hpp"

namespace mullion::hcs {
namespace {

void enable(HANDLE token, const wchar_t* name) {
    TOKEN_PRIVILEGES wanted{1, {{{}, SE_PRIVILEGE_ENABLED}}};
    // Succeeds too where the token does not have it.
    if (!::LookupPrivilegeValueW(nullptr, name, &wanted.Privileges[0].Luid) ||
        !::AdjustTokenPrivileges(token, FALSE, &wanted, 0, nullptr, nullptr) ||
        ::GetLastError() != ERROR_SUCCESS) {
        throw base::last_error(fmt::format("cannot enable {}", base::from_wide(name)));
    }
}

}  // namespace

void enable_layer_privileges() {
    HANDLE token = nullptr;
    if (!::OpenProcessToken(::GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token)) {
        throw base::last_error("cannot open the token of this process");
    }
    base::UniqueHandle owned(token);
    for (const wchar_t* name : {SE_BACKUP_NAME, SE_RESTORE_NAME, SE_SECURITY_NAME}) enable(token, name);
}

}  // namespace mullion::hcs
