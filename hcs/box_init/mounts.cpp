// The file systems of a box.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "hcs/box_init/plan.hpp"

namespace mullion::hcs::box {
namespace {

constexpr unsigned long kQuiet = MS_NOSUID | MS_NODEV;

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

void bind(const std::string& source, const std::string& target, unsigned long more_flags) {
    mount_or_fail(source.c_str(), target, nullptr, MS_BIND, nullptr, source);
    mount_or_fail(nullptr, target, nullptr, MS_REMOUNT | MS_BIND | more_flags, nullptr, source);
}

void make_devices() {
    mount_or_fail("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k", "/dev");
    for (const char* name : {"null", "zero", "full", "random", "urandom"}) {
        std::string inside = std::string("dev/") + name;
        make_file(inside);
        mount_or_fail(("/dev/" + std::string(name)).c_str(), inside, nullptr, MS_BIND, nullptr, inside);
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

// In the box' own root, so that a link in an image cannot lead out of it.
void mount_mapping(const Mapping& mapping) {
    struct stat source;
    if (::fstat(mapping.fd, &source) != 0) fail("cannot look at " + mapping.host);
    bool directory = S_ISDIR(source.st_mode);
    for (std::size_t slash = mapping.target.find('/', 1); slash != std::string::npos;
         slash = mapping.target.find('/', slash + 1)) {
        make_directory(mapping.target.substr(0, slash), 0755);
    }
    if (directory) {
        make_directory(mapping.target, 0755);
    } else {
        make_file(mapping.target);
    }
    bind("/proc/self/fd/" + std::to_string(mapping.fd), mapping.target,
         mapping.read_only ? kQuiet | MS_RDONLY : kQuiet);
    ::close(mapping.fd);
}

void open_mappings(Plan& plan) {
    for (Mapping& mapping : plan.mappings) {
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
    bind(plan.root, plan.root, kQuiet | MS_RDONLY);
    if (::chdir(plan.root.c_str()) != 0) fail("cannot enter " + plan.root);
    mount_or_fail("tmpfs", "tmp", "tmpfs", kQuiet, "mode=1777", "/tmp");
    mount_or_fail("tmpfs", "run", "tmpfs", kQuiet, "mode=700", "/run");
    mount_or_fail("proc", "proc", "proc", kQuiet | MS_NOEXEC, nullptr, "/proc");
    make_devices();
    mount_overlay(plan);
    bind(plan.prefix, "prefix", kQuiet);
    bool host_has_resolver = ::access("/etc/resolv.conf", F_OK) == 0;
    if (!plan.own_network && host_has_resolver) bind("/etc/resolv.conf", "etc/resolv.conf", kQuiet | MS_RDONLY);
    open_mappings(plan);
    leave_host();
    for (const Mapping& mapping : plan.mappings) mount_mapping(mapping);
    if (::umount2(".", MNT_DETACH) != 0) fail("cannot let go of the host's files");
    if (::chdir("/") != 0) fail("cannot enter /");
}

}  // namespace mullion::hcs::box
