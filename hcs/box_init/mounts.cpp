// The file systems of a box.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "hcs/box_init/plan.hpp"

namespace mullion::hcs::box {
namespace {

constexpr unsigned long kQuiet = MS_NOSUID | MS_NODEV;

// What of /proc acts on the whole machine. The kernel guards sysctls by the user's number, not by
// capabilities: a box that root made could write them.
constexpr const char* kReadOnlyInProc[] = {"bus", "dynamic_debug", "fs", "irq", "sys", "sysrq-trigger"};
constexpr const char* kHiddenFilesInProc[] = {"kcore", "keys", "latency_stats", "sched_debug", "timer_list"};
constexpr const char* kHiddenDirectoriesInProc[] = {"acpi", "asound", "scsi"};

// Where a mapping is mounted until its options hold.
constexpr const char* kStaging = "run/m";

void mount_or_fail(const char* source, const std::string& target, const char* type, unsigned long flags,
                   const char* data, const std::string& what) {
    if (::mount(source, target.c_str(), type, flags, data) != 0) fail("cannot mount " + what);
}

void make_directory(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) fail("cannot make " + path);
}

void make_file(const std::string& path) {
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) fail("cannot make " + path);
    ::close(fd);
}

// The options of the mount at `path` that an ordinary user may not take off again.
unsigned long kept_flags(const std::string& path, const std::string& what) {
    struct statvfs status;
    if (::statvfs(path.c_str(), &status) != 0) fail("cannot look at " + what);
    unsigned long flags = 0;
    if ((status.f_flag & ST_RDONLY) != 0) flags |= MS_RDONLY;
    if ((status.f_flag & ST_NOEXEC) != 0) flags |= MS_NOEXEC;
    if ((status.f_flag & ST_NOSUID) != 0) flags |= MS_NOSUID;
    if ((status.f_flag & ST_NODEV) != 0) flags |= MS_NODEV;
    return flags;
}

void bind(const std::string& source, const std::string& target, unsigned long more_flags,
          const std::string& what) {
    mount_or_fail(source.c_str(), target, nullptr, MS_BIND, nullptr, what);
    mount_or_fail(nullptr, target, nullptr, MS_REMOUNT | MS_BIND | more_flags | kept_flags(target, what),
                  nullptr, what);
}

void make_devices() {
    mount_or_fail("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k", "/dev");
    for (const char* name : {"null", "zero", "full", "random", "urandom"}) {
        std::string inside = std::string("dev/") + name;
        make_file(inside);
        mount_or_fail(("/dev/" + std::string(name)).c_str(), inside, nullptr, MS_BIND, nullptr, inside);
    }
}

bool is_there(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

// Needs /dev.
void mount_proc() {
    mount_or_fail("proc", "proc", "proc", kQuiet | MS_NOEXEC, nullptr, "/proc");
    for (const char* name : kReadOnlyInProc) {
        std::string path = std::string("proc/") + name;
        if (is_there(path)) bind(path, path, kQuiet | MS_NOEXEC | MS_RDONLY, "/" + path);
    }
    for (const char* name : kHiddenFilesInProc) {
        std::string path = std::string("proc/") + name;
        if (is_there(path)) mount_or_fail("dev/null", path, nullptr, MS_BIND, nullptr, "/" + path);
    }
    for (const char* name : kHiddenDirectoriesInProc) {
        std::string path = std::string("proc/") + name;
        unsigned long flags = kQuiet | MS_NOEXEC | MS_RDONLY;
        if (is_there(path)) mount_or_fail("tmpfs", path, "tmpfs", flags, "mode=555", "/" + path);
    }
}

// The option string of mount(2) is at most a page long and uses ':' and ',': the lower directories get short
// names.
void mount_overlay(const Plan& plan) {
    make_directory("run/l", 0700);
    std::string lowers;
    auto link = [](const std::string& to, const std::string& name) {
        if (::symlink(to.c_str(), name.c_str()) != 0) fail("cannot link " + name);
    };
    for (std::size_t i = 0; i < plan.lowers.size(); ++i) {
        std::string name = "run/l/" + std::to_string(i);
        link(plan.lowers[i], name);
        lowers += (i == 0 ? "" : ":") + name;
    }
    link(plan.upper, "run/l/u");
    link(plan.work, "run/l/w");
    std::string options =
        "lowerdir=" + lowers + ",upperdir=run/l/u,workdir=run/l/w,redirect_dir=nofollow,metacopy=off";
    if (plan.user_namespace) options += ",userxattr";
    // "volatile" spares a sync of the whole disk at the end; kernels before 5.10 do not know it.
    if (::mount("overlay", "c", "overlay", kQuiet, (options + ",volatile").c_str()) != 0) {
        mount_or_fail("overlay", "c", "overlay", kQuiet, options.c_str(), "C: (overlayfs)");
    }
    for (std::size_t i = 0; i < plan.lowers.size(); ++i) ::unlink(("run/l/" + std::to_string(i)).c_str());
    ::unlink("run/l/u");
    ::unlink("run/l/w");
    ::rmdir("run/l");
}

std::string descriptor_path(int fd) {
    return "/proc/self/fd/" + std::to_string(fd);
}

// `path` as a process sees it whose root directory is `root`: neither links nor ".." lead out. -1 with errno
// if it is not there.
int open_inside(int root, const std::string& path) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
}

// Makes what is missing. The host's own root is still in sight at this time, and links may have been made by
// whoever owns an image or another mapping: so each step is taken from a descriptor inside `root`.
int make_inside(int root, const std::string& path, bool directory) {
    int parent = open_inside(root, ".");
    for (std::size_t begin = 0; begin < path.size();) {
        std::size_t end = std::min(path.find('/', begin), path.size());
        std::string name = path.substr(begin, end - begin);
        bool last = end == path.size();
        if (parent < 0) fail("cannot enter the place of " + path);
        bool made = last && !directory ? ::mknodat(parent, name.c_str(), S_IFREG | 0644, 0) == 0
                                       : ::mkdirat(parent, name.c_str(), 0755) == 0;
        if (!made && errno != EEXIST) fail("cannot make " + path);
        ::close(parent);
        parent = open_inside(root, path.substr(0, end));
        begin = end + 1;
    }
    if (parent < 0) fail("cannot open " + path);
    return parent;
}

bool stage_host_path(const Mapping& mapping, unsigned long flags) {
    struct stat source;
    if (::fstat(mapping.fd, &source) != 0) fail("cannot look at " + mapping.host);
    bool directory = S_ISDIR(source.st_mode);
    directory ? make_directory(kStaging, 0700) : make_file(kStaging);
    bind(descriptor_path(mapping.fd), kStaging, flags, mapping.host);
    return directory;
}

// The bytes go into a file of the box' own /run.
void stage_copy(const Mapping& mapping, unsigned long flags) {
    std::string file = "run/file-" + std::to_string(mapping.fd);
    int from = ::open(descriptor_path(mapping.fd).c_str(), O_RDONLY | O_CLOEXEC);
    int to = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (from < 0 || to < 0) fail("cannot make " + mapping.target);
    char buffer[1 << 14];
    ssize_t size;
    while ((size = ::read(from, buffer, sizeof buffer)) > 0) {
        if (::write(to, buffer, static_cast<std::size_t>(size)) != size)
            fail("cannot write " + mapping.target);
    }
    if (size < 0) fail("cannot read what is mapped to " + mapping.target);
    ::close(from);
    ::close(to);
    make_file(kStaging);
    bind(file, kStaging, flags, mapping.target);
}

void stage_memory(const Mapping& mapping, unsigned long flags) {
    make_directory(kStaging, 0700);
    mount_or_fail("tmpfs", kStaging, "tmpfs", flags, ("mode=755,size=" + mapping.size).c_str(),
                  mapping.target);
}

// Whether it is a directory.
bool stage(const Mapping& mapping) {
    unsigned long flags = mapping.read_only ? kQuiet | MS_RDONLY : kQuiet;
    switch (mapping.kind) {
        case Mapping::Kind::Bind:
            break;
        case Mapping::Kind::Copy:
            stage_copy(mapping, flags);
            return false;
        case Mapping::Kind::Memory:
            stage_memory(mapping, flags);
            return true;
    }
    return stage_host_path(mapping, flags);
}

// Mounted aside first: what the target's name leads to may change, and the options must not go elsewhere.
void mount_mapping(const Mapping& mapping, int root, int drive) {
    bool directory = stage(mapping);
    int target = mapping.target.starts_with('/') ? make_inside(root, mapping.target.substr(1), directory)
                                                 : make_inside(drive, mapping.target, directory);
    struct stat there;
    if (::fstat(target, &there) != 0) fail("cannot look at " + mapping.target);
    if (S_ISDIR(there.st_mode) != directory) {
        fail_plainly("cannot map to " + mapping.target + ": it is " +
                     (directory ? "no directory" : "a directory"));
    }
    if (::mount(kStaging, descriptor_path(target).c_str(), nullptr, MS_MOVE, nullptr) != 0) {
        fail("cannot mount " + (mapping.host.empty() ? mapping.target : mapping.host));
    }
    directory ? ::rmdir(kStaging) : ::unlink(kStaging);
    ::close(target);
    if (mapping.fd >= 0) ::close(mapping.fd);
}

int open_directory(const char* path, const std::string& what) {
    int fd = ::open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) fail("cannot enter " + what);
    return fd;
}

void mount_mappings(const Plan& plan) {
    int root = open_directory(".", "the root of the box");
    int drive = open_directory("c", "C:");
    for (const Mapping& mapping : plan.mappings) mount_mapping(mapping, root, drive);
    ::close(root);
    ::close(drive);
}

void open_mappings(Plan& plan) {
    for (Mapping& mapping : plan.mappings) {
        if (mapping.kind != Mapping::Kind::Bind) continue;
        mapping.fd = ::open(mapping.host.c_str(), O_PATH | O_CLOEXEC);
        if (mapping.fd < 0) fail("cannot map " + mapping.host);
    }
}

void leave_host() {
    if (::syscall(SYS_pivot_root, ".", ".") != 0) fail("cannot change the root directory");
}

}  // namespace

void set_up_mounts(Plan& plan) {
    mount_or_fail(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr, "a private view of /");
    bind(plan.root, plan.root, kQuiet | MS_RDONLY, plan.root);
    if (::chdir(plan.root.c_str()) != 0) fail("cannot enter " + plan.root);
    // Where a control group counts memory it counts these too; elsewhere nothing else limits them.
    mount_or_fail("tmpfs", "tmp", "tmpfs", kQuiet, ("mode=1777,size=" + plan.memory).c_str(), "/tmp");
    mount_or_fail("tmpfs", "run", "tmpfs", kQuiet, "mode=700,size=64m", "/run");
    make_devices();
    mount_proc();
    mount_overlay(plan);
    bind(plan.prefix, "prefix", kQuiet, plan.prefix);
    if (!plan.own_network && is_there("/etc/resolv.conf")) {
        bind("/etc/resolv.conf", "etc/resolv.conf", kQuiet | MS_RDONLY, "/etc/resolv.conf");
    }
    open_mappings(plan);
    leave_host();
    mount_mappings(plan);
    if (::umount2(".", MNT_DETACH) != 0) fail("cannot let go of the host's files");
    if (::chdir("/") != 0) fail("cannot enter /");
}

}  // namespace mullion::hcs::box
