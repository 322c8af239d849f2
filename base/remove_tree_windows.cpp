#include <windows.h>

#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/win32.hpp"

namespace mullion::base {
namespace {

// What else deletes or scans the same tree, or a process that is about to end, may hold an entry for a
// moment.
constexpr int kTries = 40;
constexpr std::chrono::milliseconds kPause{25};

constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

// Not in headers for the Windows we start on.
constexpr auto kFileDispositionInfoEx = static_cast<FILE_INFO_BY_HANDLE_CLASS>(21);

bool is_absence(DWORD code) {
    return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND;
}

bool is_unsupported(DWORD code) {
    return code == ERROR_INVALID_PARAMETER || code == ERROR_NOT_SUPPORTED || code == ERROR_INVALID_FUNCTION ||
           code == ERROR_CALL_NOT_IMPLEMENTED;
}

struct Entry {
    std::wstring name;
    DWORD attributes;
    DWORD reparse_tag = 0;
    bool is_directory() const { return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0; }
    // Symlinks and junctions lead elsewhere; other reparse points are how a file system keeps the object
    // itself.
    bool is_link() const {
        return (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 && IsReparseTagNameSurrogate(reparse_tag);
    }
    bool is_real_directory() const { return is_directory() && !is_link(); }
};

class TreeRemover {
  public:
    // `top` begins with \\?\, so lengths do not matter.
    TreeRemover(const fs::path& path, std::wstring top)
        : path_(path), at_(std::move(top)), top_size_(at_.size()) {}

    void run(DWORD attributes) {
        // It goes by itself if it is a reparse point of any kind.
        Entry top{{}, attributes, IO_REPARSE_TAG_SYMLINK};
        if (!top.is_real_directory()) return remove(top);
        levels_.push_back({top, at_.size(), list()});
        while (!levels_.empty()) step();
    }

  private:
    // A directory being emptied. Not by recursion: how deep a tree is, is not for us to say.
    struct Level {
        Entry entry;
        std::size_t parent_size;  // of at_
        std::vector<Entry> left;
    };

    void step() {
        Level& level = levels_.back();
        if (level.left.empty()) {
            remove(level.entry);
            at_.resize(level.parent_size);
            return levels_.pop_back();
        }
        Entry next = std::move(level.left.back());
        level.left.pop_back();
        std::size_t size = at_.size();
        at_ += L"\\" + next.name;
        if (next.is_real_directory()) {
            levels_.push_back({std::move(next), size, list()});
        } else {
            // A link goes, not what it leads to.
            remove(next);
            at_.resize(size);
        }
    }

    // The entry at at_, which is no directory with something in it.
    void remove(const Entry& entry) const {
        for (int i = 0;; ++i) {
            DWORD code = unlink();
            if (is_unsupported(code)) code = clear_and_remove(entry);
            if (code == ERROR_SUCCESS || is_absence(code)) return;
            bool passing = code == ERROR_SHARING_VIOLATION || code == ERROR_DIR_NOT_EMPTY ||
                           code == ERROR_ACCESS_DENIED || code == ERROR_DELETE_PENDING;
            if (!passing || i >= kTries) fail_here(code);
            std::this_thread::sleep_for(kPause);
        }
    }

    // Only the name goes, at once: a file that has others, in another tree perhaps, stays as it is, read-only
    // too. NTFS since Windows 10 1809.
    DWORD unlink() const {
        UniqueHandle object(::CreateFileW(at_.c_str(), DELETE, kShareAll, nullptr, OPEN_EXISTING,
                                          FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT,
                                          nullptr));
        FILE_DISPOSITION_INFO_EX wanted{FILE_DISPOSITION_FLAG_DELETE | FILE_DISPOSITION_FLAG_POSIX_SEMANTICS |
                                        FILE_DISPOSITION_FLAG_IGNORE_READONLY_ATTRIBUTE};
        bool done = object && ::SetFileInformationByHandle(object.get(), kFileDispositionInfoEx, &wanted,
                                                           sizeof wanted) != 0;
        return done ? ERROR_SUCCESS : ::GetLastError();
    }

    // Where the file system has no such thing.
    DWORD clear_and_remove(const Entry& entry) const {
        bool is_readonly = (entry.attributes & FILE_ATTRIBUTE_READONLY) != 0;
        if (is_readonly) ::SetFileAttributesW(at_.c_str(), FILE_ATTRIBUTE_NORMAL);
        bool done =
            (entry.is_directory() ? ::RemoveDirectoryW(at_.c_str()) : ::DeleteFileW(at_.c_str())) != 0;
        return done ? ERROR_SUCCESS : ::GetLastError();
    }

    // The directory at at_.
    std::vector<Entry> list() const {
        std::vector<Entry> entries;
        WIN32_FIND_DATAW found{};
        HANDLE search = ::FindFirstFileExW((at_ + L"\\*").c_str(), FindExInfoBasic, &found,
                                           FindExSearchNameMatch, nullptr, 0);
        if (search == INVALID_HANDLE_VALUE) {
            DWORD code = ::GetLastError();
            if (is_absence(code)) return entries;
            fail_here(code);
        }
        do {
            std::wstring name = found.cFileName;
            if (name == L"." || name == L"..") continue;
            entries.push_back({std::move(name), found.dwFileAttributes, found.dwReserved0});
        } while (::FindNextFileW(search, &found) != 0);
        ::FindClose(search);
        return entries;
    }

    [[noreturn]] void fail_here(DWORD code) const {
        std::string shown = path_.string();
        throw windows_error(code, at_.size() == top_size_
                                      ? fmt::format("cannot remove {}", shown)
                                      : fmt::format("cannot remove {} in {}", from_wide(at_), shown));
    }

    const fs::path& path_;
    std::wstring at_;
    std::size_t top_size_;
    std::vector<Level> levels_;
};

}  // namespace

void remove_tree(const fs::path& path) {
    std::wstring top = verbatim_path(path);
    DWORD attributes = ::GetFileAttributesW(top.c_str());
    if (attributes != INVALID_FILE_ATTRIBUTES) return TreeRemover(path, top).run(attributes);
    DWORD code = ::GetLastError();
    if (!is_absence(code)) throw windows_error(code, fmt::format("cannot remove {}", path.string()));
}

}  // namespace mullion::base
