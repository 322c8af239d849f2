#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/random_name.hpp"

namespace mullion::base {
namespace {

// Directories nested deeper than this are first moved up to the top: neither descriptors nor path lengths
// grow with the depth.
constexpr std::size_t kMaxDepth = 64;

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// Opens a directory without following a link, taking read and search permission if we lack it.
Directory open_directory(int parent, const char* name) {
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = ::openat(parent, name, flags);
    if (fd < 0 && errno == EACCES && ::fchmodat(parent, name, S_IRWXU, 0) == 0) {
        fd = ::openat(parent, name, flags);
    }
    if (fd < 0) return {};
    Directory directory(::fdopendir(fd));
    if (!directory) ::close(fd);
    return directory;
}

// Removes a file or an empty directory; false with errno set otherwise.
bool remove_one(int parent, const char* name) {
    if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return true;
    if (errno != EISDIR) return false;
    return ::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

bool not_empty(int error_number) {
    return error_number == ENOTEMPTY || error_number == EEXIST;
}

class TreeRemover {
  public:
    explicit TreeRemover(const fs::path& path)
        : path_(path), lifted_prefix_(fmt::format(".lifted-{}-", random_name())) {}

    void run() {
        if (remove_one(AT_FDCWD, path_.c_str())) return;
        if (!not_empty(errno)) fail_at(path_.string());
        push(AT_FDCWD, path_.string());
        while (!levels_.empty()) step();
    }

  private:
    struct Level {
        Directory directory;
        std::string name;
        bool made_writable = false;
        int fd() const { return ::dirfd(directory.get()); }
    };

    [[noreturn]] void fail_at(const std::string& name) const {
        int error = errno;
        throw system_error(error, name == path_.string()
                                      ? fmt::format("cannot remove {}", name)
                                      : fmt::format("cannot remove {} in {}", name, path_.string()));
    }

    void push(int parent, std::string name) {
        Directory directory = open_directory(parent, name.c_str());
        if (!directory) fail_at(name);
        levels_.push_back({std::move(directory), std::move(name)});
    }

    void step() {
        Level& level = levels_.back();
        errno = 0;
        dirent* entry = ::readdir(level.directory.get());
        if (entry == nullptr) {
            if (errno != 0) fail_at(level.name);
            return pop();
        }
        std::string name = entry->d_name;
        if (name == "." || name == "..") return;
        if (remove_one(level.fd(), name.c_str()) || remove_made_writable(level, name)) return;
        if (!not_empty(errno)) fail_at(name);
        if (levels_.size() < kMaxDepth || !lift(level, name)) push(level.fd(), name);
    }

    // Removing an entry needs its directory's write and search bits.
    static bool remove_made_writable(Level& level, const std::string& name) {
        if (level.made_writable || errno != EACCES) return false;
        level.made_writable = true;
        return ::fchmod(level.fd(), S_IRWXU) == 0 && remove_one(level.fd(), name.c_str());
    }

    // Moves a deep directory to the top level, whose listing is then read again.
    bool lift(const Level& from, const std::string& name) {
        std::string target = lifted_prefix_ + std::to_string(lifted_);
        int top = levels_.front().fd();
        bool moved = ::renameat(from.fd(), name.c_str(), top, target.c_str()) == 0;
        // A directory that gets another parent must be writable itself.
        if (!moved && errno == EACCES && ::fchmodat(from.fd(), name.c_str(), S_IRWXU, 0) == 0) {
            moved = ::renameat(from.fd(), name.c_str(), top, target.c_str()) == 0;
        }
        if (moved) ++lifted_;
        return moved;
    }

    // The listing is at its end: the directory itself goes, unless something was moved into it meanwhile.
    void pop() {
        if (levels_.size() == 1 && lifted_ != lifted_seen_) {
            lifted_seen_ = lifted_;
            ::rewinddir(levels_.back().directory.get());
            return;
        }
        std::string name = std::move(levels_.back().name);
        levels_.pop_back();
        if (levels_.empty()) {
            if (!remove_one(AT_FDCWD, name.c_str())) fail_at(name);
        } else if (!remove_one(levels_.back().fd(), name.c_str()) &&
                   !remove_made_writable(levels_.back(), name)) {
            fail_at(name);
        }
    }

    const fs::path& path_;
    std::string lifted_prefix_;
    std::vector<Level> levels_;
    std::size_t lifted_ = 0;
    std::size_t lifted_seen_ = 0;
};

}  // namespace

void remove_tree(const fs::path& path) {
    TreeRemover(path).run();
}

}  // namespace mullion::base
