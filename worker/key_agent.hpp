// An ssh agent of ours: OpenSSH's `ssh-agent`, given keys by its `ssh-add`. We never read a key ourselves.
#pragma once

#include <atomic>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/unix_socket.hpp"

namespace mullion::worker {

// Runs from construction to destruction, and no longer than we do, however we end.
class KeyAgent {
  public:
    // Returns when the agent answers and holds all keys (absolute paths). Its socket lies below `parent`, as
    // TempSocket has it. Throws NotFound if the programs are not installed, Process if the agent does not
    // start, Invalid for a file that ssh-add does not take (too open to others, no key, with a passphrase:
    // nobody is asked for one), TimedOut.
    KeyAgent(const std::vector<std::filesystem::path>& keys, const std::filesystem::path& parent,
             const base::CancelToken& cancel);
    ~KeyAgent();
    KeyAgent(const KeyAgent&) = delete;
    KeyAgent& operator=(const KeyAgent&) = delete;

    // Its Unix socket.
    const std::string& address() const { return socket_.path(); }

  private:
    // Cancels when it goes.
    struct Stop : base::CancelSource {
        ~Stop() { cancel(); }
    };

    void start(const base::CancelToken& cancel);
    std::string serve();  // until the agent ends; what it said of errors
    void add(const std::filesystem::path& key, const base::CancelToken& cancel) const;

    base::TempSocket socket_;
    std::atomic<bool> listening_ = false;
    std::future<std::string> ended_;  // of serve(); waits for it when it goes
    Stop stop_;
};

}  // namespace mullion::worker
