#include "bench/measured_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <system_error>

#include "base/file.hpp"

namespace mullion::bench {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> list;
    for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
    list.push_back(nullptr);
    return list;
}

pid_t start(const std::vector<std::string>& argv, const std::string& output) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                       0600);
    ::posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    pid_t child = -1;
    int error = ::posix_spawnp(&child, argv[0].c_str(), &actions, nullptr, pointers(argv).data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::system_error(error, std::generic_category(), argv[0]);
    return child;
}

}  // namespace

std::uint64_t run_measured(const std::vector<std::string>& argv) {
    base::TempDir directory(std::filesystem::temp_directory_path(), "mullion-bench");
    const std::filesystem::path output = directory.path() / "output";
    pid_t child = start(argv, output.string());
    int status = 0;
    rusage usage{};
    while (::wait4(child, &status, 0, &usage) < 0) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "wait4");
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        std::fputs(base::read_file(output, 1 << 20).c_str(), stderr);
        throw std::runtime_error(argv[0] + " failed");
    }
    return static_cast<std::uint64_t>(usage.ru_maxrss) << 10;
}

}  // namespace mullion::bench
