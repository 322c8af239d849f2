#include "hcs/box_init/supervisor.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "hcs/box_init/plan.hpp"

namespace mullion::hcs::box {
namespace {

constexpr const char* kServer = "/usr/lib/wine/wineserver64";
constexpr const char* kServerLog = "/run/wineserver.log";

// Programs of the box may have put anything there: a pipe, say, that nobody writes to.
std::string read_text(const std::string& path, std::size_t limit) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return {};
    struct stat status;
    bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    std::string text(limit, '\0');
    ssize_t size = regular ? ::read(fd, text.data(), limit) : 0;
    ::close(fd);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

std::vector<std::string> directory_names(const char* path) {
    std::vector<std::string> names;
    DIR* directory = ::opendir(path);
    if (directory == nullptr) return names;
    while (dirent* entry = ::readdir(directory)) names.emplace_back(entry->d_name);
    ::closedir(directory);
    return names;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (const std::string& text : strings) result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
}

[[noreturn]] void execute(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& variables, const std::vector<int>& streams) {
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::setsid();
    for (int i = 0; i < 3; ++i) ::dup2(streams[static_cast<std::size_t>(i)], i);
    // Debian's loader lies at 0x7d000000 and has no preloader: one heap in some thousands would be put over
    // 0x7ffe0000, where Windows has its shared page, and Wine ends with 1 and no word.
    ::personality(ADDR_NO_RANDOMIZE);
    ::execve(arguments[0].c_str(), pointers(arguments).data(), pointers(variables).data());
    ::_exit(127);
}

pid_t holder_of(const std::string& lock_file) {
    int fd = ::open(lock_file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_len = 1;
    bool locked = ::fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK;
    ::close(fd);
    return locked ? lock.l_pid : 0;
}

// Whoever holds the lock of wineserver's directory is wineserver. The directory is /tmp/.wine-UID/server-...
// upstream and /tmp/wine-RANDOM/server-... in Debian.
pid_t find_server() {
    for (const std::string& base : directory_names("/tmp")) {
        if (base == "." || base == "..") continue;
        for (const std::string& name : directory_names(("/tmp/" + base).c_str())) {
            if (name.rfind("server-", 0) != 0) continue;
            if (pid_t pid = holder_of("/tmp/" + base + "/" + name + "/lock")) return pid;
        }
    }
    return 0;
}

void copy_file(int from, const std::string& path) {
    int to = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0) return;  // the launcher will say that it has no parameters
    char buffer[1 << 16];
    ssize_t size;
    while ((size = ::read(from, buffer, sizeof buffer)) > 0) {
        if (::write(to, buffer, static_cast<std::size_t>(size)) != size) break;
    }
    ::close(to);
}

}  // namespace

// wineserver goes into the background when it can take clients: its starter's end is the signal.
void Supervisor::start_server() {
    // Debian's wineserver keeps the name of its directory there; that of an earlier box means nothing now.
    ::unlink("/prefix/wineserver");
    int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = ::open(kServerLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t starter = ::fork();
    if (starter < 0) fail("cannot start wineserver");
    if (starter == 0)
        execute({kServer, "-p"}, {"WINEPREFIX=/prefix", "HOME=/", "LC_ALL=C.UTF-8"}, {null, null, log});
    ::close(null);
    ::close(log);
    int status = 0;
    while (::waitpid(starter, &status, 0) < 0 && errno == EINTR) {
    }
    if (status == 0) server_ = find_server();
    if (server_ == 0) {
        fail_plainly("wineserver does not start (status " + std::to_string(status) +
                     "): " + read_text(kServerLog, 2000));
    }
}

int Supervisor::run() {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child, nullptr);
    int signals = ::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) fail("cannot watch children");
    start_server();
    if (!send(kControlFd, {"ready"})) return 1;

    pollfd watched[2] = {{kControlFd, POLLIN, 0}, {signals, POLLIN, 0}};
    Message message;
    std::vector<int> descriptors;
    while (true) {
        if (::poll(watched, 2, -1) < 0 && errno != EINTR) return 1;
        if (watched[1].revents != 0) {
            signalfd_siginfo ignored;
            while (::read(signals, &ignored, sizeof ignored) > 0) {
            }
            reap();
        }
        if (stopping_ && server_ == 0) {
            send(kControlFd, {"stopped"});
            return 0;
        }
        if (watched[0].revents != 0) {
            if (!receive(kControlFd, message, descriptors)) return 1;
            handle(message, descriptors);
            for (int fd : descriptors) ::close(fd);
        }
    }
}

void Supervisor::handle(const Message& message, std::vector<int>& descriptors) {
    if (message[0] == "spawn" && message.size() >= 4 && descriptors.size() == 4) {
        spawn(message, descriptors);
    } else if (message[0] == "kill" && message.size() == 2) {
        for (const auto& [pid, id] : processes_) {
            if (id == message[1]) ::kill(pid, SIGKILL);
        }
    } else if (message[0] == "stop") {
        stop();
    }
}

void Supervisor::spawn(const Message& message, const std::vector<int>& descriptors) {
    const std::string& id = message[1];
    std::size_t count = std::strtoul(message[2].c_str(), nullptr, 10);
    if (count == 0 || count > message.size() - 3) return report_exit(id, 127 << 8);
    auto arguments = message.begin() + 3;
    auto variables = arguments + static_cast<std::ptrdiff_t>(count);
    copy_file(descriptors[3], "/run/process-" + id);
    pid_t pid = ::fork();
    if (pid == 0) execute({arguments, variables}, {variables, message.end()}, descriptors);
    if (pid < 0) return report_exit(id, 127 << 8);
    processes_[pid] = id;
}

void Supervisor::reap() {
    int status;
    pid_t pid;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == server_) {
            server_ = 0;
            if (!stopping_) send(kControlFd, {"server-died", read_text(kServerLog, 2000)});
        } else if (auto found = processes_.find(pid); found != processes_.end()) {
            std::string id = found->second;
            processes_.erase(found);
            report_exit(id, status);
        }
    }
}

void Supervisor::report_exit(const std::string& id, int status) {
    std::string code = read_text("/run/exit-" + id, 32);
    ::unlink(("/run/exit-" + id).c_str());
    send(kControlFd, {"exit", id, std::to_string(status), code});
}

// True when there are none left.
bool Supervisor::kill_clients() {
    bool none = true;
    for (const std::string& name : directory_names("/proc")) {
        pid_t pid = std::atoi(name.c_str());
        if (pid <= 1 || pid == server_) continue;
        if (::kill(pid, SIGKILL) == 0) none = false;
    }
    return none;
}

void Supervisor::stop() {
    if (server_ == 0) {
        stopping_ = true;
        return;
    }
    // The dead stay in /proc until reaped; what forks all the time needs several rounds.
    while (!kill_clients()) {
        reap();
        if (server_ == 0) return;
        ::usleep(500);
    }
    stopping_ = true;
    ::kill(server_, SIGTERM);  // saves the registry, then exits
}

}  // namespace mullion::hcs::box
