#include "hcs/guest/cmd/syntax.hpp"

namespace mullion::cmd {
namespace {

Text redirections_text(const Command& command) {
    Text result;
    for (const Redirection& each : command.redirections) {
        result += decimal(each.handle);
        result += each.kind == Redirection::Kind::Read     ? L"<"
                  : each.kind == Redirection::Kind::Append ? L">>"
                  : each.kind == Redirection::Kind::Copy   ? L">&"
                                                           : L">";
        result += each.target + L" ";
    }
    return result;
}

Text items_text(const Command& command) {
    Text result;
    for (const CommandPtr& item : command.items) result += (result.empty() ? L"" : L" & ") + to_text(*item);
    return result;
}

Text condition_text(const Condition& condition) {
    static constexpr View kNames[] = {L"exist ", L"defined ", L"errorlevel ", L"cmdextversion "};
    Text result = L"if ";
    if (condition.any_case) result += L"/i ";
    if (condition.negated) result += L"not ";
    switch (condition.kind) {
        case Condition::Kind::Equal:
            return result + condition.left + L"==" + condition.right + L" ";
        case Condition::Kind::Compare:
            return result + condition.left + L" " + condition.operation + L" " + condition.right + L" ";
        default:
            return result.append(kNames[static_cast<int>(condition.kind)]) + condition.left + L" ";
    }
}

Text loop_text(const Loop& loop) {
    Text result = L"for ";
    if (loop.directories) result += L"/d ";
    if (loop.kind == Loop::Kind::Tree) result += L"/r ";
    if (loop.kind == Loop::Kind::Numbers) result += L"/l ";
    if (loop.kind == Loop::Kind::Fields) result += L"/f ";
    if (!loop.options.empty()) result += loop.options + L" ";
    return result + L"%" + loop.variable + L" in (" + loop.set + L") do ";
}

}  // namespace

Text to_text(const Command& command) {
    Text begin = (command.silent ? L"@" : L"") + redirections_text(command);
    switch (command.kind) {
        case Command::Kind::Simple:
            return begin + command.name + command.arguments;
        case Command::Kind::Block:
            return begin + L"( " + items_text(command) + L" )";
        case Command::Kind::List:
            return begin + items_text(command);
        case Command::Kind::And:
            return begin + to_text(*command.first) + L" && " + to_text(*command.second);
        case Command::Kind::Or:
            return begin + to_text(*command.first) + L" || " + to_text(*command.second);
        case Command::Kind::Pipe:
            return begin + to_text(*command.first) + L" | " + to_text(*command.second);
        case Command::Kind::If:
            begin += condition_text(command.condition) + to_text(*command.first);
            return command.second ? begin + L" else " + to_text(*command.second) : begin;
        case Command::Kind::For:
            return begin + loop_text(command.loop) + to_text(*command.first);
    }
    return begin;
}

}  // namespace mullion::cmd
