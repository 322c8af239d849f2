#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <mutex>
#include <sstream>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/handle.hpp"
#include "base/process.hpp"

namespace mullion::base {
namespace {

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

// Descriptors 0 to 2 are free if our own were closed; the child's dup2 calls must not meet them.
UniqueFd above_standard(UniqueFd fd) {
    if (fd.get() > 2) return fd;
    int moved = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3);
    if (moved < 0) throw system_error(errno, "cannot create a pipe");
    return UniqueFd(moved);
}

Pipe make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error(errno, "cannot create a pipe");
    return {above_standard(UniqueFd(ends[0])), above_standard(UniqueFd(ends[1]))};
}

std::vector<char*> c_strings(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    for (std::string& text : strings) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// Everything the child needs, prepared before fork: between fork and exec only async-signal-safe calls are
// allowed.
struct ChildPlan {
    std::vector<std::string> arguments;
    std::vector<std::string> variables;
    std::vector<char*> argv;
    std::vector<char*> envp;  // empty: ours
    std::string directory;
    int in, out, err, failure;
    pid_t parent;
    bool no_new_privileges;
};

[[noreturn]] void become(const ChildPlan& plan) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) ::_exit(127);
    if (plan.no_new_privileges) ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(plan.in, 0);
    ::dup2(plan.out, 1);
    ::dup2(plan.err, 2);
    if (plan.directory.empty() || ::chdir(plan.directory.c_str()) == 0) {
        if (plan.envp.empty()) {
            ::execvp(plan.argv[0], plan.argv.data());
        } else {
            ::execvpe(plan.argv[0], plan.argv.data(), plan.envp.data());
        }
    }
    int error = errno;
    [[maybe_unused]] ssize_t ignored = ::write(plan.failure, &error, sizeof error);
    ::_exit(127);
}

// The running child. Killing and reaping exclude each other: once the child is reaped its number may belong
// to somebody else, and -1 would mean every process there is.
class Child {
  public:
    explicit Child(pid_t pid) : pid_(pid), handle_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
    ~Child() {
        kill_group();
        reap();
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    void kill_group() {
        std::lock_guard lock(mutex_);
        if (reaped_) return;
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);
    }
    // Readable once the child has exited; -1 if this kernel has no such thing.
    int handle() const { return handle_.get(); }
    bool exited() const {
        siginfo_t info{};
        int result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
        return result == 0 ? info.si_pid == pid_ : errno == ECHILD;
    }
    // Waits for the exit, kills what is left of the group; the exit code, or 128 + signal, or -1 if somebody
    // else took it (our starter told the system to ignore SIGCHLD).
    int reap() {
        siginfo_t info{};
        while (!reaped_ && ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0) {
            if (errno != EINTR) break;
        }
        std::lock_guard lock(mutex_);
        if (reaped_) return status_;
        ::kill(-pid_, SIGKILL);
        int status = 0;
        pid_t result = 0;
        do {
            result = ::waitpid(pid_, &status, 0);
        } while (result < 0 && errno == EINTR);
        reaped_ = true;
        if (result == pid_) status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        return status_;
    }

  private:
    const pid_t pid_;
    UniqueFd handle_;
    std::mutex mutex_;
    bool reaped_ = false;
    int status_ = -1;
};

// Writing to a pipe nobody reads would end our process: the signal is held back and taken out again.
class NoSigpipe {
  public:
    NoSigpipe() {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        sigset_t pending;
        sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        ::pthread_sigmask(SIG_BLOCK, &pipe_, &old_);
    }
    ~NoSigpipe() {
        timespec now{};
        if (!was_pending_) ::sigtimedwait(&pipe_, nullptr, &now);
        ::pthread_sigmask(SIG_SETMASK, &old_, nullptr);
    }
    NoSigpipe(const NoSigpipe&) = delete;
    NoSigpipe& operator=(const NoSigpipe&) = delete;

  private:
    sigset_t pipe_, old_;
    bool was_pending_;
};

// Pumps the three streams until the child has exited and what it wrote is read; throws TimedOut on the
// deadline. A grandchild that keeps an output open does not hold us up.
class Pump {
  public:
    Pump(const ProcessOptions& options, UniqueFd in, UniqueFd out, UniqueFd err, int wake)
        : options_(options), in_(std::move(in)), out_(std::move(out)), err_(std::move(err)), wake_(wake) {
        if (options.time_limit) deadline_ = CancelToken::Clock::now() + *options.time_limit;
        for (const UniqueFd* fd : {&in_, &out_, &err_}) ::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
        if (options.input.empty()) in_.reset();
    }

    void run(const Child& child, const CancelToken& cancel) {
        while (!child.exited()) {
            cancel.check();
            pollfd fds[] = {{in_.get(), POLLOUT, 0},
                            {out_.get(), POLLIN, 0},
                            {err_.get(), POLLIN, 0},
                            {child.handle(), POLLIN, 0},
                            {wake_, POLLIN, 0}};
            if (::poll(fds, 5, timeout(child)) < 0 && errno != EINTR) throw system_error(errno, "poll");
            if (deadline_ && CancelToken::Clock::now() >= *deadline_) {
                throw fail(ErrorCode::TimedOut, "{} did not finish within {} ms", options_.argv[0],
                           options_.time_limit->count());
            }
            if (fds[0].revents != 0) feed();
            if (fds[1].revents != 0) drain(out_, options_.on_stdout);
            if (fds[2].revents != 0) drain(err_, options_.on_stderr);
        }
        cancel.check();
        // A pipe's capacity bounds what is left; whoever still writes is not waited for.
        for (std::size_t i = 0; i < kMaxLeftover && drain(out_, options_.on_stdout); ++i) {
        }
        for (std::size_t i = 0; i < kMaxLeftover && drain(err_, options_.on_stderr); ++i) {
        }
    }

  private:
    static constexpr std::size_t kChunk = 65536;
    static constexpr std::size_t kMaxLeftover = 1024;  // chunks; pipes hold at most 1 MiB unless root says so
    static constexpr std::int64_t kPollInterval = 10;  // ms, where the kernel cannot tell us of the exit
    static constexpr std::int64_t kLongest = 3'600'000;  // ms

    int timeout(const Child& child) const {
        std::int64_t longest = child.handle() < 0 ? kPollInterval : kLongest;
        if (!deadline_) return child.handle() < 0 ? static_cast<int>(longest) : -1;
        auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(*deadline_ - CancelToken::Clock::now());
        return static_cast<int>(std::clamp<std::int64_t>(left.count() + 1, 0, longest));
    }

    void feed() {
        NoSigpipe guard;
        ssize_t done = ::write(in_.get(), options_.input.data() + fed_, options_.input.size() - fed_);
        if (done < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (done > 0) fed_ += static_cast<std::size_t>(done);
        if (done < 0 || fed_ == options_.input.size()) in_.reset();
    }

    // True if there may be more.
    static bool drain(UniqueFd& fd, const std::function<void(std::string_view)>& consumer) {
        if (!fd) return false;
        char buffer[kChunk];
        ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) return true;
        if (got < 0 && errno == EAGAIN) return false;
        if (got <= 0) {
            fd.reset();
            return false;
        }
        if (consumer) consumer({buffer, static_cast<std::size_t>(got)});
        return true;
    }

    const ProcessOptions& options_;
    UniqueFd in_, out_, err_;
    int wake_;
    std::size_t fed_ = 0;
    std::optional<CancelToken::Clock::time_point> deadline_;
};

ChildPlan make_plan(const ProcessOptions& options) {
    ChildPlan plan{};
    plan.arguments = options.argv;
    plan.argv = c_strings(plan.arguments);
    if (options.environment) {
        for (const auto& [name, value] : *options.environment) plan.variables.push_back(name + "=" + value);
        plan.envp = c_strings(plan.variables);
    }
    plan.directory = options.directory.string();
    plan.parent = ::getpid();
    plan.no_new_privileges = options.no_new_privileges;
    return plan;
}

}  // namespace

std::optional<std::filesystem::path> find_program(const std::string& name) {
    std::istringstream directories(environment("PATH").value_or(""));
    for (std::string directory; std::getline(directories, directory, ':');) {
        std::filesystem::path file = std::filesystem::path(directory.empty() ? "." : directory) / name;
        std::error_code absent;
        if (std::filesystem::is_regular_file(file, absent) && ::access(file.c_str(), X_OK) == 0) return file;
    }
    return std::nullopt;
}

int run_process(const ProcessOptions& options, const CancelToken& cancel) {
    if (options.argv.empty()) throw Error(ErrorCode::Internal, "empty argument vector");
    cancel.check();
    Pipe in = make_pipe(), out = make_pipe(), err = make_pipe(), failure = make_pipe(), wake = make_pipe();
    ChildPlan plan = make_plan(options);
    plan.in = in.read.get();
    plan.out = out.write.get();
    plan.err = err.write.get();
    plan.failure = failure.write.get();
    pid_t pid = ::fork();
    if (pid < 0) throw system_error(errno, "cannot fork");
    if (pid == 0) become(plan);
    Child child(pid);
    in.read.reset();
    out.write.reset();
    err.write.reset();
    failure.write.reset();
    int error = 0;
    ssize_t got = 0;
    do {
        got = ::read(failure.read.get(), &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    if (got == sizeof error) throw system_error(error, fmt::format("cannot run {}", options.argv[0]));
    auto registration = cancel.on_cancel([&] {
        child.kill_group();
        [[maybe_unused]] ssize_t ignored = ::write(wake.write.get(), "x", 1);
    });
    Pump pump(options, std::move(in.write), std::move(out.read), std::move(err.read), wake.read.get());
    pump.run(child, cancel);
    int status = child.reap();
    if (status < 0) throw fail(ErrorCode::Process, "the exit code of {} is lost", options.argv[0]);
    return status;
}

}  // namespace mullion::base
