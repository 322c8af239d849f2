// RUN (dockerfile.md §9, §11).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "frontend/lower.hpp"
#include "frontend/mount.hpp"
#include "frontend/shell_text.hpp"
#include "frontend/unicode.hpp"
#include "tree/name.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string with_windows_line_ends(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 16);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out.push_back('\r');
        out.push_back(text[i]);
    }
    return out;
}

std::string summary_of(std::string_view body) {
    const auto text = trim(body);
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    while (line.ends_with('\r')) line.remove_suffix(1);
    return fmt::format(" ({}{})", line, end == std::string_view::npos ? "" : "...");
}

void refuse_unsupported(const RunInstruction& run) {
    if (run.security == "insecure")
        throw fail(ErrorCode::Unsupported, "RUN --security=insecure is not supported")
            .about("--security=insecure");
    if (run.network == "host")
        throw fail(ErrorCode::Unsupported, "RUN --network=host is not supported").about("--network=host");
    if (!run.devices.empty())
        throw fail(ErrorCode::Unsupported, "RUN --device is not supported").about("--device");
}

}  // namespace

// The body of a lone heredoc. cmd takes one line and PowerShell splits at quotes, so that they get a file;
// any other shell gets the body as its argument.
void StageLowering::script_or_argument(RunText& text, std::string body) const {
    const auto shell = with_shell({});
    const auto program = program_name(shell[0]);
    auto& exec = text.exec;
    text.arguments = with_shell({body});
    exec.arguments = text.arguments;
    if (!state_.platform.is_windows() || (program != "cmd" && !is_powershell(program))) return;
    exec.arguments.assign(shell.begin(), shell.end() - 1);
    if (program == "cmd") {
        exec.arguments.emplace_back("{script}");
        exec.script = "@echo off\r\n" + with_windows_line_ends(body);
        exec.script_extension = ".cmd";
    } else {
        exec.arguments.emplace_back("& '{script}'");
        exec.script = std::string(kByteOrderMark) + with_windows_line_ends(body);
        exec.script_extension = ".ps1";
    }
}

StageLowering::RunText StageLowering::run_text(const RunInstruction& run) {
    RunText text;
    const auto& written = run.command.arguments;
    if (run.heredocs.empty()) {
        text.arguments = run.command.shell_form ? with_shell(written) : written;
        text.exec.arguments = text.arguments;
        return text;
    }
    if (written.size() != 1)
        throw fail(ErrorCode::Invalid, "parsing produced an invalid run command: a heredoc in a flag");
    if (heredoc_word(written[0])) {
        text.summary = summary_of(run.heredocs[0].body);
        auto body = content_of(run.heredocs[0]);
        if (body.starts_with("#!") && !state_.platform.is_windows())
            throw fail(ErrorCode::Unsupported, "RUN of a heredoc that begins with \"#!\" is not supported");
        script_or_argument(text, std::move(body));
        return text;
    }
    auto whole = written[0];
    for (const auto& heredoc : run.heredocs) whole += "\n" + heredoc.body + heredoc.name;
    text.arguments = with_shell({whole});
    text.exec.arguments = text.arguments;
    const auto program = program_name(text.arguments[0]);
    if (state_.platform.is_windows() && (program == "cmd" || is_powershell(program)))
        lowering_.linter.report(rules::HeredocNotAScript, step_->instruction.range,
                                program +
                                    " does not understand heredocs within a command: only a RUN that is "
                                    "one heredoc and nothing else becomes a script");
    return text;
}

void StageLowering::add_mounts(const RunInstruction& run, solver::ExecOperation& exec,
                               std::vector<solver::Edge>& inputs) {
    std::optional<base::Error> unsupported;  // what is wrong with any mount counts more
    for (std::size_t i = 0; i < run.mounts.size(); ++i) {
        const auto mount = parse_mount(run.mounts[i], [&](std::string_view value) { return expand(value); });
        lowering_.outline.mount(node_.index, mount, step_->instruction.range);
        const auto* source = step_->sources[i];
        if (source != nullptr && !states_[source->index].lowered)
            throw fail(ErrorCode::Invalid,
                       "cannot mount from stage {} to {}, stage needs to be defined before current command",
                       quote(mount.from), quote(mount.target))
                .about(mount.from);
        if (mount.type != MountType::Bind) {
            if (!unsupported)
                unsupported = fail(ErrorCode::Unsupported, "RUN --mount=type={} is not supported",
                                   to_string(mount.type))
                                  .about(run.mounts[i]);
            continue;
        }
        const auto target = mount.target.empty() ? state_.working_directory : tree_path(mount.target);
        if (target.empty()) throw fail(ErrorCode::Invalid, "invalid mount target \"/\"").about(run.mounts[i]);
        inputs.push_back(source == nullptr ? local_directory(lowering_, "context", state_.platform)
                                           : states_[source->index].root);
        exec.mounts.push_back(
            {inputs.size(), tree::normalise(state_.os(), mount.source), target, !mount.read_only});
    }
    if (unsupported) throw *unsupported;
}

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
    lowering_.lint.windows().run(run, text.arguments, exec.script.has_value(), state_.image.config.user);
    exec.environment = state_.environment.assignments();
    exec.working_directory = state_.working_directory;
    exec.user = state_.image.config.user;
    exec.network = run.network != "none" &&
                   !(run.network == "default" && lowering_.options.network == NetworkMode::None);
    exec.uniform_parents = lowering_.options.uniform_parents;
    exec.epoch_ticks = state_.file_time.ticks;
    exec.proxy_environment = lowering_.arguments.proxies();
    std::vector<solver::Edge> inputs;
    add_mounts(run, exec, inputs);
    refuse_unsupported(run);
    const auto title = step_title() + text.summary;
    add_layer(std::move(exec), std::move(inputs), step_options(title, true));
    add_history(run_history(text.arguments), true);
}

}  // namespace mullion::frontend
