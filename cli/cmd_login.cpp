#include <fmt/format.h>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/prompt.hpp"
#include "cli/registry_host.hpp"

namespace mullion::cli {
namespace {

constexpr std::size_t kMaxPassword = 64 * 1024;

struct Options {
    std::string host;
    std::string username;
    bool password_stdin = false;
};

// Never an argument: others can see those.
std::string read_password() {
    base::FileSource input(base::duplicate(base::kStandardInput), 0, UINT64_MAX);
    std::string password = input.read_all(kMaxPassword, "the password");
    while (password.ends_with('\n') || password.ends_with('\r')) password.pop_back();
    if (password.empty()) throw base::fail(base::ErrorCode::Invalid, "standard input has no password");
    return password;
}

int login(Context& context, const Options& options) {
    std::string host = registry_host(options.host);
    std::string username = options.username;
    if (username.empty()) username = ask("Username: ", Echo::On, context.cancel);
    std::string password =
        options.password_stdin ? read_password() : ask("Password: ", Echo::Off, context.cancel);
    oci::Credential credential{username, password, "", ""};
    oci::FixedKeychain keychain(credential);
    oci::RegistryClient client(context.registry_options(), keychain);
    client.ping(host, context.cancel);
    std::string where = context.credentials().store(host, credential, context.cancel);
    fmt::print("Logged in to {} as {}; kept by {}\n", host, username, where);
    return kSuccess;
}

int logout(Context& context, const std::string& name) {
    std::string host = registry_host(name);
    bool erased = context.credentials().erase(host, context.cancel);
    fmt::print("{} {}\n", erased ? "Logged out of" : "Not logged in to", host);
    return kSuccess;
}

}  // namespace

void add_login(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("login", "Prove who you are to a registry, and keep that");
    command->add_option("HOST", options->host, "Registry (default: docker.io)");
    command->add_option("-u,--username", options->username, "User name (default: asked for)");
    command->add_flag("--password-stdin", options->password_stdin, "Read the password from standard input");
    command->callback([&context, options] {
        if (!options->password_stdin && !can_ask()) {
            throw base::fail(base::ErrorCode::Invalid,
                             "login: give the password on standard input, with --password-stdin");
        }
        if (options->password_stdin && options->username.empty()) {
            throw base::fail(base::ErrorCode::Invalid, "login: --password-stdin needs --username");
        }
        context.action = [&context, options] { return login(context, *options); };
    });
}

void add_logout(CLI::App& app, Context& context) {
    auto host = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("logout", "Forget what is kept for a registry");
    command->add_option("HOST", *host, "Registry (default: docker.io)");
    command->callback(
        [&context, host] { context.action = [&context, host] { return logout(context, *host); }; });
}

}  // namespace mullion::cli
