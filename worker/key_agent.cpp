#include "worker/key_agent.hpp"

#include <chrono>
#include <cstdlib>

#include "base/error.hpp"
#include "base/process.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;
using namespace std::chrono_literals;

constexpr auto kStartLimit = 30s;
constexpr auto kAddLimit = 30s;
constexpr auto kPollInterval = 10ms;  // for cancellation, while starting
constexpr std::size_t kMaxOutput = 4096;

base::ProcessOptions openssh(std::vector<std::string> argv) {
    base::ProcessOptions program;
    program.argv = std::move(argv);
    program.environment.emplace().emplace("LC_ALL", "C.UTF-8");
    if (const char* path = std::getenv("PATH")) program.environment->emplace("PATH", path);
    // ssh-agent is a set-group-ID program on many systems.
    program.no_new_privileges = true;
    return program;
}

template <typename Body>
auto needing_openssh(Body&& body) {
    try {
        return body();
    } catch (base::Error& error) {
        if (error.code() == ErrorCode::NotFound)
            error.hint("key files need OpenSSH's ssh-agent and ssh-add: install openssh-client");
        throw;
    }
}

std::string said(std::string text) {
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return text;
}

}  // namespace

KeyAgent::KeyAgent(const std::vector<fs::path>& keys, const fs::path& parent, const base::CancelToken& cancel)
    : socket_(parent) {
    start(cancel);
    for (const fs::path& key : keys) add(key, cancel);
}

KeyAgent::~KeyAgent() = default;

// The agent says its address once it listens.
void KeyAgent::start(const base::CancelToken& cancel) {
    auto limit = base::CancelToken::Clock::now() + kStartLimit;
    ended_ = std::async(std::launch::async, [this] { return serve(); });
    while (!listening_) {
        if (ended_.wait_for(kPollInterval) == std::future_status::ready)
            throw fail(ErrorCode::Process, "ssh-agent does not start: {}", said(ended_.get()));
        cancel.check();
        if (base::CancelToken::Clock::now() > limit)
            throw fail(ErrorCode::TimedOut, "ssh-agent does not answer within {} s", kStartLimit.count());
    }
}

std::string KeyAgent::serve() {
    base::ProcessOptions program = openssh({"ssh-agent", "-D", "-a", address()});
    std::string errors;
    program.on_stdout = [&](std::string_view) { listening_ = true; };
    program.on_stderr = [&](std::string_view text) { errors += text.substr(0, kMaxOutput - errors.size()); };
    needing_openssh([&] { return base::run_process(program, stop_.token()); });
    return errors;
}

void KeyAgent::add(const fs::path& key, const base::CancelToken& cancel) const {
    base::ProcessOptions program = openssh({"ssh-add", key.string()});
    program.environment->emplace("SSH_AUTH_SOCK", address());
    // Who would be asked for a passphrase says none, and the terminal is left alone.
    program.environment->emplace("SSH_ASKPASS_REQUIRE", "force");
    program.environment->emplace("SSH_ASKPASS", "false");
    program.time_limit = kAddLimit;
    base::ProcessOutput output =
        needing_openssh([&] { return base::run_and_capture(program, cancel, kMaxOutput); });
    if (output.exit_code == 0) return;
    std::string words = said(std::move(output.err));
    throw fail(ErrorCode::Invalid, "ssh-add does not take the key {}: {}", key.string(),
               words.empty() ? "it has a passphrase, and nobody is asked for one here" : words)
        .hint("start an agent with ssh-agent, give it the key with ssh-add, and name its socket instead");
}

}  // namespace mullion::worker
