#include <windows.h>
// After windows.h.
#include <io.h>
#include <winioctl.h>

#include <algorithm>
#include <cctype>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "base/win32.hpp"
#include "tree/host_object.hpp"
#include "tree/name.hpp"
#include "tree/reparse.hpp"

namespace mullion::tree {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::UniqueHandle;

constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
constexpr std::uint32_t kMode = 0755;

std::string cannot_read(const fs::path& path) {
    return fmt::format("cannot read {}", printable(path.string()));
}

UniqueHandle open_to_look(const fs::path& path, DWORD access, DWORD flags) {
    return UniqueHandle(::CreateFileW(base::native_path(path).c_str(), access, kShareAll, nullptr,
                                      OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | flags, nullptr));
}

UniqueHandle open_not_following(const fs::path& path, DWORD access) {
    UniqueHandle handle = open_to_look(path, access, FILE_FLAG_OPEN_REPARSE_POINT);
    if (!handle) throw base::last_error(cannot_read(path));
    return handle;
}

base::FileTime time_of(const LARGE_INTEGER& filetime) {
    return {filetime.QuadPart - base::FileTime::kFiletimeOffset};
}

// Of an identity only equality counts, so a time that is too far away may wrap.
std::int64_t nanoseconds(const LARGE_INTEGER& filetime) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(time_of(filetime).ticks) * 100);
}

DWORD reparse_tag(HANDLE handle) {
    FILE_ATTRIBUTE_TAG_INFO info{};
    return ::GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &info, sizeof info) != 0
               ? info.ReparseTag
               : 0;
}

// Links lead elsewhere; other reparse points (deduplicated, kept in a cloud) are the file or directory they
// look like, unless they stand for something with another name.
HostObject::Kind kind_of(HANDLE handle, DWORD attributes) {
    if ((attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
        DWORD tag = reparse_tag(handle);
        if (tag == kReparseTagSymlink || tag == kReparseTagMountPoint) return HostObject::Kind::Symlink;
        if (IsReparseTagNameSurrogate(tag)) return HostObject::Kind::Special;
    }
    return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? HostObject::Kind::Directory
                                                        : HostObject::Kind::File;
}

// nullopt with the error set.
std::optional<HostObject> object_of(HANDLE handle) {
    BY_HANDLE_FILE_INFORMATION info{};
    FILE_BASIC_INFO times{};
    if (::GetFileInformationByHandle(handle, &info) == 0 ||
        ::GetFileInformationByHandleEx(handle, FileBasicInfo, &times, sizeof times) == 0) {
        return {};
    }
    auto wide = [](DWORD high, DWORD low) { return std::uint64_t{high} << 32 | low; };
    return HostObject{.kind = kind_of(handle, info.dwFileAttributes),
                      .special = "reparse point",
                      .modified = time_of(times.LastWriteTime),
                      .mode = kMode,
                      .identity = {info.dwVolumeSerialNumber, wide(info.nFileIndexHigh, info.nFileIndexLow),
                                   wide(info.nFileSizeHigh, info.nFileSizeLow),
                                   nanoseconds(times.LastWriteTime), nanoseconds(times.ChangeTime)}};
}

HostObject object_at(const fs::path& path) {
    UniqueHandle handle = open_not_following(path, FILE_READ_ATTRIBUTES);
    std::optional<HostObject> object = object_of(handle.get());
    if (!object) throw base::last_error(cannot_read(path));
    return *object;
}

}  // namespace

struct OpenDirectory::Handle {
    fs::path path;
    UniqueHandle handle;
};

OpenDirectory::OpenDirectory(const fs::path& path) : handle_(std::make_unique<Handle>()) {
    handle_->path = path;
    handle_->handle = open_to_look(path, FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES, 0);
    if (!handle_->handle) throw base::last_error(cannot_read(path));
    if (self().kind != HostObject::Kind::Directory) {
        throw base::fail(ErrorCode::Invalid, "{} is not a directory", printable(path.string()));
    }
}

OpenDirectory::OpenDirectory(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
OpenDirectory::~OpenDirectory() = default;
OpenDirectory::OpenDirectory(OpenDirectory&&) noexcept = default;

OpenDirectory OpenDirectory::open(const std::string& name) const {
    auto below = std::make_unique<Handle>();
    below->path = handle_->path / base::to_path(name);
    below->handle = open_not_following(below->path, FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES);
    OpenDirectory directory(std::move(below));
    if (directory.self().kind == HostObject::Kind::Directory) return directory;
    throw base::windows_error(ERROR_DIRECTORY, cannot_read(directory.handle_->path));
}

HostObject OpenDirectory::self() const {
    std::optional<HostObject> object = object_of(handle_->handle.get());
    if (!object) throw base::last_error(cannot_read(handle_->path));
    return *object;
}

std::vector<std::string> OpenDirectory::names() const {
    constexpr std::size_t kBuffer = 64 * 1024;
    std::vector<std::string> names;
    alignas(FILE_ID_BOTH_DIR_INFO) static thread_local char buffer[kBuffer];
    for (FILE_INFO_BY_HANDLE_CLASS what = FileIdBothDirectoryRestartInfo;
         ::GetFileInformationByHandleEx(handle_->handle.get(), what, buffer, kBuffer) != 0;
         what = FileIdBothDirectoryInfo) {
        for (const char* at = buffer;;) {
            const auto* entry = reinterpret_cast<const FILE_ID_BOTH_DIR_INFO*>(at);
            std::wstring_view name(entry->FileName, entry->FileNameLength / sizeof(wchar_t));
            if (name != L"." && name != L"..") names.push_back(base::from_wide(name));
            if (entry->NextEntryOffset == 0) break;
            at += entry->NextEntryOffset;
        }
    }
    if (::GetLastError() != ERROR_NO_MORE_FILES) throw base::last_error(cannot_read(handle_->path));
    return names;
}

HostObject OpenDirectory::look_at(const std::string& name) const {
    return object_at(handle_->path / base::to_path(name));
}

std::string OpenDirectory::link_target(const std::string& name) const {
    fs::path path = handle_->path / base::to_path(name);
    UniqueHandle handle = open_not_following(path, FILE_READ_ATTRIBUTES);
    std::string buffer(kMaxReparseBuffer, '\0');
    DWORD size = 0;
    if (::DeviceIoControl(handle.get(), FSCTL_GET_REPARSE_POINT, nullptr, 0, buffer.data(),
                          static_cast<DWORD>(buffer.size()), &size, nullptr) == 0) {
        throw base::last_error(cannot_read(path));
    }
    return decode_reparse(std::string_view(buffer).substr(0, size)).target;
}

std::optional<base::UniqueFd> open_unless_link(const fs::path& path) {
    UniqueHandle handle = open_to_look(path, GENERIC_READ, FILE_FLAG_OPEN_REPARSE_POINT);
    if (!handle) throw base::last_error(fmt::format("cannot open {}", path.string()));
    std::optional<HostObject> object = object_of(handle.get());
    if (!object) throw base::last_error(fmt::format("cannot open {}", path.string()));
    if (object->kind == HostObject::Kind::Symlink) return {};
    // Reading through the link's own handle would give a placeholder's bytes, not the file's.
    base::UniqueFd fd = base::open_read(path);
    return fd;
}

std::optional<StatIdentity> identity_of(const base::UniqueFd& fd) {
    auto handle = reinterpret_cast<HANDLE>(::_get_osfhandle(fd.get()));
    if (::GetFileType(handle) != FILE_TYPE_DISK) return {};
    std::optional<HostObject> object = object_of(handle);
    if (!object) throw base::last_error("cannot look at an open file");
    if (object->kind != HostObject::Kind::File) return {};
    return object->identity;
}

StatIdentity stat_identity(const fs::path& path) {
    return object_at(path).identity;
}

// Windows' links are right for Windows images as they are. For Linux the drive goes: absolute ones mean the
// image's root.
std::string to_image_target(std::string target, Os os) {
    if (os == Os::Windows) return target;
    if (target.size() > 1 && target[1] == ':' && std::isalpha(static_cast<unsigned char>(target[0])) != 0) {
        target.erase(0, 2);
    }
    std::replace(target.begin(), target.end(), '\\', '/');
    return target;
}

}  // namespace mullion::tree
