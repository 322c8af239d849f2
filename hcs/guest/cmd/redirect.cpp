#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"
#include "hcs/guest/cmd/shell.hpp"

namespace mullion::cmd {

Redirected::Redirected(Shell& shell, const std::vector<Redirection>& redirections)
    : shell_(shell), saved_(shell.handles_) {
    for (const Redirection& each : redirections) {
        auto number = static_cast<std::size_t>(each.handle);
        Text target = shell.expanded(each.target);
        HANDLE handle = each.kind == Redirection::Kind::Copy
                            ? shell.handles_[static_cast<std::size_t>(target[0] - L'0')]
                            : open(each, unquoted(target));
        if (!handle || handle == INVALID_HANDLE_VALUE) {
            failed_ = true;
            DWORD error = GetLastError();
            shell_.handles_ = saved_;
            if (each.kind == Redirection::Kind::Copy) {
                shell.complain(L"The handle could not be duplicated\r\nduring redirection of handle " +
                               decimal(each.handle) + L".");
            } else {
                shell.complain_of(error);
            }
            return;
        }
        if (each.kind != Redirection::Kind::Copy) opened_.push_back(handle);
        shell_.handles_[number] = handle;
    }
}

Redirected::~Redirected() {
    shell_.handles_ = saved_;
    for (HANDLE handle : opened_) CloseHandle(handle);
}

HANDLE Redirected::open(const Redirection& redirection, const Text& target) {
    bool reads = redirection.kind == Redirection::Kind::Read;
    bool appends = redirection.kind == Redirection::Kind::Append;
    DWORD access = reads ? GENERIC_READ : GENERIC_WRITE;
    DWORD creation = reads ? OPEN_EXISTING : appends ? OPEN_ALWAYS : CREATE_ALWAYS;
    if (is_null_device(target)) {
        creation = OPEN_EXISTING;
        access = GENERIC_READ | GENERIC_WRITE;
    }
    HANDLE handle = CreateFileW(target.c_str(), access, FILE_SHARE_READ | (reads ? FILE_SHARE_WRITE : 0),
                                nullptr, creation, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (appends && handle != INVALID_HANDLE_VALUE) SetFilePointer(handle, 0, nullptr, FILE_END);
    return handle;
}

}  // namespace mullion::cmd
