#include "hcs/box.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/handle.hpp"
#include "base/log.hpp"
#include "hcs/box_protocol.hpp"
#include "hcs/embedded.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using base::UniqueFd;
using namespace std::chrono_literals;

using Ticks = std::chrono::duration<std::int64_t, std::ratio<1, 10'000'000>>;  // HCS' 100 ns

constexpr auto kWatchInterval = 50ms;  // how often limits are looked at
constexpr auto kStopLimit = 30s;       // for killing what runs and saving the registry
constexpr auto kKillGrace = 1s;        // until process 1 is killed rather than asked
constexpr std::size_t kReceiveChunk = 4096;

UniqueFd memory_file(const char* name, std::string_view data) {
    UniqueFd fd(::memfd_create(name, MFD_CLOEXEC));
    if (!fd) throw base::system_error(errno, "cannot make a memory file");
    base::write_all(fd.get(), data, name);
    ::lseek(fd.get(), 0, SEEK_SET);
    return fd;
}

// A descriptor out of the way of the numbers the box expects.
UniqueFd move_up(UniqueFd fd) {
    UniqueFd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 64));
    if (!moved) throw base::system_error(errno, "cannot duplicate a descriptor");
    return moved;
}

// Made once: the program is the same for every box.
int box_program_fd() {
    static UniqueFd fd = move_up(memory_file("mullion-box", box_program()));
    return fd.get();
}

// Without a control group an ordinary user still has a limit on processes, counted in the user namespace.
std::unique_ptr<ControlGroup> make_group(const ResourceLimits& limits) {
    try {
        return std::make_unique<ControlGroup>(limits);
    } catch (const base::Error& error) {
        if (::geteuid() == 0) throw;
        if (limits.processors || limits.weight) throw;
        static std::once_flag once;
        std::call_once(once, [&] {
            base::log("hcs").warn("{}: processes are limited by RLIMIT_NPROC, memory per process only",
                                  error.what());
        });
        return nullptr;
    }
}

class SpawnActions {
  public:
    SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
    ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
    // `from` must not be one of the targets: dup2 onto itself would keep it close-on-exec.
    void give(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
    void open_null(int to) { ::posix_spawn_file_actions_addopen(&actions_, to, "/dev/null", O_RDWR, 0); }
    const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_;
};

// The messages of a box, without ever waiting for the rest of one.
class Inbox {
  public:
    // Takes what has come. False when there will be no more.
    bool fill(int socket) {
        char chunk[kReceiveChunk];
        ssize_t size = ::recv(socket, chunk, sizeof chunk, MSG_DONTWAIT);
        if (size < 0) return errno == EAGAIN || errno == EINTR;
        buffer_.append(chunk, static_cast<std::size_t>(size));
        return size > 0;
    }

    // False if there is no whole message.
    bool next(box::Message& message) {
        std::uint32_t size;
        if (broken_ || buffer_.size() < sizeof size) return false;
        std::memcpy(&size, buffer_.data(), sizeof size);
        if (size > box::kMessageLimit) broken_ = true;
        if (broken_ || buffer_.size() - sizeof size < size) return false;
        broken_ = !box::decode(buffer_.substr(sizeof size, size), message);
        buffer_.erase(0, sizeof size + size);
        return !broken_;
    }

    // What came is no message; nothing after it can be read.
    bool broken() const { return broken_; }

  private:
    std::string buffer_;
    bool broken_ = false;
};

pid_t start_box(const BoxPlan& plan, const ControlGroup* group, int control) {
    std::vector<UniqueFd> joins;
    if (group != nullptr) {
        for (UniqueFd& fd : group->open_join_files()) joins.push_back(move_up(std::move(fd)));
    }
    SpawnActions actions;
    for (int fd : {0, 1, 2}) actions.open_null(fd);
    actions.give(control, box::kControlFd);
    for (std::size_t i = 0; i < joins.size(); ++i) {
        actions.give(joins[i].get(), box::kFirstCgroupFd + static_cast<int>(i));
    }
    std::string arguments[] = {"mullion-box",
                               ::geteuid() == 0 ? "0" : "1",
                               plan.own_network ? "1" : "0",
                               std::to_string(group != nullptr ? 0 : plan.limits.tasks),
                               std::to_string(group != nullptr ? 0 : plan.limits.memory_bytes),
                               std::to_string(joins.size())};
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    char* no_variables[] = {nullptr};

    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    // Ignored signals are inherited: with SIGCHLD among them nobody in the box could wait for a child.
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    // A group of its own: a Ctrl-C in the terminal is for the engine, which then ends the box.
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    pid_t pid = -1;
    std::string program = "/proc/self/fd/" + std::to_string(box_program_fd());
    int error = ::posix_spawn(&pid, program.c_str(), actions.get(), &attributes, argv.data(), no_variables);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) throw base::system_error(error, "cannot start the box program");
    return pid;
}

// A message and the descriptor that goes with it.
struct Part {
    box::Message message;
    UniqueFd file;
};

Part describe(const BoxMapping& mapping) {
    const char* access = mapping.read_only ? "ro" : "rw";
    switch (mapping.kind) {
        case BoxMapping::Kind::Bind:
            break;
        case BoxMapping::Kind::Copy:
            return {{"copy", mapping.target, access}, base::open_read(mapping.host)};
        case BoxMapping::Kind::Memory:
            return {{"tmpfs", mapping.target, access, std::to_string(mapping.size)}, {}};
    }
    return {{"map", mapping.host.string(), mapping.target, access}, {}};
}

std::vector<Part> describe(const BoxPlan& plan) {
    std::vector<Part> parts;
    auto add = [&](box::Message message) { parts.push_back({std::move(message), {}}); };
    add({"root", plan.root.string()});
    for (const auto& lower : plan.lowers) add({"lower", lower.string()});
    add({"scratch", plan.upper.string(), plan.work.string()});
    add({"prefix", plan.prefix.string()});
    for (const BoxMapping& mapping : plan.mappings) parts.push_back(describe(mapping));
    add({"hostname", plan.hostname});
    add({"memory", std::to_string(plan.limits.memory_bytes)});
    add({"start"});
    return parts;
}

std::optional<std::uint32_t> parse_code(const std::string& text) {
    std::uint32_t code;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return code;
}

}  // namespace

struct Box::State {
    explicit State(const BoxPlan& plan);
    ~State() { take_down(); }

    void watch();
    void on_message(const box::Message& message);
    void check_limits();
    void fail(base::Error error);
    void take_down();
    void wait_for_first_process();
    template <typename Condition>
    bool wait_until(std::optional<Clock::time_point> deadline, const base::CancelToken& cancel,
                    Condition condition);

    std::optional<std::chrono::seconds> time_limit;
    Clock::time_point started = Clock::now();
    std::uint32_t task_limit;
    std::unique_ptr<ControlGroup> group;
    UniqueFd control;
    pid_t pid = -1;

    std::mutex mutex;
    std::condition_variable changed;
    bool ready = false;
    bool stopping = false;  // asked to
    bool stopped = false;
    bool closed = false;  // the box' end of the socket
    std::optional<base::Error> failure;
    std::set<std::string> running;
    std::map<std::string, BoxExit> exits;

    std::mutex send_mutex;
    std::mutex down_mutex;
    std::thread watcher;
};

Box::State::State(const BoxPlan& plan)
    : time_limit(plan.time_limit), task_limit(plan.limits.tasks), group(make_group(plan.limits)) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        throw base::system_error(errno, "cannot make a socket pair");
    }
    control = UniqueFd(ends[0]);
    UniqueFd theirs = move_up(UniqueFd(ends[1]));
    std::vector<Part> parts = describe(plan);
    pid = start_box(plan, group.get(), theirs.get());
    theirs.reset();
    for (const Part& part : parts) {
        std::vector<int> files;
        if (part.file) files.push_back(part.file.get());
        if (!box::send(control.get(), part.message, files)) break;  // the watcher learns why
    }
    watcher = std::thread([this] { watch(); });
}

// Runs until the box' end of the socket is closed.
void Box::State::watch() {
    Inbox inbox;
    box::Message message;
    bool open = true;
    while (open && !inbox.broken()) {
        pollfd ready_fd{control.get(), POLLIN, 0};
        if (::poll(&ready_fd, 1, static_cast<int>(kWatchInterval.count())) > 0)
            open = inbox.fill(control.get());
        // First: a process that a limit ended must not be taken for one that ended by itself.
        check_limits();
        while (inbox.next(message)) on_message(message);
    }
    std::lock_guard lock(mutex);
    closed = true;
    if (!stopped && !failure) {
        failure = base::fail(ErrorCode::Process, "the container ended unexpectedly");
    }
    changed.notify_all();
}

void Box::State::on_message(const box::Message& message) {
    if (message[0] == "error" && message.size() == 2) {
        fail(base::fail(ErrorCode::Unavailable, "cannot make a container: {}", message[1]));
    } else if (message[0] == "server-died" && message.size() == 2) {
        fail(base::fail(ErrorCode::Process, "wineserver died; the container is gone{}{}",
                        message[1].empty() ? "" : ": ", message[1]));
    }
    std::lock_guard lock(mutex);
    if (message[0] == "ready") {
        ready = true;
    } else if (message[0] == "stopped") {
        stopped = stopping;
    } else if (message[0] == "exit" && message.size() == 4 && !failure && running.erase(message[1]) > 0) {
        exits[message[1]] = {std::atoi(message[2].c_str()), parse_code(message[3])};
    }
    changed.notify_all();
}

void Box::State::check_limits() {
    if (time_limit && Clock::now() - started > *time_limit) {
        return fail(base::fail(ErrorCode::TimedOut, "the container ran longer than its time limit of {} s",
                               time_limit->count()));
    }
    if (!group) return;
    if (group->task_refusals() > 0) {
        return fail(base::fail(ErrorCode::Exhausted,
                               "the container reached its limit of {} processes and threads", task_limit));
    }
    if (group->memory_kills() > 0) {
        fail(base::fail(ErrorCode::Exhausted, "the container reached its memory limit"));
    }
}

// The first failure counts. Process 1 ends when it sees the socket closed; the watcher then sees its end.
void Box::State::fail(base::Error error) {
    std::lock_guard lock(mutex);
    if (failure || stopped) return;
    failure = std::move(error);
    ::shutdown(control.get(), SHUT_WR);
    changed.notify_all();
}

void Box::State::wait_for_first_process() {
    auto give_up = Clock::now() + kKillGrace;
    bool killed = false;
    // It ends when the last process of the box is gone; asked to, it kills them.
    while (::waitpid(pid, nullptr, WNOHANG) == 0) {
        if (!killed && Clock::now() > give_up) {
            ::kill(pid, SIGTERM);
            killed = true;
        }
        std::this_thread::sleep_for(500us);
    }
    pid = -1;
}

void Box::State::take_down() {
    std::lock_guard lock(down_mutex);
    if (pid < 0) return;
    ::shutdown(control.get(), SHUT_WR);
    wait_for_first_process();
    ::shutdown(control.get(), SHUT_RDWR);
    watcher.join();
    group.reset();
}

template <typename Condition>
bool Box::State::wait_until(std::optional<Clock::time_point> deadline, const base::CancelToken& cancel,
                            Condition condition) {
    auto wake_up = cancel.on_cancel([this] {
        std::lock_guard lock(mutex);
        changed.notify_all();
    });
    std::unique_lock lock(mutex);
    auto done = [&] { return condition() || failure || closed || cancel.canceled(); };
    if (deadline) {
        changed.wait_until(lock, *deadline, done);
    } else {
        changed.wait(lock, done);
    }
    if (condition()) return true;
    if (failure) throw *failure;
    if (closed) throw base::fail(ErrorCode::Process, "the container has ended");
    lock.unlock();
    cancel.check();
    return false;
}

Box::Box(const BoxPlan& plan, const base::CancelToken& cancel) : state_(std::make_unique<State>(plan)) {
    if (!state_->wait_until(Clock::now() + kStopLimit, cancel, [this] { return state_->ready; })) {
        throw base::fail(ErrorCode::TimedOut, "the container does not start");
    }
}

Box::~Box() = default;

void Box::spawn(const std::string& id, const std::vector<std::string>& arguments,
                const std::vector<std::string>& variables, int in, int out, int err, std::string_view file) {
    UniqueFd parameters = memory_file("process", file);
    box::Message message = {"spawn", id, std::to_string(arguments.size())};
    message.insert(message.end(), arguments.begin(), arguments.end());
    message.insert(message.end(), variables.begin(), variables.end());
    {
        std::lock_guard lock(state_->mutex);
        state_->running.insert(id);
    }
    bool sent;
    {
        std::lock_guard lock(state_->send_mutex);
        sent = box::send(state_->control.get(), message, {in, out, err, parameters.get()});
    }
    if (sent) return;
    std::unique_lock lock(state_->mutex);
    if (state_->failure) throw *state_->failure;
    throw base::fail(ErrorCode::Process, "the container has ended");
}

std::optional<BoxExit> Box::wait(const std::string& id, std::optional<Clock::time_point> deadline,
                                 const base::CancelToken& cancel) {
    if (!state_->wait_until(deadline, cancel, [&] { return state_->exits.contains(id); }))
        return std::nullopt;
    std::lock_guard lock(state_->mutex);
    return state_->exits.at(id);
}

void Box::kill(const std::string& id) {
    std::lock_guard lock(state_->send_mutex);
    box::send(state_->control.get(), {"kill", id});
}

Statistics Box::statistics() const {
    Statistics statistics = state_->group ? state_->group->statistics() : Statistics{};
    statistics.Uptime100ns =
        static_cast<std::uint64_t>(std::chrono::duration_cast<Ticks>(Clock::now() - state_->started).count());
    return statistics;
}

void Box::stop(const base::CancelToken& cancel) {
    {
        std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    {
        std::lock_guard lock(state_->send_mutex);
        box::send(state_->control.get(), {"stop"});
    }
    if (!state_->wait_until(Clock::now() + kStopLimit, cancel, [this] { return state_->stopped; })) {
        throw base::fail(ErrorCode::TimedOut, "the container does not stop");
    }
    state_->take_down();
}

void Box::terminate() {
    state_->fail(base::fail(ErrorCode::Process, "the container was terminated"));
    state_->take_down();
}

// A box that is told nothing makes its namespaces and ends.
std::optional<std::string> box_problem() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return "no sockets";
    UniqueFd ours(ends[0]);
    UniqueFd theirs = move_up(UniqueFd(ends[1]));
    pid_t pid = start_box(BoxPlan{}, nullptr, theirs.get());
    theirs.reset();
    ::shutdown(ours.get(), SHUT_WR);
    box::Message message;
    std::vector<int> descriptors;
    bool answered = box::receive(ours.get(), message, descriptors);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (answered && message.size() == 2 && message[0] == "error") return message[1];
    return std::nullopt;
}

}  // namespace mullion::hcs
