#include "hcs/guest/cmd/paths.hpp"

#include <algorithm>

namespace mullion::cmd {

Text current_directory() {
    Text path(GetCurrentDirectoryW(0, nullptr), L'\0');
    path.resize(GetCurrentDirectoryW(static_cast<DWORD>(path.size()), path.data()));
    return path;
}

Text full_path(View path) {
    Text given(path);
    DWORD size = GetFullPathNameW(given.c_str(), 0, nullptr, nullptr);
    Text full(size, L'\0');
    full.resize(GetFullPathNameW(given.c_str(), size, full.data(), nullptr));
    return full;
}

Text spelled(const Text& path) {
    DWORD size = GetLongPathNameW(path.c_str(), nullptr, 0);
    if (size == 0) return path;
    Text result(size, L'\0');
    result.resize(GetLongPathNameW(path.c_str(), result.data(), size));
    return result;
}

Text directory_of(View path) {
    std::size_t end = path.find_last_of(L"\\/:");
    return end == View::npos ? Text() : Text(path.substr(0, end + 1));
}

Text name_of(View path) {
    std::size_t end = path.find_last_of(L"\\/:");
    return Text(end == View::npos ? path : path.substr(end + 1));
}

Text extension_of(View path) {
    Text name = name_of(path);
    std::size_t dot = name.rfind(L'.');
    return dot == Text::npos ? Text() : name.substr(dot);
}

Text joined(View directory, View name) {
    Text result(directory);
    if (!result.empty() && result.back() != L'\\' && result.back() != L'/') result += L'\\';
    return result.append(name);
}

bool exists(const Text& path) {
    return GetFileAttributesW(path.c_str()) != INVALID_FILE_ATTRIBUTES;
}

bool is_directory(const Text& path) {
    DWORD attributes = GetFileAttributesW(path.c_str());
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY);
}

bool is_null_device(View path) {
    return same(path, L"nul") || same(path, L"nul:") || same(path, L"\\\\.\\nul");
}

bool same_file(const Text& a, const Text& b) {
    return same(full_path(a), full_path(b));
}

std::vector<Entry> entries(const Text& pattern, DWORD* error) {
    std::vector<Entry> found;
    WIN32_FIND_DATAW data;
    HANDLE search = FindFirstFileW(pattern.c_str(), &data);
    if (error) *error = search == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    if (search == INVALID_HANDLE_VALUE) return found;
    do {
        View name = data.cFileName;
        if (name == L"." || name == L"..") continue;
        std::uint64_t size = (std::uint64_t{data.nFileSizeHigh} << 32) | data.nFileSizeLow;
        found.push_back({Text(name), data.dwFileAttributes, size, data.ftLastWriteTime, data.ftCreationTime,
                         data.ftLastAccessTime});
    } while (FindNextFileW(search, &data));
    FindClose(search);
    std::sort(found.begin(), found.end(), [](const Entry& a, const Entry& b) {
        return std::lexicographical_compare(a.name.begin(), a.name.end(), b.name.begin(), b.name.end(),
                                            [](wchar_t x, wchar_t y) { return upper(x) < upper(y); });
    });
    return found;
}

Text environment_value(const wchar_t* name) {
    DWORD size = GetEnvironmentVariableW(name, nullptr, 0);
    Text value(size, L'\0');
    value.resize(size == 0 ? 0 : GetEnvironmentVariableW(name, value.data(), size));
    return value;
}

std::vector<Text> path_list(View text) {
    std::vector<Text> parts;
    while (!text.empty()) {
        std::size_t end = std::min(text.find(L';'), text.size());
        Text part = unquoted(text.substr(0, end));
        if (!part.empty()) parts.push_back(std::move(part));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

}  // namespace mullion::cmd
