#include <algorithm>
#include <utility>

#include "hcs/guest/cmd/builtins.hpp"
#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"
#include "hcs/guest/cmd/shell.hpp"

namespace mullion::cmd {
namespace {

// Of the eight megabytes that the linker is told to reserve.
constexpr std::size_t kMostStack = 6u << 20;
constexpr int kAbandoned = 255;

}  // namespace

void Shell::check_stack() const {
    static const char* top = static_cast<const char*>(__builtin_frame_address(0));
    const char* here = static_cast<const char*>(__builtin_frame_address(0));
    if (static_cast<std::size_t>(top - here) < kMostStack) return;
    throw Failure{L"******  B A T C H   R E C U R S I O N  exceeds STACK limits ******"};
}

int Shell::run(const Command& command) {
    check_stack();
    // A simple command opens its files after its name and arguments are known.
    Redirected redirected(*this, command.redirections);
    if (redirected.failed()) return 1;
    switch (command.kind) {
        case Command::Kind::Simple:
            return run_simple(command);
        case Command::Kind::Block:
        case Command::Kind::List:
            return run_items(command);
        case Command::Kind::And: {
            int code = run(*command.first);
            return code == 0 ? run(*command.second) : code;
        }
        case Command::Kind::Or:
            return run_or(command);
        case Command::Kind::Pipe:
            return run_pipe(command);
        case Command::Kind::If:
            return run_if(command);
        case Command::Kind::For:
            return run_for(command);
    }
    return 1;
}

int Shell::run_items(const Command& command) {
    int code = 0;
    for (const CommandPtr& item : command.items) code = run(*item);
    return code;
}

// The only place where the code of a command that keeps ERRORLEVEL gets there.
int Shell::run_or(const Command& command) {
    int code = run(*command.first);
    if (code == 0) return 0;
    error_level = code;
    return run(*command.second);
}

namespace {

// What a variable or a loop put into the name of a program may be its arguments too ("!command!").
void split_name(Text& name, Text& arguments) {
    if (name.starts_with(L"\"")) return;
    std::size_t end = std::min(name.find_first_of(L" \t,;="), name.size());
    arguments.insert(0, name, end);
    name.resize(end);
}

}  // namespace

int Shell::run_simple(const Command& command) {
    Text name = expanded(command.name), arguments = expanded(command.arguments);
    return run_named(name, arguments, false);
}

int Shell::run_named(const Text& name, const Text& arguments, bool called) {
    if (name.size() == 2 && name[1] == L':') {
        Text directory = environment_value((L"=" + name).c_str());
        if (!change_directory(directory.empty() ? name + L"\\" : directory))
            return error_level = complain_of(ERROR_INVALID_DRIVE);
        if (called) error_level = 0;
        return 0;
    }
    View rest;
    if (const Builtin* builtin = find_builtin(name, rest))
        return run_builtin(*builtin, Text(rest) + arguments, called);
    Text program = name, given = arguments;
    split_name(program, given);
    return run_program(program, given, called);
}

int Shell::run_builtin(const Builtin& builtin, View arguments, bool called) {
    if (View first = trimmed(arguments); first == L"/?" || first.starts_with(L"/? ")) {
        return error_level = complain(Text(builtin.name) + L": there is no help here.");
    }
    write_error_ = 0;
    int code = builtin.run(*this, arguments);
    if (code == 0 && write_error_ != 0) code = complain_of(write_error_);
    if (code == 0) {
        bool is_cmd = !frames_.empty() && frames_.back()->script->is_cmd;
        bool clears =
            builtin.on_success == OnSuccess::Clear || (builtin.on_success == OnSuccess::ClearInCmd && is_cmd);
        if (clears || (called && builtin.name != L"call" && builtin.name != L"exit")) error_level = 0;
    } else if (builtin.on_failure == OnFailure::Set) {
        error_level = code;
    } else if (builtin.on_failure == OnFailure::Clear) {
        error_level = 0;
    }
    return code;
}

int Shell::run_if(const Command& command) {
    if (holds(command.condition)) return run(*command.first);
    return command.second ? run(*command.second) : 0;
}

bool Shell::exists_for_if(View path) const {
    Text name = unquoted(path);
    if (has_wildcard(name)) return !entries(name).empty();
    // "directory\nul" is the old way to ask for a directory.
    if (name.size() > 4 && same(View(name).substr(name.size() - 4), L"\\nul")) {
        return is_directory(name.substr(0, name.size() - 3));
    }
    return is_null_device(name) || exists(name);
}

namespace {

int compare(View left, View right, bool any_case) {
    std::optional<std::int32_t> a = number(left), b = number(right);
    if (a && b) return *a < *b ? -1 : *a > *b;
    return any_case ? lstrcmpiW(Text(left).c_str(), Text(right).c_str())
                    : lstrcmpW(Text(left).c_str(), Text(right).c_str());
}

bool compares(View operation, int order) {
    if (same(operation, L"equ")) return order == 0;
    if (same(operation, L"neq")) return order != 0;
    if (same(operation, L"lss")) return order < 0;
    if (same(operation, L"leq")) return order <= 0;
    if (same(operation, L"gtr")) return order > 0;
    return order >= 0;
}

std::int32_t required_number(View text) {
    std::optional<std::int32_t> value = number(text);
    if (!value) fail_unexpected(text);
    return *value;
}

}  // namespace

bool Shell::holds(const Condition& condition) {
    Text left = expanded(condition.left);
    bool result = false;
    switch (condition.kind) {
        case Condition::Kind::Exist:
            result = exists_for_if(left);
            break;
        case Condition::Kind::Defined:
            result = variable(left).has_value();
            break;
        case Condition::Kind::ErrorLevel:
            result = error_level >= required_number(left);
            break;
        case Condition::Kind::ExtensionVersion:
            result = extensions && required_number(left) <= 2;
            break;
        case Condition::Kind::Equal: {
            Text right = expanded(condition.right);
            result = condition.any_case ? lstrcmpiW(left.c_str(), right.c_str()) == 0 : left == right;
            break;
        }
        case Condition::Kind::Compare:
            result =
                compares(condition.operation, compare(left, expanded(condition.right), condition.any_case));
            break;
    }
    return result != condition.negated;
}

// Every part is a process of its own, as on Windows: what it sets is gone with it.
int Shell::run_pipe(const Command& command) {
    std::vector<Handle> processes;
    Handle input;
    const Command* rest = &command;
    while (true) {
        bool last = rest->kind != Command::Kind::Pipe || !rest->redirections.empty();
        const Command& stage = last ? *rest : *rest->first;
        auto [read, write] = last ? std::pair<Handle, Handle>() : make_pipe();
        processes.emplace_back(
            start_stage(stage, input.get() ? input.get() : handle(0), last ? handle(1) : write.get()));
        input = std::move(read);
        if (last) break;
        rest = rest->second.get();
    }
    input.close();
    for (const Handle& process : processes) error_level = wait_for(process.get());
    return error_level;
}

HANDLE Shell::start_stage(const Command& command, HANDLE in, HANDLE out) {
    struct Restore {
        std::array<HANDLE, 10>& handles;
        std::array<HANDLE, 10> saved;
        ~Restore() { handles = saved; }
    } restore{handles_, handles_};
    handles_[0] = in;
    handles_[1] = out;
    Text text = expand_loop_variables(to_text(command), *this);
    HANDLE process = nullptr;
    View rest;
    Text name = command.kind == Command::Kind::Simple ? expanded(command.name) : Text();
    if (!name.empty() && !find_builtin(name, rest)) {
        Text arguments = expanded(command.arguments);
        split_name(name, arguments);
        std::optional<Program> program = find_program(name);
        if (!program) {
            complain_of_unknown(name);
            throw Abort{kAbandoned};
        }
        if (!program->is_script) {
            Redirected redirected(*this, command.redirections);
            if (redirected.failed()) throw Abort{kAbandoned};
            process = start_program(program->path, name + arguments, arguments, 0);
            if (!process) {
                complain_of(GetLastError());
                throw Abort{kAbandoned};
            }
        }
    }
    if (!process) {
        if (command.kind == Command::Kind::Simple && delayed_expansion) text = expand_delayed(text, *this);
        Text line = own_path() + (echo ? L" /S /D /C\"" : L" /Q /S /D /C\"") + text + L"\"";
        process = start(own_path(), std::move(line), 0);
        if (!process) {
            complain_of(GetLastError());
            throw Abort{kAbandoned};
        }
    }
    return process;
}

void Shell::complain_of_unknown(View name) {
    complain(L"'" + unquoted(name) +
             L"' is not recognized as an internal or external command,\r\noperable program or batch file.");
}

}  // namespace mullion::cmd
