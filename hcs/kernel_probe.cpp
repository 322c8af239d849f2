#include "hcs/kernel_probe.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;

struct Namespace {
    const char* name;
    int flag;
};
constexpr Namespace kNamespaces[] = {{"mount", CLONE_NEWNS},      {"pid", CLONE_NEWPID},
                                     {"ipc", CLONE_NEWIPC},       {"uts", CLONE_NEWUTS},
                                     {"cgroup", CLONE_NEWCGROUP}, {"net", CLONE_NEWNET}};

// `body` in a child of our own; it returns an errno, or 0 if all went well. It may only make system calls.
// Handlers of forks do not run: those of a sanitizer start a thread, and only a process of one thread gets a
// user namespace.
template <typename Body>
int error_of_child(Body body) {
    pid_t child = ::_Fork();
    if (child < 0) throw base::system_error(errno, "cannot start a process");
    if (child == 0) ::_exit(body());
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) throw base::system_error(errno, "cannot wait for a process");
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

std::optional<std::string> described(int error) {
    if (error == 0) return std::nullopt;
    return std::generic_category().message(error);
}

int result_of(int call) {
    return call < 0 ? errno : 0;
}

int write_text(const char* path, std::string_view text) {
    int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    int error = result_of(static_cast<int>(::write(fd, text.data(), text.size())));
    ::close(fd);
    return error;
}

// What an ordinary user needs first, and root does not.
int user_flag() {
    return ::geteuid() == 0 ? 0 : CLONE_NEWUSER;
}

// What every file of ours belongs to, as a box has it.
struct UserMaps {
    std::string user = "0 " + std::to_string(::getuid()) + " 1";
    std::string group = "0 " + std::to_string(::getgid()) + " 1";

    int write() const {
        if (int error = write_text("/proc/self/setgroups", "deny")) return error;
        if (int error = write_text("/proc/self/uid_map", user)) return error;
        return write_text("/proc/self/gid_map", group);
    }
};

// An overlay of the directories "lower", "upper" and "work" at "merged", and a file of the lower one deleted.
int try_overlay(const char* directory, const UserMaps& maps) {
    bool ordinary = user_flag() != 0;
    if (::chdir(directory) != 0 || ::unshare(user_flag() | CLONE_NEWNS) != 0) return errno;
    if (int error = ordinary ? maps.write() : 0) return error;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
    const char* options = ordinary ? "lowerdir=lower,upperdir=upper,workdir=work,userxattr"
                                   : "lowerdir=lower,upperdir=upper,workdir=work";
    if (::mount("overlay", "merged", "overlay", MS_NOSUID | MS_NODEV, options) != 0) return errno;
    return result_of(::unlink("merged/file"));
}

int try_call_filter() {
    sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    sock_fprog program{1, &allow};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return result_of(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

}  // namespace

std::vector<std::string> refused_namespaces() {
    auto refused = [](int flags) {
        return error_of_child([flags] { return result_of(::unshare(flags)); }) != 0;
    };
    if (user_flag() != 0 && refused(user_flag())) return {"user"};  // the others need it
    std::vector<std::string> names;
    for (const Namespace& each : kNamespaces) {
        if (refused(user_flag() | each.flag)) names.emplace_back(each.name);
    }
    return names;
}

std::optional<std::string> overlay_problem(const fs::path& directory) {
    base::TempDir place(directory, "overlay");
    for (const char* name : {"lower", "upper", "work", "merged"}) fs::create_directory(place.path() / name);
    base::write_file_atomic(place.path() / "lower/file", "");
    UserMaps maps;
    return described(error_of_child([&] { return try_overlay(place.path().c_str(), maps); }));
}

std::optional<std::string> call_filter_problem() {
    return described(error_of_child(try_call_filter));
}

std::optional<std::string> fixed_addresses_problem() {
    return described(error_of_child([] { return result_of(::personality(ADDR_NO_RANDOMIZE)); }));
}

}  // namespace mullion::hcs
