#include <windows.h>
// After windows.h.
#include <bcrypt.h>
#include <fcntl.h>
#include <io.h>
#include <sddl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "base/error.hpp"
#include "base/file_calls.hpp"
#include "base/random_name.hpp"
#include "base/win32.hpp"

namespace mullion::base {
namespace {

constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

// Owner, SYSTEM and Administrators; nothing is inherited.
constexpr const wchar_t* kPrivate = L"D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)";

HANDLE handle_of(int fd) {
    return reinterpret_cast<HANDLE>(::_get_osfhandle(fd));
}

// A descriptor of the C library, which owns the handle from now on.
UniqueFd descriptor_of(UniqueHandle handle, int flags) {
    UniqueFd fd(
        ::_open_osfhandle(reinterpret_cast<std::intptr_t>(handle.get()), flags | _O_BINARY | _O_NOINHERIT));
    if (!fd) throw fail(ErrorCode::Exhausted, "too many files are open");
    handle.release();
    return fd;
}

bool is_absence(DWORD code) {
    return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND || code == ERROR_DIRECTORY;
}

UniqueHandle open_for_reading(const fs::path& path) {
    return UniqueHandle(::CreateFileW(native_path(path).c_str(), GENERIC_READ, kShareAll, nullptr,
                                      OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
}

struct FreeLocal {
    void operator()(void* memory) const { ::LocalFree(memory); }
};

// Virus scanners and indexers hold new files for a moment.
bool is_passing(DWORD code) {
    return code == ERROR_SHARING_VIOLATION || code == ERROR_ACCESS_DENIED || code == ERROR_LOCK_VIOLATION ||
           code == ERROR_DELETE_PENDING;
}

// What newer headers call FILE_RENAME_INFO with FileRenameInfoEx: replaces a target that others have open, as
// rename does elsewhere. NTFS since Windows 10 1709.
constexpr auto kFileRenameInfoEx = static_cast<FILE_INFO_BY_HANDLE_CLASS>(22);
constexpr DWORD kReplaceIfExists = 0x1;
constexpr DWORD kPosixSemantics = 0x2;
constexpr DWORD kIgnoreReadonly = 0x40;

bool rename_over_open(const std::wstring& from, const std::wstring& to) {
    UniqueHandle file(::CreateFileW(from.c_str(), DELETE | SYNCHRONIZE, kShareAll, nullptr, OPEN_EXISTING,
                                    FILE_ATTRIBUTE_NORMAL, nullptr));
    if (!file) return false;
    std::size_t bytes = to.size() * sizeof(wchar_t);
    std::vector<char> buffer(sizeof(FILE_RENAME_INFO) + bytes);
    auto* info = reinterpret_cast<FILE_RENAME_INFO*>(buffer.data());
    // The flags share their place with ReplaceIfExists.
    *reinterpret_cast<DWORD*>(buffer.data()) = kReplaceIfExists | kPosixSemantics | kIgnoreReadonly;
    info->FileNameLength = static_cast<DWORD>(bytes);
    std::copy(to.begin(), to.end(), info->FileName);
    return ::SetFileInformationByHandle(file.get(), kFileRenameInfoEx, info,
                                        static_cast<DWORD>(buffer.size())) != 0;
}

// False with the error set.
bool rename_file(const fs::path& from, const fs::path& to, bool durable) {
    constexpr int kTries = 40;
    constexpr std::chrono::milliseconds kPause{25};
    std::wstring source = native_path(from), target = native_path(to);
    DWORD flags = MOVEFILE_REPLACE_EXISTING | (durable ? MOVEFILE_WRITE_THROUGH : 0);
    for (int i = 0;; ++i) {
        if (rename_over_open(source, target)) return true;
        if (::MoveFileExW(source.c_str(), target.c_str(), flags) != 0) return true;
        if (!is_passing(::GetLastError()) || i == kTries) return false;
        std::this_thread::sleep_for(kPause);
    }
}

}  // namespace

void UniqueFd::reset() {
    if (fd_ >= 0) ::_close(std::exchange(fd_, -1));
}

UniqueFd open_read(const fs::path& path) {
    UniqueHandle handle = open_for_reading(path);
    if (!handle) throw last_error(fmt::format("cannot open {}", path.string()));
    return descriptor_of(std::move(handle), _O_RDONLY);
}

UniqueFd duplicate(int fd) {
    HANDLE copy = nullptr;
    if (::DuplicateHandle(::GetCurrentProcess(), handle_of(fd), ::GetCurrentProcess(), &copy, 0, FALSE,
                          DUPLICATE_SAME_ACCESS) == 0) {
        throw last_error("cannot duplicate a file descriptor");
    }
    return descriptor_of(UniqueHandle(copy), 0);
}

UniqueFd open_regular(const fs::path& path, Links links) {
    DWORD flags = FILE_FLAG_BACKUP_SEMANTICS | (links == Links::Refuse ? FILE_FLAG_OPEN_REPARSE_POINT : 0);
    UniqueHandle handle(::CreateFileW(native_path(path).c_str(), GENERIC_READ, kShareAll, nullptr,
                                      OPEN_EXISTING, flags, nullptr));
    BY_HANDLE_FILE_INFORMATION info{};
    if (!handle || ::GetFileInformationByHandle(handle.get(), &info) == 0) {
        throw last_error(fmt::format("cannot open {}", path.string()));
    }
    DWORD others = FILE_ATTRIBUTE_DIRECTORY | (links == Links::Refuse ? FILE_ATTRIBUTE_REPARSE_POINT : 0);
    if (::GetFileType(handle.get()) != FILE_TYPE_DISK || (info.dwFileAttributes & others) != 0) {
        throw fail(ErrorCode::Invalid, "{} is not a regular file", path.string());
    }
    return descriptor_of(std::move(handle), _O_RDONLY);
}

UniqueFd open_nameless(const fs::path& directory) {
    fs::path path = directory / fmt::format("file-{}", random_name());
    UniqueHandle handle(::CreateFileW(native_path(path).c_str(), GENERIC_READ | GENERIC_WRITE | DELETE,
                                      FILE_SHARE_DELETE, nullptr, CREATE_NEW,
                                      FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, nullptr));
    if (!handle) throw last_error(fmt::format("cannot create a temporary file in {}", directory.string()));
    return descriptor_of(std::move(handle), _O_RDWR);
}

void write_all(int fd, std::string_view data, std::string_view what) {
    constexpr std::size_t kMost = std::size_t{1} << 20;  // pipes and consoles refuse more at once
    HANDLE handle = handle_of(fd);
    while (!data.empty()) {
        DWORD done = 0;
        auto part = static_cast<DWORD>(std::min(data.size(), kMost));
        if (::WriteFile(handle, data.data(), part, &done, nullptr) == 0) {
            throw last_error(fmt::format("cannot write {}", what));
        }
        data.remove_prefix(done);
    }
}

std::size_t read_at(int fd, char* buffer, std::size_t size, std::uint64_t offset, std::string_view name) {
    constexpr std::size_t kMost = std::size_t{1} << 30;
    HANDLE handle = handle_of(fd);
    auto part = static_cast<DWORD>(std::min(size, kMost));
    OVERLAPPED place{};
    place.Offset = static_cast<DWORD>(offset);
    place.OffsetHigh = static_cast<DWORD>(offset >> 32);
    // Pipes and consoles cannot seek.
    bool seekable = ::GetFileType(handle) == FILE_TYPE_DISK;
    DWORD got = 0;
    if (::ReadFile(handle, buffer, part, &got, seekable ? &place : nullptr) != 0) return got;
    DWORD code = ::GetLastError();
    if (code == ERROR_HANDLE_EOF || code == ERROR_BROKEN_PIPE) return 0;
    throw windows_error(code, fmt::format("cannot read {}", name));
}

std::optional<std::uint64_t> seekable_size(int fd) {
    HANDLE handle = handle_of(fd);
    LARGE_INTEGER size{};
    if (::GetFileType(handle) != FILE_TYPE_DISK || ::GetFileSizeEx(handle, &size) == 0) return {};
    return static_cast<std::uint64_t>(size.QuadPart);
}

std::string random_name() {
    std::uint64_t value = 0;
    if (::BCryptGenRandom(nullptr, reinterpret_cast<UCHAR*>(&value), sizeof value,
                          BCRYPT_USE_SYSTEM_PREFERRED_RNG) < 0) {
        throw fail(ErrorCode::Internal, "the system gives no random numbers");
    }
    return fmt::format("{:016x}", value);
}

void sync_to_disk(const fs::path& path) {
    UniqueHandle handle(::CreateFileW(native_path(path).c_str(), GENERIC_WRITE, kShareAll, nullptr,
                                      OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
    if (handle && ::FlushFileBuffers(handle.get()) != 0) return;
    DWORD code = ::GetLastError();
    // NTFS keeps a journal of what happens to directories; flushing one takes rights that few have.
    DWORD attributes = ::GetFileAttributesW(native_path(path).c_str());
    bool is_directory = attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    if (!is_directory) throw windows_error(code, fmt::format("cannot write {}", path.string()));
}

namespace calls {

std::optional<UniqueFd> try_open_read(const fs::path& path) {
    UniqueHandle handle = open_for_reading(path);
    if (!handle && is_absence(::GetLastError())) return {};
    if (!handle) throw last_error(fmt::format("cannot open {}", path.string()));
    return descriptor_of(std::move(handle), _O_RDONLY);
}

UniqueFd create(const fs::path& path, bool is_private, const fs::path& shown) {
    SECURITY_ATTRIBUTES security{sizeof security, nullptr, FALSE};
    if (is_private && ::ConvertStringSecurityDescriptorToSecurityDescriptorW(
                          kPrivate, SDDL_REVISION_1, &security.lpSecurityDescriptor, nullptr) == 0) {
        throw last_error(fmt::format("cannot create {}", shown.string()));
    }
    std::unique_ptr<void, FreeLocal> descriptor(security.lpSecurityDescriptor);
    UniqueHandle handle(::CreateFileW(native_path(path).c_str(), GENERIC_WRITE, kShareAll,
                                      is_private ? &security : nullptr, CREATE_NEW, FILE_ATTRIBUTE_NORMAL,
                                      nullptr));
    if (!handle) throw last_error(fmt::format("cannot create {}", shown.string()));
    return descriptor_of(std::move(handle), _O_WRONLY);
}

void publish(UniqueFd fd, const fs::path& temporary, const fs::path& target, bool durable) {
    bool good = !durable || ::FlushFileBuffers(handle_of(fd.get())) != 0;
    fd.reset();
    if (!good || !rename_file(temporary, target, durable)) {
        throw last_error(fmt::format("cannot write {}", target.string()));
    }
}

void remove_file(const fs::path& path) {
    ::DeleteFileW(native_path(path).c_str());
}

void make_directory(const fs::path& path) {
    if (::CreateDirectoryW(native_path(path).c_str(), nullptr) != 0) return;
    throw last_error(fmt::format("cannot create {}", path.string()));
}

fs::path replaceable(const fs::path& path) {
    std::string failure = fmt::format("cannot write {}", path.string());
    DWORD attributes = ::GetFileAttributesW(native_path(path).c_str());
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        if (is_absence(::GetLastError())) return path;
        throw last_error(std::move(failure));
    }
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
        throw fail(ErrorCode::Invalid, "{}: it is a directory, not a file", failure);
    }
    if ((attributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0) return path;
    // A symlink: what it leads to is written. Unlike elsewhere it has to lead to something.
    UniqueHandle end(::CreateFileW(native_path(path).c_str(), FILE_READ_ATTRIBUTES, kShareAll, nullptr,
                                   OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
    if (!end) throw last_error(std::move(failure));
    DWORD length = ::GetFinalPathNameByHandleW(end.get(), nullptr, 0, 0);
    std::wstring name(length, L'\0');
    name.resize(::GetFinalPathNameByHandleW(end.get(), name.data(), length, 0));
    if (name.empty()) throw last_error(std::move(failure));
    return name;
}

UniqueFd open_lock(const fs::path& path) {
    if (path.has_parent_path()) make_directories(path.parent_path());
    UniqueHandle handle(::CreateFileW(native_path(path).c_str(), GENERIC_READ | GENERIC_WRITE, kShareAll,
                                      nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr));
    if (!handle) throw last_error(fmt::format("cannot open lock {}", path.string()));
    return descriptor_of(std::move(handle), _O_RDWR);
}

// Locks are mandatory here: a byte that no file of ours has stands for the file.
constexpr OVERLAPPED lock_place() {
    OVERLAPPED place{};
    place.OffsetHigh = 0x7fffffff;
    return place;
}

bool lock(int fd, FileLock::Mode mode, bool wait, const fs::path& path) {
    DWORD flags = (mode == FileLock::Mode::Exclusive ? LOCKFILE_EXCLUSIVE_LOCK : 0) |
                  (wait ? 0 : LOCKFILE_FAIL_IMMEDIATELY);
    OVERLAPPED place = lock_place();
    if (::LockFileEx(handle_of(fd), flags, 0, 1, 0, &place) != 0) return true;
    DWORD code = ::GetLastError();
    if (code == ERROR_LOCK_VIOLATION || code == ERROR_IO_PENDING) return false;
    throw windows_error(code, fmt::format("cannot lock {}", path.string()));
}

void unlock(int fd) {
    OVERLAPPED place = lock_place();
    ::UnlockFileEx(handle_of(fd), 0, 1, 0, &place);
}

}  // namespace calls
}  // namespace mullion::base
