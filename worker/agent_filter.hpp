// What a step may ask of an ssh agent: which keys it has, and to sign with them. As with BuildKit, everything
// else (to add, remove or lock keys; extensions) is refused without the agent being asked.
//
// Source: draft-miller-ssh-agent, sections 4 and 7.1. A message is a uint32 of its length and as many bytes,
// the first of which is its type.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mullion::worker {

// One connection of a client to an agent. Knows no sockets: whoever has them hands in what was read and sends
// what `to_client` and `to_agent` hold. One request is underway at a time, so answers come in the order of
// the requests.
class AgentFilter {
  public:
    // As OpenSSH has it, for both directions. A connection holds a few of these at most.
    static constexpr std::size_t kMaxMessage = 256 * 1024;

    // Bytes as they come, messages in pieces or several at once. Both throw Invalid for what is no message,
    // and from_agent for an answer nobody asked for: the connection is to be closed.
    void from_client(std::string_view bytes);
    void from_agent(std::string_view bytes);

    // Whether more of the client may be read: it has all its answers.
    bool ready() const { return !asked_ && to_client.empty(); }

    // Not yet sent; the sender removes what it has sent.
    std::string to_client;
    std::string to_agent;

  private:
    void answer_requests();

    std::string requests_;
    std::string answer_;  // the part of it that has come
    bool asked_ = false;  // the agent's answer is due
};

}  // namespace mullion::worker
