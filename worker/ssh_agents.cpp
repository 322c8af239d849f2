#include "worker/ssh_agents.hpp"

#include "worker/agent_proxy.hpp"
#include "worker/key_agent.hpp"

namespace mullion::worker {

SshAgents::SshAgents(std::map<std::string, SshAgentSource> offered, std::filesystem::path directory)
    : offered_(std::move(offered)), directory_(std::move(directory)) {}

SshAgents::~SshAgents() = default;

std::optional<std::string> SshAgents::address(const std::string& id, const base::CancelToken& cancel) {
    auto found = offered_.find(id);
    if (found == offered_.end()) return std::nullopt;
    const SshAgentSource& source = found->second;
    if (!source.address.empty()) return source.address;
    return started_.with([&](auto& started) {
        std::unique_ptr<KeyAgent>& agent = started[id];
        if (!agent) agent = std::make_unique<KeyAgent>(source.keys, directory_, cancel);
        return agent->address();
    });
}

std::optional<std::string> SshAgents::step_address(const std::string& id, const base::CancelToken& cancel) {
    auto agent = address(id, cancel);
    if (!agent) return std::nullopt;
    return proxies_.with([&](auto& proxies) {
        std::unique_ptr<AgentProxy>& proxy = proxies[id];
        if (!proxy) proxy = std::make_unique<AgentProxy>(*agent, directory_);
        return proxy->address();
    });
}

}  // namespace mullion::worker
