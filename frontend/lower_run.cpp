// RUN (dockerfile.md §9, §11).
#include <fmt/format.h>

#include <map>

#include "base/error.hpp"
#include "frontend/lower.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

// The reference knows the flag, and only its experimental build takes it.
void refuse_devices(const RunInstruction& run) {
    if (run.devices.empty()) return;
    throw fail(ErrorCode::Unsupported,
               "RUN --device is not supported: a container has no devices of its host")
        .about("--device")
        .hint("leave it out: what needs a device can only run when the image does");
}

// What the worker refuses; a mere check has none.
void refuse_for_worker(const RunInstruction& run, const Options& options) {
    if (!options.lint_only) return;
    if (run.security == "insecure")
        throw fail(
            ErrorCode::Unsupported,
            "RUN --security=insecure is not supported: every container is confined, and its user is an "
            "administrator inside it already");
    if (run.settings.isolation == "hyperv" && !options.windows_host)
        throw fail(ErrorCode::Unsupported,
                   "isolation=hyperv is not supported: containers are process isolated, only a Windows host "
                   "has Hyper-V isolation");
}

// Scripts for cmd and PowerShell have CRLF in any case; other files are heredocs as they are written.
bool is_script(const solver::ExecOperation& exec) {
    return exec.files.size() == 1 && (exec.files[0].extension == ".cmd" || exec.files[0].extension == ".ps1");
}

solver::NetworkMode network_of(const RunInstruction& run, NetworkMode of_build) {
    if (run.network == "none") return solver::NetworkMode::None;
    if (run.network == "host") return solver::NetworkMode::Host;
    switch (of_build) {
        case NetworkMode::Default:
            break;
        case NetworkMode::None:
            return solver::NetworkMode::None;
        case NetworkMode::Host:
            return solver::NetworkMode::Host;
    }
    return solver::NetworkMode::Default;
}

}  // namespace

// "RUN |N K=V... argv # buildkit" with the declared arguments as RUN sees them.
std::string StageLowering::run_history(const std::vector<std::string>& arguments) const {
    std::vector<std::string> declared;
    std::map<std::string, std::size_t> places;
    for (const auto& arg : state_.declared_args) {
        const auto* value = state_.environment.find(arg.name);
        auto text = arg.name + "=" + (value != nullptr ? *value : arg.value.value_or(""));
        const auto [place, added] = places.try_emplace(arg.name, declared.size());
        if (added)
            declared.push_back(std::move(text));
        else
            declared[place->second] = std::move(text);
    }
    std::string out = "RUN ";
    if (!declared.empty()) out += fmt::format("|{} {} ", declared.size(), fmt::join(declared, " "));
    return fmt::format("{}{} # buildkit", out, fmt::join(arguments, " "));
}

void StageLowering::lower(const RunInstruction& run) {
    auto text = run_text(run);
    auto& exec = text.exec;
    lowering_.lint.windows().run(run, text.arguments, is_script(exec), state_.image.config.user);
    exec.environment = state_.environment.assignments();
    exec.working_directory = state_.working_directory;
    exec.user = state_.image.config.user;
    exec.network = network_of(run, lowering_.options.network);
    exec.insecure = run.security == "insecure";
    for (const auto& [name, address] : lowering_.options.add_hosts)
        exec.extra_hosts.push_back({name, address});
    exec.uniform_parents = lowering_.options.uniform_parents;
    exec.epoch_ticks = state_.file_time.ticks;
    exec.proxy_environment = lowering_.arguments.proxies();
    exec.settings = run.settings;
    std::vector<solver::Edge> inputs;
    add_mounts(run, exec, inputs);
    refuse_devices(run);
    refuse_for_worker(run, lowering_.options);
    const auto title = step_title(without_secrets(exec)) + text.summary;
    add_layer(std::move(exec), std::move(inputs), step_options(title, true));
    add_history(run_history(text.arguments), true);
}

// The variables as a title may show them.
Environment StageLowering::without_secrets(const solver::ExecOperation& exec) const {
    auto shown = state_.environment;
    for (const auto& mount : exec.mounts) {
        const auto* secret = std::get_if<solver::SecretMount>(&mount);
        if (secret != nullptr && secret->variable) shown.set(*secret->variable, "****");
    }
    return shown;
}

}  // namespace mullion::frontend
