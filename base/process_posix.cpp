#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "base/process.hpp"

namespace mullion::base {
namespace {

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

Pipe make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error(errno, "cannot create a pipe");
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
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
};

[[noreturn]] void become(const ChildPlan& plan) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) ::_exit(127);
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

class Child {
  public:
    explicit Child(pid_t pid) : pid_(pid) {}
    ~Child() {
        if (pid_ < 0) return;
        kill_group();
        wait();
    }
    void kill_group() const {
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);
    }
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }

  private:
    pid_t pid_;
};

// Pumps the three streams until both outputs are closed; throws TimedOut on the deadline.
class Pump {
  public:
    Pump(const ProcessOptions& options, UniqueFd in, UniqueFd out, UniqueFd err, int wake)
        : options_(options), in_(std::move(in)), out_(std::move(out)), err_(std::move(err)), wake_(wake) {
        if (options.time_limit) deadline_ = CancelToken::Clock::now() + *options.time_limit;
        ::fcntl(in_.get(), F_SETFL, O_NONBLOCK);
        if (options.input.empty()) in_.reset();
    }

    void run(const CancelToken& cancel) {
        while (out_ || err_) {
            cancel.check();
            pollfd fds[] = {{in_.get(), POLLOUT, 0},
                            {out_.get(), POLLIN, 0},
                            {err_.get(), POLLIN, 0},
                            {wake_, POLLIN, 0}};
            if (::poll(fds, 4, timeout()) < 0 && errno != EINTR) throw system_error(errno, "poll");
            if (deadline_ && CancelToken::Clock::now() >= *deadline_) {
                throw fail(ErrorCode::TimedOut, "{} did not finish within {} ms", options_.argv[0],
                           options_.time_limit->count());
            }
            if (fds[0].revents != 0) feed();
            if (fds[1].revents != 0) drain(out_, options_.on_stdout);
            if (fds[2].revents != 0) drain(err_, options_.on_stderr);
        }
        cancel.check();
    }

  private:
    int timeout() const {
        if (!deadline_) return -1;
        auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(*deadline_ - CancelToken::Clock::now());
        return static_cast<int>(std::max<std::int64_t>(0, left.count() + 1));
    }

    void feed() {
        ssize_t done = ::write(in_.get(), options_.input.data() + fed_, options_.input.size() - fed_);
        if (done < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (done > 0) fed_ += static_cast<std::size_t>(done);
        if (done < 0 || fed_ == options_.input.size()) in_.reset();
    }

    static void drain(UniqueFd& fd, const std::function<void(std::string_view)>& consumer) {
        char buffer[65536];
        ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) return;
        if (got <= 0) return fd.reset();
        if (consumer) consumer({buffer, static_cast<std::size_t>(got)});
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
    return plan;
}

}  // namespace

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
    if (::read(failure.read.get(), &error, sizeof error) == sizeof error) {
        throw system_error(error, fmt::format("cannot run {}", options.argv[0]));
    }
    auto registration = cancel.on_cancel([&] {
        child.kill_group();
        [[maybe_unused]] ssize_t ignored = ::write(wake.write.get(), "x", 1);
    });
    Pump pump(options, std::move(in.write), std::move(out.read), std::move(err.read), wake.read.get());
    pump.run(cancel);
    return child.wait();
}

ProcessOutput run_and_capture(ProcessOptions options, const CancelToken& cancel, std::size_t limit) {
    ProcessOutput output;
    auto collect = [limit](std::string& into) {
        return [&into, limit](std::string_view data) {
            into += data.substr(0, limit - std::min(limit, into.size()));
        };
    };
    options.on_stdout = collect(output.out);
    options.on_stderr = collect(output.err);
    output.exit_code = run_process(options, cancel);
    return output;
}

}  // namespace mullion::base
