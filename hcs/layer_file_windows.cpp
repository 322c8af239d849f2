#include <windows.h>

#include "base/win32.hpp"
#include "hcs/layer_file.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;

base::UniqueHandle open(const fs::path& path, DWORD access) {
    base::UniqueHandle handle(::CreateFileW(
        base::native_path(path).c_str(), access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
        nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
    if (!handle) throw base::last_error("opening " + base::from_wide(path.native()));
    return handle;
}

}  // namespace

void write_times(const fs::path& path, const tree::Metadata& metadata) {
    auto filetime = [](base::FileTime time) { return time.ticks + base::FileTime::kFiletimeOffset; };
    FILE_BASIC_INFO info = {};
    info.CreationTime.QuadPart = filetime(metadata.created);
    info.LastAccessTime.QuadPart = filetime(metadata.accessed);
    info.LastWriteTime.QuadPart = filetime(metadata.modified);
    info.ChangeTime.QuadPart = filetime(metadata.changed);
    base::UniqueHandle handle = open(path, FILE_WRITE_ATTRIBUTES);
    // Zero attributes leave them as they are.
    if (::SetFileInformationByHandle(handle.get(), FileBasicInfo, &info, sizeof info) == 0) {
        throw base::last_error("setting the times of " + base::from_wide(path.native()));
    }
}

void read_times(const fs::path& path, tree::Metadata& metadata) {
    FILE_BASIC_INFO info = {};
    base::UniqueHandle handle = open(path, FILE_READ_ATTRIBUTES);
    if (::GetFileInformationByHandleEx(handle.get(), FileBasicInfo, &info, sizeof info) == 0) {
        throw base::last_error("reading the times of " + base::from_wide(path.native()));
    }
    auto time = [](const LARGE_INTEGER& value) {
        return base::FileTime{value.QuadPart - base::FileTime::kFiletimeOffset};
    };
    metadata.created = time(info.CreationTime);
    metadata.accessed = time(info.LastAccessTime);
    metadata.modified = time(info.LastWriteTime);
    metadata.changed = time(info.ChangeTime);
}

std::optional<std::uint64_t> hard_link_group(const fs::path& path) {
    BY_HANDLE_FILE_INFORMATION info = {};
    base::UniqueHandle handle = open(path, FILE_READ_ATTRIBUTES);
    if (::GetFileInformationByHandle(handle.get(), &info) == 0) {
        throw base::last_error("counting the names of " + base::from_wide(path.native()));
    }
    if (info.nNumberOfLinks < 2) return std::nullopt;
    return std::uint64_t{info.nFileIndexHigh} << 32 | info.nFileIndexLow;
}

}  // namespace mullion::hcs
