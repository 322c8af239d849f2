#include "worker/git_program.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <map>
#include <optional>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/file.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxOutput = 16 << 20;
constexpr std::size_t kShownOutput = 4096;

constexpr std::array kPassedOn = {"PATH", "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                  "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "TMPDIR", "SSL_CERT_DIR",
                                  // Without these no program runs on Windows.
                                  "SystemRoot", "TEMP", "ComSpec"};

// No host key is learned, no key of the user's is tried: only an agent that was offered.
constexpr std::string_view kSsh =
    "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o IdentityFile=/dev/null"
    " -o IdentityAgent=";

// Repositories must look the same wherever they are checked out. Threads would make packs differ.
constexpr std::string_view kConfiguration =
    "[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n\tautocrlf = false\n\tsymlinks = true\n"
    "\tattributesFile = /dev/null\n\texcludesFile = /dev/null\n\taskPass = true\n"
    "[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
    "[fetch]\n\trecurseSubmodules = false\n[advice]\n\tdetachedHead = false\n"
    "[pack]\n\tthreads = 1\n[credential]\n\thelper = \n"
    "[http]\n\tlowSpeedLimit = 1\n\tlowSpeedTime = 60\n";

std::string tail(const std::string& text) {
    std::size_t from = text.size() > kShownOutput ? text.size() - kShownOutput : 0;
    std::string out = text.substr(from);
    while (out.ends_with('\n')) out.pop_back();
    return out;
}

// What opens a repository that is not public.
std::optional<std::string> hint_for(std::string_view said) {
    auto contains = [&](std::string_view text) { return said.find(text) != std::string_view::npos; };
    if (contains("Authentication failed") || contains("could not read Username"))
        return "if it is private, build with --secret id=GIT_AUTH_TOKEN,src=FILE";
    if (contains("Permission denied (publickey") || contains("Host key verification failed"))
        return "keys come from the agent that --ssh default offers; the host's key must be known to ssh "
               "already";
    return {};
}

}  // namespace

Git::Git(GitOptions options, std::filesystem::path home)
    : options_(std::move(options)), mask_(options_.secrets), home_(std::move(home)) {
    base::make_directories(home_ / "template");
    base::write_file_atomic(home_ / ".gitconfig", kConfiguration);
}

base::ProcessOutput Git::execute(std::vector<std::string> arguments, const std::filesystem::path& directory,
                                 const base::CancelToken& cancel) const {
    std::map<std::string, std::string> environment;
    for (const char* name : kPassedOn) {
        if (auto value = base::environment(name)) environment[name] = *value;
    }
    environment["HOME"] = environment["XDG_CONFIG_HOME"] = home_.string();
    environment["LC_ALL"] = "C.UTF-8";
    environment["GIT_CONFIG_NOSYSTEM"] = environment["GIT_ATTR_NOSYSTEM"] = "1";
    environment["GIT_TERMINAL_PROMPT"] = "0";
    environment["GIT_TEMPLATE_DIR"] = (home_ / "template").string();
    environment["GIT_ALLOW_PROTOCOL"] = fmt::format("{}", fmt::join(options_.protocols, ":"));
    environment["GIT_SSH_COMMAND"] =
        std::string(kSsh) + (options_.ssh_agent.empty() ? "none" : "SSH_AUTH_SOCK");
    if (!options_.ssh_agent.empty()) environment["SSH_AUTH_SOCK"] = options_.ssh_agent.string();
    if (!options_.ca_file.empty()) environment["GIT_SSL_CAINFO"] = options_.ca_file.string();
    const auto& secret = options_.secret_configuration;
    if (!secret.empty()) environment["GIT_CONFIG_COUNT"] = std::to_string(secret.size());
    for (std::size_t i = 0; i < secret.size(); ++i) {
        environment[fmt::format("GIT_CONFIG_KEY_{}", i)] = secret[i].first;
        environment[fmt::format("GIT_CONFIG_VALUE_{}", i)] = secret[i].second;
    }
    base::ProcessOptions process;
    process.argv = std::move(arguments);
    process.argv.insert(process.argv.begin(), "git");
    process.directory = directory;
    process.environment = std::move(environment);
    process.time_limit = options_.time_limit;
    try {
        return base::run_and_capture(std::move(process), cancel, kMaxOutput);
    } catch (base::Error& error) {
        if (error.code() == ErrorCode::NotFound) error.hint("install git, or put it on PATH");
        throw;
    }
}

std::string Git::run(std::vector<std::string> arguments, const std::filesystem::path& directory,
                     const base::CancelToken& cancel) const {
    std::string command = arguments.front();
    base::ProcessOutput output = execute(std::move(arguments), directory, cancel);
    if (output.exit_code == 0) return std::move(output.out);
    base::Error error = fail(ErrorCode::Process, "git {} failed: {}", command, mask_.text(tail(output.err)));
    error.process(static_cast<std::uint32_t>(output.exit_code), "");
    if (auto hint = hint_for(output.err)) error.hint(*hint);
    throw error;
}

bool Git::try_run(std::vector<std::string> arguments, const std::filesystem::path& directory,
                  const base::CancelToken& cancel, std::string& problem) const {
    base::ProcessOutput output = execute(std::move(arguments), directory, cancel);
    if (output.exit_code != 0) problem = mask_.text(tail(output.err));
    return output.exit_code == 0;
}

}  // namespace mullion::worker
