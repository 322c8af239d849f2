// How a Windows program is started in a box: variables, the launcher's parameter file, the host program.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::hcs {

struct LaunchContext {
    std::string user;       // "ContainerAdministrator"
    std::string host_name;  // "build-7"
    std::uint32_t processors = 1;
};

// What Windows gives every process of a container, and `given` over it. Names compare without case; the
// result is sorted as Windows sorts.
std::vector<std::string> environment_block(const LaunchContext& context,
                                           const std::map<std::string, std::string>& given);

// What hcs/guest/runner.c reads.
std::string launch_file(std::string_view working_directory, std::string_view command_line,
                        const std::vector<std::string>& environment);

// The host's side: arguments and variables of Wine's loader running the launcher for process `id`. Variables
// given here are visible in the container, so they are few.
std::vector<std::string> loader_arguments(const std::string& id);
std::vector<std::string> loader_variables(const std::string& user);
// The same for the program that serves a named pipe (hcs/guest/pipe.c).
std::vector<std::string> pipe_server_arguments(const std::string& pipe_name);

// NetBIOS form of a host name: upper case, at most 15 characters.
std::string computer_name(std::string_view host_name);

}  // namespace mullion::hcs
