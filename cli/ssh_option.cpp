#include "cli/ssh_option.hpp"

#include <cstdlib>
#include <filesystem>

#include "base/error.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

constexpr const char* kStartAnAgent = "start an agent with ssh-agent and give it the key with ssh-add";

std::string agent_of_environment(const std::string& option) {
    const char* socket = std::getenv("SSH_AUTH_SOCK");
    if (socket != nullptr && *socket != '\0') return socket;
    throw fail(ErrorCode::NotFound, "--ssh {}: SSH_AUTH_SOCK is not set, so there is no agent", option)
        .hint(kStartAnAgent);
}

}  // namespace

std::pair<std::string, std::string> read_ssh_agent(const std::string& option) {
    std::size_t equals = option.find('=');
    std::string id = option.substr(0, equals);
    if (id.empty()) throw fail(ErrorCode::Invalid, "--ssh {}: expected default or ID[=SOCKET]", option);
    std::string path = equals == std::string::npos ? agent_of_environment(option) : option.substr(equals + 1);
    std::error_code code;
    fs::file_status status = fs::status(path, code);
    if (fs::is_socket(status)) return {id, fs::absolute(path).string()};
    if (!fs::exists(status)) throw fail(ErrorCode::NotFound, "--ssh {}: there is no socket {}", option, path);
    throw fail(ErrorCode::Unsupported,
               "--ssh {}: {} is no socket of an ssh agent; key files are not supported", option, path)
        .hint(kStartAnAgent);
}

}  // namespace mullion::cli
