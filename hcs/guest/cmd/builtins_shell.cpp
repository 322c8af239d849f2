#include <algorithm>

#include "hcs/guest/cmd/arithmetic.hpp"
#include "hcs/guest/cmd/builtins.hpp"
#include "hcs/guest/cmd/clock.hpp"
#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"

namespace mullion::cmd::builtin {

int assoc(Shell& shell, View) {
    return shell.complain(L"assoc: file types cannot be asked for or changed here.");
}

int ftype(Shell& shell, View) {
    return shell.complain(L"ftype: file types cannot be asked for or changed here.");
}

int break_(Shell&, View) {
    return 0;
}

int call(Shell& shell, View arguments) {
    return shell.call(arguments);
}

int cls(Shell& shell, View) {
    shell.out(L"\f");
    return 0;
}

int color(Shell& shell, View) {
    CONSOLE_SCREEN_BUFFER_INFO info;
    if (!GetConsoleScreenBufferInfo(shell.handle(1), &info)) return 1;
    return shell.complain(L"color: colours cannot be changed here.");
}

int echo(Shell& shell, View arguments) {
    if (trimmed(arguments).empty()) {
        shell.out(shell.echo ? L"ECHO is on.\r\n" : L"ECHO is off.\r\n");
        return 0;
    }
    bool blank = is_delimiter(arguments[0]);
    View word = trimmed(arguments.substr(1));
    if (blank && (same(word, L"on") || same(word, L"off"))) {
        shell.echo = same(word, L"on");
        return 0;
    }
    shell.out(Text(arguments.substr(1)) + L"\r\n");
    return 0;
}

int setlocal(Shell& shell, View arguments) {
    return shell.begin_local(arguments);
}

int endlocal(Shell& shell, View) {
    return shell.end_local();
}

int exit(Shell& shell, View arguments) {
    std::vector<Text> given = words(arguments);
    bool of_script = !given.empty() && same(given[0], L"/b");
    if (of_script) given.erase(given.begin());
    if (!given.empty()) {
        // A number behind which anything may stand; what is none is 0.
        View text = given[0];
        std::size_t end = text.find_first_not_of(L"0123456789abcdefxABCDEFX+-");
        std::optional<std::int32_t> code = number(text.substr(0, end));
        shell.error_level = code.value_or(0);
    }
    if (of_script && shell.in_script()) throw LeaveScript{shell.error_level};
    throw Exit{shell.error_level};
}

int go_to(Shell& shell, View arguments) {
    return shell.go_to(arguments);
}

int path(Shell& shell, View arguments) {
    View value = trimmed(arguments);
    if (!value.empty() && value[0] == L'=') value = trimmed(value.substr(1));
    if (value.empty()) {
        std::optional<Text> now = shell.variable(L"PATH");
        shell.out(L"PATH=" + now.value_or(L"(null)") + L"\r\n");
    } else {
        shell.set(L"PATH", value == L";" ? std::nullopt : std::optional(Text(value)));
    }
    return 0;
}

int pause(Shell& shell, View) {
    shell.out(L"Press any key to continue . . . ");
    bool answered = read_line(shell.handle(0)).has_value();
    shell.out(L"\r\n");
    return answered ? 0 : 1;
}

int prompt(Shell& shell, View arguments) {
    View value = without_leading_delimiters(arguments);
    shell.set(L"PROMPT", value.empty() ? std::nullopt : std::optional(Text(value)));
    return 0;
}

int rem(Shell&, View) {
    return 0;
}

namespace {

int list_variables(Shell& shell, View prefix) {
    std::vector<Text> found;
    wchar_t* block = GetEnvironmentStringsW();
    for (const wchar_t* each = block; *each; each += wcslen(each) + 1)
        if (*each != L'=' && starts_same(each, prefix)) found.emplace_back(each);
    FreeEnvironmentStringsW(block);
    if (found.empty()) return shell.complain(L"Environment variable " + Text(prefix) + L" not defined");
    std::sort(found.begin(), found.end(), [](const Text& a, const Text& b) {
        return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                            [](wchar_t x, wchar_t y) { return upper(x) < upper(y); });
    });
    Text list;
    for (const Text& each : found) list += each + L"\r\n";
    shell.out(list);
    return 0;
}

// With quotes around "NAME=value", what follows the last quote is ignored.
View assignment(View text) {
    text = without_leading_delimiters(text);
    if (text.empty() || text[0] != L'"') return text;
    text.remove_prefix(1);
    std::size_t last = text.rfind(L'"');
    return text.substr(0, last);
}

int set_by_arithmetic(Shell& shell, View expression) {
    ArithmeticVariables variables{[&](View name) { return shell.variable(name); },
                                  [&](View name, std::int32_t value) { shell.set(name, decimal(value)); }};
    Text text = unquoted(expression);
    if (trimmed(text).empty()) return bad_syntax(shell);
    try {
        std::int32_t value = evaluate(text, variables);
        if (!shell.in_script()) shell.out(decimal(value));
        return 0;
    } catch (const ArithmeticError& error) {
        return shell.complain(error.message, error.code);
    }
}

int set_by_input(Shell& shell, View arguments) {
    View text = assignment(arguments);
    std::size_t equals = text.find(L'=');
    if (equals == View::npos) return bad_syntax(shell);
    View question = without_leading_delimiters(text.substr(equals + 1));
    shell.out(without_outer_quotes(question));
    std::optional<Text> line = read_line(shell.handle(0));
    if (!line || line->empty() || equals == 0) return 1;
    shell.set(text.substr(0, equals), *line);
    return 0;
}

}  // namespace

int set(Shell& shell, View arguments) {
    View text = without_leading_delimiters(arguments);
    if (starts_same(text, L"/a")) return set_by_arithmetic(shell, text.substr(2));
    if (starts_same(text, L"/p")) return set_by_input(shell, text.substr(2));
    if (text.starts_with(L"/")) return bad_syntax(shell);
    if (!arguments.empty() && trimmed(arguments).starts_with(L"=")) return bad_syntax(shell);
    View given = assignment(arguments);
    std::size_t equals = given.find(L'=');
    if (equals == View::npos) return list_variables(shell, trimmed(given));
    if (equals == 0) return bad_syntax(shell);
    View value = given.substr(equals + 1);
    shell.set(given.substr(0, equals), value.empty() ? std::nullopt : std::optional(Text(value)));
    return 0;
}

int shift(Shell& shell, View arguments) {
    View text = trimmed(arguments);
    if (text.empty()) return shell.shift(0);
    if (text.size() == 2 && text[0] == L'/' && text[1] >= L'0' && text[1] <= L'8')
        return shell.shift(static_cast<std::size_t>(text[1] - L'0'));
    return shell.complain(L"Invalid parameter to SHIFT command");
}

namespace {

int show_or_refuse(Shell& shell, View arguments, const Text& shown, View what, View question) {
    View text = trimmed(arguments);
    if (same(text, L"/t")) {
        shell.out(shown + L"\r\n");
        return 0;
    }
    if (text.empty()) {
        shell.out(L"The current " + Text(what) + L" is: " + shown + L"\r\n" + Text(question));
        std::optional<Text> line = read_line(shell.handle(0));
        shell.out(L"\r\n");
        if (!line || line->empty()) return 0;
    }
    return shell.complain(L"A required privilege is not held by the client.");
}

}  // namespace

int date(Shell& shell, View arguments) {
    return show_or_refuse(shell, arguments, date_text() + L" ", L"date", L"Enter the new date: (mm-dd-yy) ");
}

int time(Shell& shell, View arguments) {
    bool short_form = same(trimmed(arguments), L"/t");
    return show_or_refuse(shell, arguments, short_form ? clock_text() : time_text(), L"time",
                          L"Enter the new time: ");
}

int title(Shell&, View arguments) {
    SetConsoleTitleW(Text(trimmed(arguments)).c_str());
    return 0;
}

int ver(Shell& shell, View arguments) {
    if (trimmed(arguments).starts_with(L"/")) return bad_syntax(shell);
    shell.out(L"\r\n" + windows_version() + L"\r\n");
    return 0;
}

int verify(Shell& shell, View arguments) {
    View word = trimmed(arguments);
    if (word.empty()) {
        shell.out(shell.verify ? L"VERIFY is on.\r\n" : L"VERIFY is off.\r\n");
        return 0;
    }
    if (!same(word, L"on") && !same(word, L"off"))
        return shell.complain(L"An incorrect parameter was\r\nentered for the command.");
    shell.verify = same(word, L"on");
    return 0;
}

int vol(Shell& shell, View arguments) {
    View drive = trimmed(arguments);
    if (!drive.empty() && (drive.size() != 2 || drive[1] != L':')) return bad_syntax(shell);
    Text letter = drive.empty() ? current_directory().substr(0, 1) : Text(1, upper(drive[0]));
    wchar_t label[64] = {};
    DWORD serial = 0;
    if (!GetVolumeInformationW((letter + L":\\").c_str(), label, 64, &serial, nullptr, nullptr, nullptr, 0))
        return shell.complain_of(ERROR_PATH_NOT_FOUND);
    wchar_t number[16];
    _snwprintf(number, 16, L"%04lX-%04lX", serial >> 16, serial & 0xffff);
    shell.out(L" Volume in drive " + letter + (label[0] ? L" is " + Text(label) : Text(L" has no label.")) +
              L"\r\n Volume Serial Number is " + number + L"\r\n");
    return 0;
}

namespace {

struct StartOptions {
    Text directory;
    bool waits = false;
    DWORD flags = CREATE_NEW_CONSOLE;
};

View take_word(View& text) {
    text = without_leading_delimiters(text);
    bool quoted = false;
    std::size_t end = 0;
    for (; end < text.size() && (quoted || !is_delimiter(text[end])); ++end)
        if (text[end] == L'"') quoted = !quoted;
    View word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
}

// Takes the title and the switches off; the complaint's code if one is unknown.
int take_start_options(Shell& shell, View& text, StartOptions& options) {
    static constexpr std::pair<View, DWORD> kFlags[] = {{L"/min", 0},  // nobody sees windows here
                                                        {L"/max", 0},
                                                        {L"/low", IDLE_PRIORITY_CLASS},
                                                        {L"/belownormal", BELOW_NORMAL_PRIORITY_CLASS},
                                                        {L"/normal", NORMAL_PRIORITY_CLASS},
                                                        {L"/abovenormal", ABOVE_NORMAL_PRIORITY_CLASS},
                                                        {L"/high", HIGH_PRIORITY_CLASS},
                                                        {L"/realtime", REALTIME_PRIORITY_CLASS}};
    text = without_leading_delimiters(text);
    if (text.starts_with(L"\"")) take_word(text);
    while (true) {
        text = without_leading_delimiters(text);
        if (!text.starts_with(L"/")) return 0;
        View word = take_word(text);
        if (same(word, L"/wait") || same(word, L"/w"))
            options.waits = true;
        else if (same(word, L"/b"))
            options.flags &= ~static_cast<DWORD>(CREATE_NEW_CONSOLE);
        else if (same(word, L"/d"))
            options.directory = unquoted(take_word(text));
        else if (starts_same(word, L"/d") && word.size() > 2)
            options.directory = unquoted(word.substr(2));
        else if (auto flag = std::find_if(std::begin(kFlags), std::end(kFlags),
                                          [&](const auto& each) { return same(each.first, word); });
                 flag != std::end(kFlags))
            options.flags |= flag->second;
        else
            return shell.complain(L"Invalid switch - \"" + Text(word) + L"\".");
    }
}

}  // namespace

int start(Shell& shell, View arguments) {
    StartOptions options;
    View text = arguments;
    if (int code = take_start_options(shell, text, options)) return code;
    if (text.empty()) return shell.complain(L"start: a command is needed here.");
    View arguments_of_it = text, rest;
    View name = take_word(arguments_of_it);
    std::optional<Program> program;
    if (!find_builtin(name, rest)) {
        program = shell.find_program(name);
        if (!program)
            return shell.complain(L"The system cannot find the file " + unquoted(name) + L".", 9059);
    }
    bool own = !program || program->is_script;  // as on Windows, by an interpreter that stays
    Text path = own ? shell.own_path() : program->path;
    Text line = own ? L"\"" + path + L"\" /K " + Text(text) : Text(text);
    HANDLE process = shell.start_program(path, line, arguments_of_it, options.flags,
                                         options.directory.empty() ? nullptr : options.directory.c_str());
    if (!process) return shell.complain_of(GetLastError());
    int code = options.waits ? shell.error_level = Shell::wait_for(process) : 0;
    CloseHandle(process);
    return code;
}

}  // namespace mullion::cmd::builtin
