#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "tree/name.hpp"
#include "tree/parallel.hpp"
#include "tree/scan.hpp"
#include "tree/stat_posix.hpp"

namespace mullion::tree {
namespace {

namespace fs = std::filesystem;
using base::CancelToken;
using base::ErrorCode;
using base::fail;
using base::UniqueFd;

struct Directory;

// One name of a directory. What is wrong with it is told only in the end, in the tree's order, so that the
// same error comes out whichever thread is faster.
struct Found {
    std::string name;
    bool kept = false;
    NodeRef node;                          // anything but directories
    std::unique_ptr<Directory> directory;  // with children of its own
    const char* special = nullptr;         // "socket"...: no tree can hold it
};

struct Directory {
    std::string path;  // in the tree
    std::size_t depth = 0;
    IgnorePatterns::Trail trail;
    Metadata metadata;
    std::vector<Found> found;
};

using SharedFd = std::shared_ptr<const UniqueFd>;

[[noreturn]] void throw_errno(int error, const fs::path& path) {
    throw base::system_error(error, fmt::format("cannot read {}", printable(path.string())));
}

const char* special_kind(mode_t mode) {
    if (S_ISSOCK(mode)) return "socket";
    if (S_ISFIFO(mode)) return "FIFO";
    return S_ISBLK(mode) || S_ISCHR(mode) ? "device" : "special file";
}

Metadata metadata_of(const struct stat& info, Os os) {
    Metadata metadata;
    metadata.set_times(base::FileTime::from_timespec(info.st_mtim));
    if (os == Os::Linux) {
        metadata.mode = info.st_mode & 07777;
    } else if (S_ISLNK(info.st_mode)) {
        metadata.attributes = attribute::kReparsePoint;
    } else {
        metadata.attributes = S_ISDIR(info.st_mode) ? attribute::kDirectory : attribute::kArchive;
    }
    return metadata;
}

// Several slashes at the beginning mean one; two backslashes would mean a server. What Windows would read
// otherwise is left to whoever puts the link into an image: not every link of a context is copied.
void to_windows(std::string& target) {
    if (target.find_first_of("\\:") != std::string::npos) {
        if (!target.starts_with('/')) target.insert(0, "./");
        return;
    }
    if (target.starts_with('/')) target.erase(0, std::min(target.find_first_not_of('/'), target.size()) - 1);
    std::replace(target.begin(), target.end(), '/', '\\');
}

// The names in a directory, in the host's order.
std::vector<std::string> list(const UniqueFd& fd, const fs::path& path) {
    // A descriptor of its own: closedir() closes it.
    UniqueFd own(::openat(fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!own) throw_errno(errno, path);
    std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own.get()), ::closedir);
    if (!stream) throw_errno(errno, path);
    own.release();
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());
        if (entry == nullptr && errno != 0) throw_errno(errno, path);
        if (entry == nullptr) return names;
        std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
}

class Scanner {
  public:
    Scanner(fs::path root, const ScanOptions& options, CancelToken cancel)
        : root_(std::move(root)), options_(options), cancel_(std::move(cancel)) {
        if (options_.ignore == nullptr) options_.ignore = &none_;
    }

    Tree run() {
        Directory top;
        UniqueFd fd(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!fd && errno == ENOTDIR) {
            throw fail(ErrorCode::Invalid, "{} is not a directory", printable(root_.string()));
        }
        if (!fd) throw_errno(errno, root_);
        tasks_.run([&] { read(top, std::make_shared<const UniqueFd>(std::move(fd))); });
        Tree tree(options_.os, assemble(top));
        return options_.os == Os::Windows && !links_.empty() ? mark_directory_links(tree) : tree;
    }

  private:
    fs::path host_path(std::string_view path) const { return path.empty() ? root_ : root_ / path; }

    // Lists a directory and starts tasks for those in it.
    void read(Directory& directory, const SharedFd& fd) {
        cancel_.check();
        struct stat info {};
        if (::fstat(fd->get(), &info) != 0) throw_errno(errno, host_path(directory.path));
        directory.metadata = metadata_of(info, options_.os);
        std::vector<std::string> names = list(*fd, host_path(directory.path));
        directory.found.resize(names.size());
        for (std::size_t i = 0; i < names.size(); ++i) directory.found[i].name = std::move(names[i]);
        look_at_all(directory, fd->get());
        std::erase_if(directory.found, [](const Found& found) {
            return !found.node && !found.directory && found.special == nullptr;
        });
        if (directory.depth == kMaxDepth && !directory.found.empty()) {
            throw fail(ErrorCode::Invalid, "{}...: directories are nested deeper than {}",
                       printable(host_path(directory.path).string().substr(0, 200)), kMaxDepth);
        }
        std::sort(directory.found.begin(), directory.found.end(), [this](const Found& a, const Found& b) {
            int order = compare_names(options_.os, a.name, b.name);
            return order != 0 ? order < 0 : a.name < b.name;
        });
        for (Found& found : directory.found) {
            if (!found.directory) continue;
            tasks_.add([this, fd, below = found.directory.get()] { enter(*below, *fd); });
        }
    }

    void look_at_all(Directory& directory, int fd) {
        constexpr std::size_t kGrain = 256;
        std::vector<Found>& found = directory.found;
        fs::path host = host_path(directory.path);
        parallel_for(found.size(), kGrain, [&](std::size_t i) { look_at(directory, fd, host, found[i]); });
    }

    // Fills in one name; an ignored one stays empty.
    void look_at(const Directory& parent, int fd, const fs::path& host, Found& found) {
        std::string path = join(parent.path, found.name);
        const IgnorePatterns& ignore = *options_.ignore;
        bool all_kept = ignore.empty();
        found.kept = all_kept || !ignore.ignored(path, parent.trail);
        struct stat info {};
        if (::fstatat(fd, found.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
            if (!found.kept) return;
            throw_errno(errno, host / found.name);
        }
        if (S_ISDIR(info.st_mode)) {
            IgnorePatterns::Trail trail;
            if (!all_kept) trail = ignore.trail(path, parent.trail);
            if (!found.kept && ignore.can_skip_directory(path, trail)) return;
            found.directory = std::make_unique<Directory>();
            found.directory->path = std::move(path);
            found.directory->depth = parent.depth + 1;
            found.directory->trail = std::move(trail);
        } else if (!found.kept) {
            return;
        } else if (S_ISREG(info.st_mode)) {
            found.node = file(info, host / found.name);
        } else if (S_ISLNK(info.st_mode)) {
            found.node = symlink(info, fd, found.name, host);
        } else {
            found.special = special_kind(info.st_mode);
        }
    }

    NodeRef file(const struct stat& info, fs::path host) const {
        auto node = std::make_shared<Node>();
        node->kind = NodeKind::File;
        node->metadata = metadata_of(info, options_.os);
        StatIdentity identity = identity_of(info);
        auto content = std::make_shared<const Content>(identity.size, HostFile{std::move(host), identity});
        if (options_.stat_cache != nullptr) {
            if (auto digest = options_.stat_cache->find(identity)) content->remember_digest(*digest);
        }
        node->content = std::move(content);
        return node;
    }

    NodeRef symlink(const struct stat& info, int fd, const std::string& name, const fs::path& host) const {
        std::string target(PATH_MAX, '\0');
        ssize_t length = ::readlinkat(fd, name.c_str(), target.data(), target.size());
        if (length < 0) throw_errno(errno, host / name);
        target.resize(static_cast<std::size_t>(length));
        if (options_.os == Os::Windows) to_windows(target);
        auto node = std::make_shared<Node>();
        node->kind = NodeKind::Symlink;
        node->metadata = metadata_of(info, options_.os);
        node->link_target = std::move(target);
        return node;
    }

    void enter(Directory& directory, const UniqueFd& parent) {
        std::string name(base_name(directory.path));
        int fd = ::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) throw_errno(errno, host_path(directory.path));
        read(directory, std::make_shared<const UniqueFd>(UniqueFd(fd)));
    }

    // The nodes of directories, bottom up; recursion is bounded by kMaxDepth.
    NodeRef assemble(Directory& directory) {
        auto node = std::make_shared<Node>();
        node->metadata = std::move(directory.metadata);
        node->children.reserve(directory.found.size());
        for (Found& found : directory.found) {
            if (found.directory) {
                found.node = assemble(*found.directory);
                if (!found.kept && found.node->children.empty()) continue;
            }
            check(directory, node->children, found);
            if (found.node->kind == NodeKind::Symlink) links_.push_back(join(directory.path, found.name));
            node->children.push_back({std::move(found.name), std::move(found.node)});
        }
        return node;
    }

    void check(const Directory& directory, const std::vector<Child>& before, const Found& found) const {
        std::string path = printable(join(directory.path, found.name));
        if (found.special != nullptr) {
            throw fail(ErrorCode::Invalid, "{} is a {}, which no image can hold", path, found.special)
                .hint("Remove it or add it to .dockerignore.");
        }
        if (auto problem = name_problem(options_.os, found.name)) {
            throw fail(ErrorCode::Invalid, "the name \"{}\" {}: {}", printable(found.name), *problem, path)
                .hint("Rename it or add it to .dockerignore.");
        }
        if (!before.empty() && names_equal(options_.os, before.back().name, found.name)) {
            std::string other = printable(join(directory.path, before.back().name));
            throw fail(ErrorCode::Invalid, "{} and {} differ only by case and are the same name on Windows",
                       other, path)
                .hint("Rename one of them or add it to .dockerignore.");
        }
    }

    Tree mark_directory_links(const Tree& tree) const {
        TreeEditor editor(tree);
        for (const std::string& path : links_) {
            if (!leads_to_directory(tree, path)) continue;
            Node link = *tree.find(path);
            link.metadata.attributes |= attribute::kDirectory;
            editor.put(path, std::move(link));
        }
        return editor.finish();
    }

    static bool leads_to_directory(const Tree& tree, const std::string& path) {
        try {
            auto target = tree.resolve(path);
            return target && tree.find(*target)->kind == NodeKind::Directory;
        } catch (const base::Error& error) {
            if (error.code() != ErrorCode::Invalid) throw;
            return false;  // a cycle leads nowhere
        }
    }

    const IgnorePatterns none_;
    fs::path root_;
    ScanOptions options_;
    CancelToken cancel_;
    TaskGroup tasks_;
    std::vector<std::string> links_;
};

}  // namespace

Tree scan(const fs::path& root, const ScanOptions& options, const CancelToken& cancel) {
    return Scanner(root, options, cancel).run();
}

}  // namespace mullion::tree
