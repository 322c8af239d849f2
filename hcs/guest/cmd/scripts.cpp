// Scripts: .bat and .cmd files, run by the interpreter itself.
#include <algorithm>

#include "hcs/guest/cmd/builtins.hpp"
#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"
#include "hcs/guest/cmd/shell.hpp"

namespace mullion::cmd {
namespace {

constexpr std::size_t kMostCalls = 500;

std::vector<Text> environment() {
    std::vector<Text> variables;
    wchar_t* block = GetEnvironmentStringsW();
    for (const wchar_t* each = block; *each; each += variables.back().size() + 1)
        variables.emplace_back(each);
    FreeEnvironmentStringsW(block);
    return variables;
}

// "=C:=C:\dir" begins with an equals sign.
Text name_of_variable(const Text& variable) {
    return variable.substr(0, variable.find(L'=', 1));
}

// The name of a label, as GOTO and as the script has it.
View label_name(View text) {
    text = without_leading_delimiters(text);
    if (!text.empty() && text[0] == L':') text.remove_prefix(1);
    text = without_leading_delimiters(text);
    return text.substr(0, text.find_first_of(L" \t,;=+:&|<>()^"));
}

}  // namespace

std::optional<Text> Shell::next_raw_line() {
    Frame& frame = *frames_.back();
    const std::string& bytes = frame.script->bytes;
    if (frame.at >= bytes.size()) return std::nullopt;
    std::size_t end = std::min(bytes.find('\n', frame.at), bytes.size());
    std::string_view line = std::string_view(bytes).substr(frame.at, end - frame.at);
    frame.at = end + 1;
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    check_length(line.size());
    return decoded(line);
}

std::optional<Text> Shell::next_line() {
    if (frames_.empty()) return std::nullopt;
    std::optional<Text> line = next_raw_line();
    if (!line) return std::nullopt;
    // A label is only read as far as its name, so nothing in it can be wrong.
    if (View text = without_leading_delimiters(*line); !text.empty() && text[0] == L':') return Text(text);
    return expand_percents(*line, *this);
}

int Shell::run_frame(Frame frame) {
    check_stack();
    if (frames_.size() >= kMostCalls)
        throw Failure{L"******  B A T C H   R E C U R S I O N  exceeds STACK limits ******"};
    struct Pop {
        Shell& shell;
        ~Pop() {
            while (!shell.frames_.back()->locals.empty()) shell.end_local();
            shell.frames_.pop_back();
        }
    };
    frames_.push_back(std::make_unique<Frame>(std::move(frame)));
    Pop pop{*this};
    int code = 0;
    try {
        while (std::optional<Text> line = next_line()) {
            try {
                CommandPtr command = parse(std::move(*line), *this);
                if (!command) continue;
                if (echo && !command->silent) show(*command);
                code = run(*command);
            } catch (const Jump&) {
                code = 0;
            }
        }
    } catch (const LeaveScript& leave) {
        code = leave.code;
    }
    return code != 0 ? code : error_level;
}

namespace {

std::vector<Text> argument_list(const Text& name, View arguments) {
    std::vector<Text> list = words(arguments);
    list.insert(list.begin(), name);
    return list;
}

}  // namespace

int Shell::run_script(const Text& path, const Text& name, View arguments, bool returns) {
    Handle file = open_to_read(path);
    if (!file) return error_level = complain_of(GetLastError());
    auto script = std::make_shared<Script>();
    script->path = path;
    script->is_cmd = same(extension_of(path), L".cmd");
    script->bytes = read_all(file.get());
    file.close();
    bool replaces = in_script() && !returns;
    Frame frame{std::move(script), 0, name, argument_list(name, arguments), Text(trimmed(arguments)), {}};
    int code = run_frame(std::move(frame));
    // One script that another runs without CALL takes its place.
    if (replaces) throw LeaveScript{code};
    return code;
}

int Shell::call(View arguments) {
    if (arguments.empty()) return 1;
    if (trimmed(arguments).empty()) {
        error_level = 0;
        return 0;
    }
    // Windows doubles carets here and takes one of each pair away again, though not inside quotes.
    Text text;
    bool quoted = false;
    for (wchar_t c : without_leading_delimiters(arguments)) {
        if (c == L'"') quoted = !quoted;
        text.append(c == L'^' ? 2 : 1, c);
    }
    text = expand_percents(text, *this);
    CommandPtr command;
    try {
        command = parse_simple(text);
    } catch (const Failure& failure) {
        return error_level = complain(failure.message);
    }
    Redirected redirected(*this, command->redirections);
    if (redirected.failed()) return 1;
    if (command->name.starts_with(L":")) return call_label(command->name, command->arguments);
    return run_named(command->name, command->arguments, true);
}

int Shell::call_label(const Text& label, View arguments) {
    if (frames_.empty())
        return error_level = complain(L"Invalid attempt to call batch label outside of batch script.");
    const Frame& caller = *frames_.back();
    if (same(label, L":eof")) return 0;
    Frame frame{
        caller.script, caller.at, label, argument_list(label, arguments), Text(trimmed(arguments)), {}};
    std::size_t before = frames_.back()->at;
    if (!seek_label(label)) {
        return error_level =
                   complain(L"The system cannot find the batch label specified - " + Text(label_name(label)));
    }
    std::swap(frames_.back()->at, before);
    frame.at = before;
    return run_frame(std::move(frame));
}

bool Shell::seek_label(View label) {
    View wanted = label_name(label);
    Frame& frame = *frames_.back();
    std::size_t begin = frame.at;
    for (bool wrapped : {false, true}) {
        if (wrapped) frame.at = 0;
        while (!wrapped || frame.at < begin) {
            std::optional<Text> line = next_raw_line();
            if (!line) break;
            View text = without_leading_delimiters(*line);
            if (!text.empty() && text[0] == L':' && same(label_name(text), wanted)) return true;
        }
    }
    frame.at = begin;
    return false;
}

int Shell::go_to(View label) {
    if (frames_.empty()) return 1;
    View name = label_name(label);
    if (name.empty()) {
        complain(L"No batch label specified to GOTO command.");
    } else if (same(name, L"eof") && extensions && without_leading_delimiters(label).starts_with(L":")) {
        throw LeaveScript{0};
    } else if (seek_label(label)) {
        throw Jump{};
    } else {
        complain(L"The system cannot find the batch label specified - " + Text(name));
    }
    error_level = 1;
    throw LeaveScript{1};
}

int Shell::shift(std::size_t from) {
    if (frames_.empty()) return 0;
    std::vector<Text>& arguments = frames_.back()->arguments;
    if (from < arguments.size()) arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(from));
    return 0;
}

int Shell::begin_local(View arguments) {
    bool delayed = delayed_expansion, extended = extensions;
    for (const Text& word : words(arguments)) {
        if (same(word, L"enabledelayedexpansion"))
            delayed = true;
        else if (same(word, L"disabledelayedexpansion"))
            delayed = false;
        else if (same(word, L"enableextensions"))
            extended = true;
        else if (same(word, L"disableextensions"))
            extended = false;
        else
            return bad_syntax(*this);
    }
    if (frames_.empty()) return 0;  // without a script it does nothing
    frames_.back()->locals.push_back({environment(), current_directory(), delayed_expansion, extensions});
    delayed_expansion = delayed;
    extensions = extended;
    return 0;
}

int Shell::end_local() {
    if (frames_.empty() || frames_.back()->locals.empty()) return 0;
    Local local = std::move(frames_.back()->locals.back());
    frames_.back()->locals.pop_back();
    restore(local);
    return 0;
}

void Shell::restore(const Local& local) {
    for (const Text& variable : environment()) set(name_of_variable(variable), std::nullopt);
    for (const Text& variable : local.environment) {
        Text name = name_of_variable(variable);
        set(name, variable.substr(name.size() + 1));
    }
    change_directory(local.directory);
    delayed_expansion = local.delayed_expansion;
    extensions = local.extensions;
}

}  // namespace mullion::cmd
