#include "worker/agent_proxy.hpp"

namespace mullion::worker {

struct AgentProxy::Connection {};

// The socket refuses.
AgentProxy::AgentProxy(std::string agent, const std::filesystem::path& parent)
    : agent_(std::move(agent)), socket_(parent) {}

AgentProxy::~AgentProxy() = default;

}  // namespace mullion::worker
