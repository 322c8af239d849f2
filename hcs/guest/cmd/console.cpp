#include "hcs/guest/cmd/console.hpp"

#include <algorithm>

namespace mullion::cmd {
namespace {

// What a program may answer to FOR /F, and how long a script may be.
constexpr std::size_t kMostBytes = 64u << 20;
constexpr std::size_t kLongestInput = 8191;

bool is_console(HANDLE handle) {
    DWORD mode;
    return GetFileType(handle) == FILE_TYPE_CHAR && GetConsoleMode(handle, &mode);
}

bool is_ascii(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
}

std::string encoded(View text) {
    if (std::all_of(text.begin(), text.end(), [](wchar_t c) { return c < 0x80; }))
        return std::string(text.begin(), text.end());
    UINT page = GetConsoleOutputCP();
    if (page == 0) page = GetOEMCP();
    int size = WideCharToMultiByte(page, 0, text.data(), static_cast<int>(text.size()), nullptr, 0, nullptr,
                                   nullptr);
    std::string bytes(static_cast<std::size_t>(size), '\0');
    WideCharToMultiByte(page, 0, text.data(), static_cast<int>(text.size()), bytes.data(), size, nullptr,
                        nullptr);
    return bytes;
}

}  // namespace

bool write_bytes(HANDLE handle, std::string_view bytes) {
    while (!bytes.empty()) {
        DWORD written = 0;
        if (!WriteFile(handle, bytes.data(), static_cast<DWORD>(bytes.size()), &written, nullptr))
            return false;
        bytes.remove_prefix(written);
    }
    return true;
}

bool write_text(HANDLE handle, View text, bool as_utf16) {
    if (text.empty()) return true;
    if (is_console(handle)) {
        DWORD written;
        return WriteConsoleW(handle, text.data(), static_cast<DWORD>(text.size()), &written, nullptr);
    }
    if (as_utf16) {
        return write_bytes(handle,
                           {reinterpret_cast<const char*>(text.data()), text.size() * sizeof(wchar_t)});
    }
    return write_bytes(handle, encoded(text));
}

Text decoded(std::string_view bytes) {
    if (bytes.size() >= 2 && bytes[0] == '\xff' && bytes[1] == '\xfe') {
        Text text((bytes.size() - 2) / sizeof(wchar_t), L'\0');
        std::copy_n(bytes.data() + 2, text.size() * sizeof(wchar_t), reinterpret_cast<char*>(text.data()));
        return text;
    }
    if (is_ascii(bytes)) return Text(bytes.begin(), bytes.end());
    UINT page = GetConsoleOutputCP();
    if (page == 0) page = GetOEMCP();
    int size = MultiByteToWideChar(page, 0, bytes.data(), static_cast<int>(bytes.size()), nullptr, 0);
    Text text(static_cast<std::size_t>(size), L'\0');
    MultiByteToWideChar(page, 0, bytes.data(), static_cast<int>(bytes.size()), text.data(), size);
    return text;
}

std::optional<Text> read_line(HANDLE handle) {
    std::string line;
    char c;
    DWORD got = 0;
    bool any = false;
    while (ReadFile(handle, &c, 1, &got, nullptr) && got == 1) {
        any = true;
        if (c == '\n') break;
        if (line.size() < kLongestInput) line += c;
    }
    if (!any) return std::nullopt;
    while (!line.empty() && line.back() == '\r') line.pop_back();
    return decoded(line);
}

std::string read_all(HANDLE handle) {
    std::string bytes;
    char buffer[16384];
    DWORD got = 0;
    while (ReadFile(handle, buffer, sizeof buffer, &got, nullptr) && got != 0) {
        bytes.append(buffer, got);
        if (bytes.size() > kMostBytes) throw Failure{L"There is too much to read."};
    }
    return bytes;
}

Handle open_to_read(const Text& path) {
    return Handle(CreateFileW(path.c_str(), GENERIC_READ,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr, OPEN_EXISTING,
                              0, nullptr));
}

std::pair<Handle, Handle> make_pipe() {
    HANDLE read, write;
    if (!CreatePipe(&read, &write, nullptr, 0)) throw Failure{error_text(GetLastError())};
    return {Handle(read), Handle(write)};
}

Text error_text(DWORD error) {
    switch (error) {
        case ERROR_FILE_NOT_FOUND:
            return L"The system cannot find the file specified.";
        case ERROR_PATH_NOT_FOUND:
            return L"The system cannot find the path specified.";
        case ERROR_ACCESS_DENIED:
        case ERROR_WRITE_PROTECT:
            return L"Access is denied.";
        case ERROR_INVALID_DRIVE:
            return L"The system cannot find the drive specified.";
        case ERROR_SHARING_VIOLATION:
            return L"The process cannot access the file because it is being used by another process.";
        case ERROR_ALREADY_EXISTS:
        case ERROR_FILE_EXISTS:
            return L"A duplicate file name exists, or the file\r\ncannot be found.";
        case ERROR_DISK_FULL:
        case ERROR_HANDLE_DISK_FULL:
            return L"There is not enough space on the disk.";
        case ERROR_INVALID_NAME:
        case ERROR_BAD_PATHNAME:
            return L"The filename, directory name, or volume label syntax is incorrect.";
        case ERROR_DIRECTORY:
            return L"The directory name is invalid.";
        case ERROR_DIR_NOT_EMPTY:
            return L"The directory is not empty.";
        case ERROR_NOT_SAME_DEVICE:
            return L"The system cannot move the file to a different disk drive.";
        case ERROR_NO_ASSOCIATION:
            return L"No program is there to open files of this type.";
        case ERROR_BROKEN_PIPE:
        case ERROR_NO_DATA:
            return L"The process tried to write to a nonexistent pipe.";
        default:
            break;
    }
    wchar_t buffer[512];
    DWORD size = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, error, 0,
                                buffer, 512, nullptr);
    while (size > 0 && (buffer[size - 1] == L'\n' || buffer[size - 1] == L'\r')) --size;
    if (size == 0) return L"Error " + decimal(error) + L".";
    return Text(buffer, size);
}

}  // namespace mullion::cmd
