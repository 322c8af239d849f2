// The instructions that only change the configuration (dockerfile.md §8, §13).
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.hpp"
#include "frontend/duration.hpp"
#include "frontend/expand.hpp"
#include "frontend/lower.hpp"
#include "frontend/ports.hpp"
#include "frontend/signal_names.hpp"
#include "frontend/unicode.hpp"
#include "tree/name.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxPorts = 3 * 65536;  // every port of every protocol

// Both sets are sorted lists without repetition.
void merge(std::vector<std::string>& set, std::vector<std::string> values) {
    set.insert(set.end(), std::make_move_iterator(values.begin()), std::make_move_iterator(values.end()));
    std::sort(set.begin(), set.end());
    set.erase(std::unique(set.begin(), set.end()), set.end());
}

std::string plain_list(const std::vector<std::string>& words) {
    return fmt::format("[{}]", fmt::join(words, " "));
}

// In the list of the image configuration: an equal name is replaced where it stands.
void set_variable(std::vector<std::string>& list, tree::Os os, const std::string& name,
                  const std::string& value) {
    const auto same = std::find_if(list.begin(), list.end(), [&](const std::string& entry) {
        return tree::names_equal(os, std::string_view(entry).substr(0, entry.find('=')), name);
    });
    auto assignment = name + "=" + value;
    if (same == list.end())
        list.push_back(std::move(assignment));
    else
        *same = std::move(assignment);
}

}  // namespace

void StageLowering::lower(const ArgInstruction& arg) {
    std::string history = "ARG";
    for (auto declared : arg.declarations) {
        const bool inherited = !declared.value && lowering_.arguments.use(declared.name) == nullptr &&
                               lowering_.globals.find(declared.name) != nullptr;
        if (const auto* given = lowering_.arguments.use(declared.name)) {
            declared.value = *given;
        } else if (declared.value) {
            declared.value = expand(*declared.value);
        } else if (const auto* global = lowering_.globals.find(declared.name)) {
            declared.value = *global;
        }
        lowering_.lint.arg(declared.name);
        lowering_.outline.arg(node_.index, declared, inherited, step_->instruction);
        if (declared.value) {
            count_text(declared.value->size());
            state_.environment.set(declared.name, *declared.value);
        }
        history += " " + declared.name + (declared.value ? "=" + *declared.value : "");
        state_.declared_args.push_back(std::move(declared));
    }
    add_history(std::move(history), false);
}

void StageLowering::lower(const EnvInstruction& env) {
    const auto [variables, path_known] = expanded_variables(env);
    lowering_.lint.env(env, variables, state_.environment, {lowering_.escape, path_known});
    std::string history = "ENV";
    for (const auto& [name, value] : variables) {
        state_.environment.set(name, value);
        set_variable(state_.image.config.env, state_.os(), name, value);
        history += " " + name + "=" + value;
    }
    add_history(std::move(history), false);
}

void StageLowering::lower(const LabelInstruction& label) {
    lowering_.lint.label(label);
    std::string history = "LABEL";
    for (const auto& [written_name, written_value] : label.labels) {
        const auto name = expand(written_name);
        const auto value = expand(written_value);
        state_.image.config.labels[name] = value;
        history += " " + name + "=" + value;
    }
    add_history(std::move(history), false);
}

void StageLowering::lower(const CmdInstruction& cmd) {
    lowering_.lint.only_last_counts("CMD");
    lowering_.lint.command(cmd.command, has_shell());
    const auto words = cmd.command.shell_form ? with_shell(cmd.command.arguments) : cmd.command.arguments;
    auto& config = state_.image.config;
    config.cmd.reset();
    if (!words.empty()) config.cmd = words;
    config.args_escaped = true;
    state_.has_own_cmd = true;
    add_history("CMD " + quote_list(words), false);
}

void StageLowering::lower(const EntrypointInstruction& entrypoint) {
    lowering_.lint.only_last_counts("ENTRYPOINT");
    lowering_.lint.command(entrypoint.command, has_shell());
    const auto words = entrypoint.command.shell_form ? with_shell(entrypoint.command.arguments)
                                                     : entrypoint.command.arguments;
    auto& config = state_.image.config;
    config.entrypoint.reset();
    if (!words.empty()) config.entrypoint = words;
    if (!state_.has_own_cmd) config.cmd.reset();
    add_history("ENTRYPOINT " + quote_list(words), false);
}

void StageLowering::lower(const ShellInstruction& shell) {
    state_.image.config.shell = shell.shell;
    add_history("SHELL " + plain_list(shell.shell), false);
}

void StageLowering::lower(const UserInstruction& user) {
    state_.image.config.user = expand(user.user);
    add_history("USER " + state_.image.config.user, false);
}

void StageLowering::lower(const ExposeInstruction& expose) {
    std::vector<std::string> ports;
    for (const auto& word : expose.ports)
        for (const auto& text : process_words(word, state_.environment, {.escape = lowering_.escape})) {
            for (auto& port : parse_port(text)) ports.push_back(std::move(port));
            if (ports.size() > kMaxPorts)
                throw fail(ErrorCode::Exhausted, "EXPOSE of more than {} ports", kMaxPorts).about(text);
            lowering_.lint.expose(text);
        }
    add_history("EXPOSE " + plain_list(ports), false);
    merge(state_.image.config.exposed_ports, std::move(ports));
}

void StageLowering::lower(const VolumeInstruction& volume) {
    std::vector<std::string> volumes;
    for (const auto& word : volume.volumes) {
        volumes.push_back(expand(word));
        if (volumes.back().empty())
            throw fail(ErrorCode::Invalid, "VOLUME specified can not be an empty string");
    }
    add_history("VOLUME " + plain_list(volumes), false);
    merge(state_.image.config.volumes, std::move(volumes));
}

void StageLowering::lower(const StopSignalInstruction& signal) {
    const auto text = expand(signal.signal);
    if (!is_signal(text)) throw fail(ErrorCode::Invalid, "invalid signal: {}", text).about(text);
    state_.image.config.stop_signal = text;
    add_history("STOPSIGNAL " + text, false);
}

void StageLowering::lower(const HealthcheckInstruction& healthcheck) {
    lowering_.lint.only_last_counts("HEALTHCHECK");
    const auto& check = healthcheck.check;
    state_.image.config.healthcheck = check;
    add_history(
        fmt::format(
            "HEALTHCHECK {{Test:{} Interval:{} Timeout:{} StartPeriod:{} StartInterval:{} Retries:{}}}",
            plain_list(check.test), format_duration(check.interval), format_duration(check.timeout),
            format_duration(check.start_period), format_duration(check.start_interval), check.retries),
        false);
}

void StageLowering::lower(const MaintainerInstruction& maintainer) {
    state_.image.author = maintainer.name;
    add_history("MAINTAINER " + maintainer.name, false);
}

void StageLowering::lower(const OnbuildInstruction& onbuild) {
    state_.image.config.on_build.push_back(onbuild.trigger);
}

}  // namespace mullion::frontend
