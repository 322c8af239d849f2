#include "cli/ssh_option.hpp"

#include <algorithm>
#include <filesystem>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/path_text.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

std::string agent_of_environment(const std::string& option) {
    if (auto socket = base::environment_unless_empty("SSH_AUTH_SOCK")) return *socket;
    throw fail(ErrorCode::NotFound, "--ssh {}: SSH_AUTH_SOCK is not set, so there is no agent", option)
        .hint("start an agent with ssh-agent and give it the key with ssh-add, or name a key's file");
}

void add_path(worker::SshAgentSource& source, const std::string& path, const std::string& option) {
    std::error_code code;
    fs::file_status status = fs::status(base::to_path(path), code);
    if (!fs::exists(status))
        throw fail(ErrorCode::NotFound, "--ssh {}: there is no socket or key file \"{}\"", option, path);
    bool socket = fs::is_socket(status);
    if (!socket && !fs::is_regular_file(status)) {
        throw fail(ErrorCode::Invalid, "--ssh {}: {} is neither an agent's socket nor a file with a key",
                   option, path);
    }
    if (!source.address.empty() || (socket && !source.keys.empty()))
        throw fail(ErrorCode::Invalid, "--ssh {}: expected one socket, or only files with keys", option);
    if (socket)
        source.address = fs::absolute(base::to_path(path)).string();
    else
        source.keys.push_back(fs::absolute(base::to_path(path)));
}

}  // namespace

std::pair<std::string, worker::SshAgentSource> read_ssh_option(const std::string& option) {
    std::size_t equals = option.find('=');
    std::string id = option.substr(0, equals);
    if (id.empty())
        throw fail(ErrorCode::Invalid, "--ssh {}: expected default or ID[=SOCKET|=KEYFILE,...]", option);
    std::string paths = equals == std::string::npos ? "" : option.substr(equals + 1);
    if (paths.empty()) paths = agent_of_environment(option);
    worker::SshAgentSource source;
    for (std::size_t at = 0; at <= paths.size();) {
        std::size_t end = std::min(paths.find(',', at), paths.size());
        add_path(source, paths.substr(at, end - at), option);
        at = end + 1;
    }
    return {id, source};
}

}  // namespace mullion::cli
