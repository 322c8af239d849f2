#include "base/win32.hpp"

#include <windows.h>

namespace mullion::base {
namespace {

// Longer ones need \\?\; a directory's name must leave room for a file's of the 8.3 kind.
constexpr std::size_t kShortPath = MAX_PATH - 12;

constexpr DWORD kDiskQuotaExceeded = 1295;  // not in mingw-w64 10

ErrorCode code_of(DWORD code) {
    switch (code) {
        case ERROR_FILE_NOT_FOUND:
        case ERROR_PATH_NOT_FOUND:
        case ERROR_DIRECTORY:
        case ERROR_BAD_NETPATH:
        case ERROR_BAD_NET_NAME:
            return ErrorCode::NotFound;
        case ERROR_FILE_EXISTS:
        case ERROR_ALREADY_EXISTS:
        case ERROR_DIR_NOT_EMPTY:
            return ErrorCode::Exists;
        case ERROR_ACCESS_DENIED:
        case ERROR_PRIVILEGE_NOT_HELD:
        case ERROR_WRITE_PROTECT:
            return ErrorCode::Denied;
        case ERROR_DISK_FULL:
        case ERROR_HANDLE_DISK_FULL:
        case kDiskQuotaExceeded:
        case ERROR_NOT_ENOUGH_MEMORY:
        case ERROR_OUTOFMEMORY:
        case ERROR_TOO_MANY_OPEN_FILES:
        case ERROR_NO_SYSTEM_RESOURCES:
            return ErrorCode::Exhausted;
        case ERROR_SHARING_VIOLATION:
        case ERROR_LOCK_VIOLATION:
        case ERROR_BUSY:
        case ERROR_NOT_READY:
        case ERROR_DELETE_PENDING:
            return ErrorCode::Unavailable;
        case ERROR_INVALID_NAME:
        case ERROR_BAD_PATHNAME:
        case ERROR_FILENAME_EXCED_RANGE:
        case ERROR_INVALID_PARAMETER:
        case ERROR_CANT_RESOLVE_FILENAME:
            return ErrorCode::Invalid;
        case ERROR_TIMEOUT:
        case ERROR_SEM_TIMEOUT:
            return ErrorCode::TimedOut;
        case ERROR_NOT_SUPPORTED:
        case ERROR_CALL_NOT_IMPLEMENTED:
        case ERROR_INVALID_FUNCTION:
            return ErrorCode::Unsupported;
        default:
            return ErrorCode::Io;
    }
}

std::string message_of(DWORD code) {
    wchar_t buffer[512];
    DWORD size = ::FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, code,
                                  0, buffer, static_cast<DWORD>(std::size(buffer)), nullptr);
    std::string text = from_wide({buffer, size});
    std::size_t end = text.find_last_not_of("\r\n .");
    text.erase(end == std::string::npos ? 0 : end + 1);
    return text.empty() ? fmt::format("error {}", code) : text;
}

}  // namespace

std::wstring to_wide(std::string_view text) {
    if (text.empty()) return {};
    auto size = static_cast<int>(text.size());
    int length = ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.data(), size, nullptr, 0);
    if (length <= 0) throw fail(ErrorCode::Invalid, "\"{}\" is not UTF-8", text.substr(0, 200));
    std::wstring wide(static_cast<std::size_t>(length), L'\0');
    ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.data(), size, wide.data(), length);
    return wide;
}

std::string from_wide(std::wstring_view text) {
    if (text.empty()) return {};
    auto size = static_cast<int>(text.size());
    int length = ::WideCharToMultiByte(CP_UTF8, 0, text.data(), size, nullptr, 0, nullptr, nullptr);
    std::string narrow(static_cast<std::size_t>(length), '\0');
    ::WideCharToMultiByte(CP_UTF8, 0, text.data(), size, narrow.data(), length, nullptr, nullptr);
    return narrow;
}

std::wstring native_path(const std::filesystem::path& path) {
    const std::wstring& text = path.native();
    if (text.starts_with(L"\\\\?\\") || text.starts_with(L"\\\\.\\")) return text;
    DWORD length = ::GetFullPathNameW(text.c_str(), 0, nullptr, nullptr);  // with its terminator
    if (length == 0 || length < kShortPath) return text;
    std::wstring full(length, L'\0');
    full.resize(::GetFullPathNameW(text.c_str(), length, full.data(), nullptr));
    if (full.starts_with(L"\\\\?\\") || full.starts_with(L"\\\\.\\")) return full;
    return full.starts_with(L"\\\\") ? L"\\\\?\\UNC" + full.substr(1) : L"\\\\?\\" + full;
}

std::wstring verbatim_path(const std::filesystem::path& path) {
    std::wstring text = native_path(path);
    if (text.starts_with(L"\\\\?\\")) return text;
    std::error_code code;
    std::wstring full = std::filesystem::absolute(path, code).lexically_normal().make_preferred().native();
    while (full.size() > 3 && full.back() == L'\\') full.pop_back();
    return full.starts_with(L"\\\\") ? L"\\\\?\\UNC" + full.substr(1) : L"\\\\?\\" + full;
}

Error windows_error(unsigned long code, std::string what, std::source_location where) {
    Error error(code_of(code), what + ": " + message_of(code), where);
    error.system(std::error_code(static_cast<int>(code), std::system_category()));
    return error;
}

Error last_error(std::string what, std::source_location where) {
    return windows_error(::GetLastError(), std::move(what), where);
}

UniqueHandle::UniqueHandle(void* handle) : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}

void UniqueHandle::reset() {
    if (handle_ != nullptr) ::CloseHandle(std::exchange(handle_, nullptr));
}

}  // namespace mullion::base
