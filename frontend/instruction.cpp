#include "frontend/instruction.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "frontend/duration.hpp"
#include "frontend/flags.hpp"
#include "frontend/instruction_parts.hpp"
#include "frontend/step_settings.hpp"
#include "frontend/suggest.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

void need_one(const Node& node, std::string_view name) {
    if (node.arguments.size() != 1) throw fail(ErrorCode::Invalid, "{} requires exactly one argument", name);
}

void need_some(const Node& node, std::string_view name) {
    if (node.arguments.empty()) throw fail(ErrorCode::Invalid, "{} requires at least one argument", name);
}

void no_flags(const Node& node) {
    Flags(node.flags, {});
}

bool is_stage_name(std::string_view name) {
    const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
    if (name.empty() || !letter(name[0])) return false;
    return std::all_of(name.begin(), name.end(), [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    });
}

FromInstruction from(const Node& node) {
    const auto& words = node.arguments;
    FromInstruction out;
    if (words.size() == 3 && equal_ignoring_case(words[1], "as")) {
        out.stage_name = lower(words[2]);
        if (!is_stage_name(out.stage_name))
            throw fail(ErrorCode::Invalid,
                       "invalid name for build stage: {}, name can't start with a number or contain symbols",
                       quote(words[2]))
                .about(words[2]);
    } else if (words.size() != 1) {
        throw fail(ErrorCode::Invalid, "FROM requires either one or three arguments");
    }
    out.base = words[0];
    out.platform = Flags(node.flags, {{"platform", FlagKind::Text}}).text("platform");
    return out;
}

ArgInstruction arg(const Node& node) {
    need_some(node, "ARG");
    ArgInstruction out;
    for (const auto& word : node.arguments) {
        const auto equals = word.find('=');
        if (equals == 0) throw fail(ErrorCode::Invalid, "ARG names can not be blank").about(word);
        if (equals == std::string::npos)
            out.declarations.push_back({word, std::nullopt});
        else
            out.declarations.push_back({word.substr(0, equals), word.substr(equals + 1)});
    }
    return out;
}

std::vector<KeyValue> key_values(const Node& node, std::string_view name) {
    no_flags(node);
    need_some(node, name);
    std::vector<KeyValue> out;
    for (std::size_t i = 0; i + 2 < node.arguments.size(); i += 3) {
        if (node.arguments[i].empty()) throw fail(ErrorCode::Invalid, "{} names can not be blank", name);
        out.push_back({node.arguments[i], node.arguments[i + 1]});
    }
    return out;
}

// Of ENV and LABEL.
bool is_legacy(const Node& node) {
    return node.arguments.size() == 3 && node.arguments[2].empty();
}

CommandLine command_line(const Node& node) {
    return {node.arguments, !node.json};
}

CommandLine plain_command(const Node& node) {
    no_flags(node);
    return command_line(node);
}

ShellInstruction shell(const Node& node) {
    no_flags(node);
    need_some(node, "SHELL");
    if (!node.json) {
        auto error = fail(ErrorCode::Invalid, "SHELL requires the arguments to be in JSON form")
                         .about(node.arguments[0]);
        if (node.arguments[0].starts_with('['))
            error.hint("inside a JSON string every backslash must be written twice");
        throw error;
    }
    return {node.arguments};
}

VolumeInstruction volume(const Node& node) {
    need_some(node, "VOLUME");
    no_flags(node);
    VolumeInstruction out;
    for (const auto& word : node.arguments) {
        const auto path = trim(word);
        if (path.empty()) throw fail(ErrorCode::Invalid, "VOLUME specified can not be an empty string");
        out.volumes.emplace_back(path);
    }
    return out;
}

ExposeInstruction expose(const Node& node) {
    need_some(node, "EXPOSE");
    no_flags(node);
    ExposeInstruction out{node.arguments};
    std::sort(out.ports.begin(), out.ports.end());
    return out;
}

std::string one_text(const Node& node, std::string_view name) {
    need_one(node, name);
    no_flags(node);
    return node.arguments[0];
}

StopSignalInstruction stop_signal(const Node& node) {
    need_one(node, "STOPSIGNAL");
    return {node.arguments[0]};
}

std::chrono::nanoseconds interval(const Flags& flags, std::string_view name) {
    const auto text = flags.text(name);
    if (text.empty()) return {};
    const auto value = parse_duration(text);
    if (value.count() != 0 && value < std::chrono::milliseconds(1))
        throw fail(ErrorCode::Invalid, "Interval \"{}\" cannot be less than 1ms", name)
            .about(fmt::format("--{}", name));
    return value;
}

int retries(const Flags& flags) {
    const auto text = flags.text("retries");
    if (text.empty()) return 0;
    int value = 0;
    const auto* end = text.data() + text.size();
    const auto* begin = text.data() + (text[0] == '+' ? 1 : 0);
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error != std::errc() || stop != end || begin == end)
        throw fail(ErrorCode::Invalid, "invalid value for --retries: {}", text).about(text);
    if (value < 0) throw fail(ErrorCode::Invalid, "--retries cannot be negative ({})", value).about(text);
    return value;
}

HealthcheckInstruction healthcheck(const Node& node) {
    need_some(node, "HEALTHCHECK");
    const auto type = upper_ascii(node.arguments[0]);
    std::vector<std::string> command(node.arguments.begin() + 1, node.arguments.end());
    if (type == "NONE") {
        if (!command.empty()) throw fail(ErrorCode::Invalid, "HEALTHCHECK NONE takes no arguments");
        return {{.test = {"NONE"}}};
    }
    const Flags flags(node.flags, {{"interval", FlagKind::Text},
                                   {"timeout", FlagKind::Text},
                                   {"start-period", FlagKind::Text},
                                   {"start-interval", FlagKind::Text},
                                   {"retries", FlagKind::Text}});
    if (type != "CMD")
        throw fail(ErrorCode::Invalid, "Unknown type {} in HEALTHCHECK (try CMD)", quote(type))
            .about(node.arguments[0]);
    if (command.empty()) throw fail(ErrorCode::Invalid, "Missing command after HEALTHCHECK CMD");
    HealthcheckInstruction out;
    out.check.test = std::move(command);
    out.check.test.insert(out.check.test.begin(), node.json ? "CMD" : "CMD-SHELL");
    out.check.interval = interval(flags, "interval");
    out.check.timeout = interval(flags, "timeout");
    out.check.start_period = interval(flags, "start-period");
    out.check.start_interval = interval(flags, "start-interval");
    out.check.retries = retries(flags);
    return out;
}

OnbuildInstruction onbuild(const Node& node) {
    if (!node.trigger) throw fail(ErrorCode::Invalid, "ONBUILD requires at least one argument");
    no_flags(node);
    switch (node.trigger->keyword) {
        case Keyword::Onbuild:
            throw fail(ErrorCode::Invalid, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
                .about(node.trigger->text);
        case Keyword::From:
            throw fail(ErrorCode::Invalid, "FROM isn't allowed as an ONBUILD trigger")
                .about(node.trigger->name);
        case Keyword::Maintainer:
            throw fail(ErrorCode::Invalid, "MAINTAINER isn't allowed as an ONBUILD trigger")
                .about(node.trigger->name);
        default:
            break;
    }
    OnbuildInstruction out{node.trigger->text};
    for (const auto& heredoc : node.heredocs) out.trigger += "\n" + heredoc.body + heredoc.name;
    return out;
}

[[noreturn]] void unknown(const Node& node) {
    throw fail(ErrorCode::Invalid, "unknown instruction: {}{}", node.name,
               did_you_mean(node.name, {"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM",
                                        "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL",
                                        "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}))
        .about(node.name);
}

Instruction::Body body_of(const Node& node) {
    switch (node.keyword) {
        case Keyword::Add:
            return copy_or_add(node, true);
        case Keyword::Arg:
            return arg(node);
        case Keyword::Cmd:
            return CmdInstruction{plain_command(node)};
        case Keyword::Copy:
            return copy_or_add(node, false);
        case Keyword::Entrypoint:
            return EntrypointInstruction{plain_command(node)};
        case Keyword::Env:
            return EnvInstruction{key_values(node, "ENV"), is_legacy(node)};
        case Keyword::Expose:
            return expose(node);
        case Keyword::From:
            return from(node);
        case Keyword::Healthcheck:
            return healthcheck(node);
        case Keyword::Label:
            return LabelInstruction{key_values(node, "LABEL"), is_legacy(node)};
        case Keyword::Maintainer:
            return MaintainerInstruction{one_text(node, "MAINTAINER")};
        case Keyword::Onbuild:
            return onbuild(node);
        case Keyword::Run:
            return run(node);
        case Keyword::Shell:
            return shell(node);
        case Keyword::StopSignal:
            return stop_signal(node);
        case Keyword::User:
            return UserInstruction{one_text(node, "USER")};
        case Keyword::Volume:
            return volume(node);
        case Keyword::Workdir:
            return WorkdirInstruction{one_text(node, "WORKDIR")};
        case Keyword::Unknown:
            break;
    }
    unknown(node);
}

// They would be ignored: a trigger is stored without its comments, and nothing else has settings.
void refuse_step_settings(const Node& node) {
    if (node.keyword == Keyword::Run) return;
    if (std::none_of(node.comments.begin(), node.comments.end(), is_step_setting)) return;
    throw fail(ErrorCode::Invalid, "# mullion: the comment above stands over {}; it sets how a RUN is run{}",
               upper_ascii(node.name),
               node.keyword == Keyword::Onbuild ? ", and triggers are stored without it" : "");
}

}  // namespace

Instruction parse_instruction(const Node& node) {
    try {
        refuse_step_settings(node);
        return {body_of(node), node.text, node.range, node.name, node.comments};
    } catch (base::Error& error) {
        error.at(node.range);
        throw;
    }
}

}  // namespace mullion::frontend
