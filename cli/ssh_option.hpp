// --ssh default|ID[=SOCKET], as buildx reads it.
#pragma once

#include <string>
#include <utility>

namespace mullion::cli {

// The agent that git uses for repositories over ssh.
inline constexpr const char* kDefaultAgent = "default";

// The id and the agent's socket: without one, that of our environment variable SSH_AUTH_SOCK. Throws Invalid
// for what is no such option, NotFound if there is no socket, Unsupported for key files: only an agent can
// use a key without showing it.
std::pair<std::string, std::string> read_ssh_agent(const std::string& option);

}  // namespace mullion::cli
