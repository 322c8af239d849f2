// The ssh agents that a build was offered: those of the host, and our own for keys in files.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/synced.hpp"

namespace mullion::worker {

class AgentProxy;
class KeyAgent;

// The id of the agent that git uses for repositories over ssh.
inline constexpr const char* kDefaultAgent = "default";

// An agent on this host, or files with the private keys that one of ours is to hold.
struct SshAgentSource {
    std::string address = {};  // a Unix socket, on Windows a pipe; empty: `keys`
    std::vector<std::filesystem::path> keys = {};
    bool operator==(const SshAgentSource&) const = default;
};

// What is ours, agents and proxies, is started by the first who asks for it and ends with the object.
// Thread-safe.
class SshAgents {
  public:
    // `directory`: where their sockets may be. By id.
    SshAgents(std::map<std::string, SshAgentSource> offered, std::filesystem::path directory);
    ~SshAgents();

    // Where the agent answers programs of the host; nullopt if none is offered under this id. Throws as
    // KeyAgent does.
    std::optional<std::string> address(const std::string& id, const base::CancelToken& cancel);
    // Where it answers steps, which may ask it for less: AgentProxy, and throws as that does.
    std::optional<std::string> step_address(const std::string& id, const base::CancelToken& cancel);

  private:
    const std::map<std::string, SshAgentSource> offered_;
    const std::filesystem::path directory_;
    base::Synced<std::map<std::string, std::unique_ptr<KeyAgent>>> started_;
    base::Synced<std::map<std::string, std::unique_ptr<AgentProxy>>> proxies_;
};

}  // namespace mullion::worker
