#include <windows.h>
// After windows.h.
#include <fcntl.h>
#include <io.h>

#include "base/copy.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "base/win32.hpp"
#include "tree/name.hpp"
#include "worker/host_directory.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;
using base::UniqueHandle;

[[noreturn]] void throw_last(const char* doing, std::string_view path) {
    throw base::last_error(fmt::format("{} {}", doing, tree::printable(path)));
}

void set_time(HANDLE handle, base::FileTime modified, std::string_view path) {
    auto ticks = static_cast<std::uint64_t>(modified.ticks + base::FileTime::kFiletimeOffset);
    FILETIME time{static_cast<DWORD>(ticks), static_cast<DWORD>(ticks >> 32)};
    if (::SetFileTime(handle, nullptr, nullptr, &time) == 0) throw_last("setting the time of", path);
}

}  // namespace

struct HostDirectory::State {
    fs::path root;  // with \\?\, so that names are taken as they are ("CON", "a.")
    std::string parent_path;

    // Where `path` is. Each directory on the way must be one, not a link to somewhere else.
    std::wstring locate(std::string_view path) {
        for (std::string_view name : tree::split(path)) {
            // Among others ":", which would name a stream, and "..".
            if (auto problem = tree::name_problem(tree::Os::Windows, name)) {
                throw base::fail(base::ErrorCode::Invalid, "the name \"{}\" {}: {}", tree::printable(name),
                                 *problem, tree::printable(path));
            }
        }
        std::string_view directory = tree::parent_of(path);
        if (directory != parent_path) check(directory);
        return (root / base::to_path(path).make_preferred()).native();
    }

    void check(std::string_view directory) {
        fs::path at = root;
        for (std::string_view name : tree::split(directory)) {
            at /= base::to_path(name);
            DWORD attributes = ::GetFileAttributesW(at.c_str());
            if (attributes == INVALID_FILE_ATTRIBUTES) throw_last("opening", directory);
            bool is_directory = (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
            if (!is_directory || (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
                throw base::windows_error(ERROR_DIRECTORY,
                                          fmt::format("opening {}", tree::printable(directory)));
            }
        }
        parent_path = directory;
    }
};

HostDirectory::HostDirectory(const fs::path& root) : state_(std::make_unique<State>()) {
    state_->root = base::verbatim_path(fs::canonical(root));
}

HostDirectory::~HostDirectory() = default;

void HostDirectory::make_directory(std::string_view path) {
    if (::CreateDirectoryW(state_->locate(path).c_str(), nullptr) == 0) throw_last("creating", path);
}

// Windows has no modes: what a file may be used for, its directory says.
void HostDirectory::make_file(std::string_view path, base::Source& bytes, base::FileTime modified,
                              std::uint32_t, const base::CancelToken& cancel) {
    UniqueHandle handle(::CreateFileW(state_->locate(path).c_str(), GENERIC_WRITE, FILE_SHARE_READ, nullptr,
                                      CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr));
    if (!handle) throw_last("creating", path);
    HANDLE file = handle.get();
    base::UniqueFd fd(
        ::_open_osfhandle(reinterpret_cast<std::intptr_t>(handle.release()), _O_WRONLY | _O_BINARY));
    base::FdSink sink(fd.get(), "writing " + tree::printable(path));
    base::copy(bytes, sink, cancel);
    set_time(file, modified, path);
}

bool HostDirectory::adopt_file(HostDirectory& from, std::string_view existing, std::string_view path,
                               base::FileTime modified, std::uint32_t) {
    std::wstring name = state_->locate(path);
    // Without flags it neither replaces what is there nor copies to another volume.
    if (::MoveFileExW(from.state_->locate(existing).c_str(), name.c_str(), 0) == 0) {
        DWORD error = ::GetLastError();
        if (error == ERROR_FILE_NOT_FOUND || error == ERROR_NOT_SAME_DEVICE) return false;
        throw_last("creating", path);
    }
    UniqueHandle handle(::CreateFileW(name.c_str(), FILE_WRITE_ATTRIBUTES, FILE_SHARE_READ, nullptr,
                                      OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
    if (!handle) throw_last("opening", path);
    set_time(handle.get(), modified, path);
    return true;
}

void HostDirectory::make_symlink(std::string_view path, const std::string& target) {
    fs::path link = state_->locate(path);
    fs::path leads_to = base::to_path(target).make_preferred();
    DWORD attributes = ::GetFileAttributesW((link.parent_path() / leads_to).c_str());
    bool is_directory = attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    DWORD flags =
        SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE | (is_directory ? SYMBOLIC_LINK_FLAG_DIRECTORY : 0);
    if (::CreateSymbolicLinkW(link.c_str(), leads_to.c_str(), flags) == 0) throw_last("creating", path);
}

void HostDirectory::make_hard_link(std::string_view existing, std::string_view path) {
    std::wstring from = state_->locate(existing);
    if (::CreateHardLinkW(state_->locate(path).c_str(), from.c_str(), nullptr) == 0)
        throw_last("creating", path);
}

void HostDirectory::finish_directory(std::string_view path, base::FileTime modified, std::uint32_t) {
    std::wstring name = path.empty() ? state_->root.native() : state_->locate(path);
    UniqueHandle handle(::CreateFileW(name.c_str(), FILE_WRITE_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                      nullptr, OPEN_EXISTING,
                                      FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, nullptr));
    if (!handle) throw_last("opening", path);
    set_time(handle.get(), modified, path);
}

}  // namespace mullion::worker
