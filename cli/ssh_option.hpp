// --ssh default|ID[=SOCKET|=KEYFILE,...], as buildx reads it.
#pragma once

#include <string>
#include <utility>

#include "worker/ssh_agents.hpp"

namespace mullion::cli {

// The id and what stands behind it: the agent of a socket, without one that of our environment variable
// SSH_AUTH_SOCK, or one for the keys in regular files. Throws Invalid for what is no such option, NotFound if
// there is no such socket or file.
std::pair<std::string, worker::SshAgentSource> read_ssh_option(const std::string& option);

}  // namespace mullion::cli
