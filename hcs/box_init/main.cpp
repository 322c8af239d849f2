// The program that becomes a box: a small static executable embedded in the engine (hcs/embedded.hpp) and
// talking to it as hcs/box_protocol.hpp says.
//
//     mullion-box USER-NAMESPACE OWN-NETWORK TASK-RLIMIT DATA-RLIMIT CGROUPS
//
// Its first process joins the cgroups (descriptors from kFirstCgroupFd on), makes the namespaces and waits;
// the second is process 1 of the box. The box ends when the engine closes the socket or dies, when the first
// process dies, and when process 1 ends: then the kernel kills whatever is in the process namespace.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "hcs/box_init/plan.hpp"
#include "hcs/box_init/supervisor.hpp"
#include "hcs/box_protocol.hpp"

namespace mullion::hcs::box {

void fail_plainly(const std::string& what) {
    throw Failure{what};
}
void fail(const std::string& what) {
    fail_plainly(what + ": " + std::strerror(errno));
}

namespace {

struct Arguments {
    bool user_namespace = false;
    bool own_network = false;
    rlim_t task_limit = 0;  // 0: the cgroup does it
    rlim_t data_limit = 0;  // bytes a process; 0: the cgroup does it
    int cgroups = 0;
};

void write_text(const char* path, const std::string& text) {
    int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) fail(std::string("cannot open ") + path);
    bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (!written) fail(std::string("cannot write ") + path);
    ::close(fd);
}

void join_cgroups(int count) {
    for (int i = 0; i < count; ++i) {
        int fd = kFirstCgroupFd + i;
        if (::write(fd, "0", 1) != 1) fail("cannot join the control group");
        ::close(fd);
    }
}

void limit(__rlimit_resource resource, rlim_t value) {
    if (value == 0) return;
    rlimit both{value, value};
    if (::setrlimit(resource, &both) != 0) fail("cannot set a resource limit");
}

void make_user_namespace(const Arguments& arguments) {
    std::string user = std::to_string(::getuid());
    std::string group = std::to_string(::getgid());
    if (::unshare(CLONE_NEWUSER) != 0) fail("cannot make a user namespace");
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", "0 " + user + " 1");
    write_text("/proc/self/gid_map", "0 " + group + " 1");
    // Counted for the user inside this namespace (Linux 5.14), so it limits the box alone.
    limit(RLIMIT_NPROC, arguments.task_limit);
    limit(RLIMIT_DATA, arguments.data_limit);
}

void make_namespaces(const Arguments& arguments) {
    join_cgroups(arguments.cgroups);
    if (arguments.user_namespace) make_user_namespace(arguments);
    int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    if (arguments.own_network) flags |= CLONE_NEWNET;
    if (::unshare(flags) != 0) fail("cannot make namespaces");
}

Plan receive_plan(const Arguments& arguments) {
    Plan plan;
    plan.user_namespace = arguments.user_namespace;
    plan.own_network = arguments.own_network;
    Message message;
    std::vector<int> descriptors;
    while (receive(kControlFd, message, descriptors)) {
        const std::string& verb = message[0];
        if (verb == "start") return plan;
        if (verb == "root" && message.size() == 2) {
            plan.root = message[1];
        } else if (verb == "lower" && message.size() == 2) {
            plan.lowers.push_back(message[1]);
        } else if (verb == "scratch" && message.size() == 3) {
            plan.upper = message[1];
            plan.work = message[2];
        } else if (verb == "prefix" && message.size() == 2) {
            plan.prefix = message[1];
        } else if (verb == "map" && message.size() == 4) {
            plan.mappings.push_back(
                {Mapping::Kind::Bind, message[1], message[2], message[3] == "ro", "", -1});
        } else if (verb == "copy" && message.size() == 3 && descriptors.size() == 1) {
            plan.mappings.push_back(
                {Mapping::Kind::Copy, "", message[1], message[2] == "ro", "", descriptors[0]});
        } else if (verb == "tmpfs" && message.size() == 4) {
            plan.mappings.push_back(
                {Mapping::Kind::Memory, "", message[1], message[2] == "ro", message[3], -1});
        } else if (verb == "hostname" && message.size() == 2) {
            plan.hostname = message[1];
        } else if (verb == "memory" && message.size() == 2) {
            plan.memory = message[1];
        } else {
            fail_plainly("unknown message " + verb);
        }
    }
    std::exit(1);  // the engine is gone
}

// Process 1.
int be_the_box(const Arguments& arguments) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Plan plan = receive_plan(arguments);
    set_up_mounts(plan);
    set_up_network(plan);
    if (::sethostname(plan.hostname.data(), plan.hostname.size()) != 0) fail("cannot set the host name");
    give_up_privileges();
    return Supervisor().run();
}

sigset_t signals_of_interest() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    return set;
}

// Process 1 ends only when no other process of its namespace is left, so whoever waits for us waits for the
// whole box. SIGTERM is the engine's impatience.
int wait_for_the_box(pid_t child) {
    sigset_t signals = signals_of_interest();
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) == 0) {
        if (::sigwaitinfo(&signals, nullptr) == SIGTERM) ::kill(child, SIGKILL);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int run(const Arguments& arguments) {
    make_namespaces(arguments);
    sigset_t signals = signals_of_interest();
    sigset_t before;
    ::sigprocmask(SIG_BLOCK, &signals, &before);
    pid_t child = ::fork();
    if (child < 0) fail("cannot start the first process of the box");
    if (child == 0) {
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
        return be_the_box(arguments);
    }
    // Only process 1 may hold the socket, so that the engine sees its end.
    ::close(kControlFd);
    return wait_for_the_box(child);
}

}  // namespace
}  // namespace mullion::hcs::box

int main(int argc, char** argv) {
    using namespace mullion::hcs::box;
    if (argc != 6) return 2;
    Arguments arguments;
    arguments.user_namespace = argv[1][0] == '1';
    arguments.own_network = argv[2][0] == '1';
    arguments.task_limit = std::strtoul(argv[3], nullptr, 10);
    arguments.data_limit = std::strtoul(argv[4], nullptr, 10);
    arguments.cgroups = std::atoi(argv[5]);
    ::prctl(PR_SET_NAME, "mullion-box");
    // Programs of the box get neither the socket nor what the engine was given by whoever started it.
    ::fcntl(kControlFd, F_SETFD, FD_CLOEXEC);
    ::closefrom(kFirstCgroupFd + arguments.cgroups);
    ::signal(SIGPIPE, SIG_IGN);
    try {
        return run(arguments);
    } catch (const Failure& failure) {
        send(kControlFd, {"error", failure.text});
        return 1;
    }
}
