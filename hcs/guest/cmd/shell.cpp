#include "hcs/guest/cmd/shell.hpp"

#include <algorithm>

#include "hcs/guest/cmd/clock.hpp"
#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"

namespace mullion::cmd {
namespace {

constexpr std::size_t kMostArguments = 10;

// "--a--------"
Text attribute_letters(DWORD attributes) {
    static constexpr std::pair<DWORD, wchar_t> kLetters[] = {
        {FILE_ATTRIBUTE_DIRECTORY, L'd'},    {FILE_ATTRIBUTE_READONLY, L'r'},
        {FILE_ATTRIBUTE_ARCHIVE, L'a'},      {FILE_ATTRIBUTE_HIDDEN, L'h'},
        {FILE_ATTRIBUTE_SYSTEM, L's'},       {FILE_ATTRIBUTE_COMPRESSED, L'c'},
        {FILE_ATTRIBUTE_OFFLINE, L'o'},      {FILE_ATTRIBUTE_TEMPORARY, L't'},
        {FILE_ATTRIBUTE_REPARSE_POINT, L'l'}};
    Text result;
    for (const auto& [bit, letter] : kLetters) result += (attributes & bit) ? letter : L'-';
    return result + L"--";
}

std::uint64_t file_size(const WIN32_FILE_ATTRIBUTE_DATA& data) {
    return (std::uint64_t{data.nFileSizeHigh} << 32) | data.nFileSizeLow;
}

// Where `name` is among the directories of a variable.
Text search_path(const Text& name, View variable) {
    for (const Text& directory : path_list(environment_value(Text(variable).c_str()))) {
        Text candidate = full_path(joined(directory, name));
        if (exists(candidate)) return candidate;
    }
    return {};
}

Text short_path(const Text& path) {
    DWORD size = GetShortPathNameW(path.c_str(), nullptr, 0);
    if (size == 0) return path;
    Text result(size, L'\0');
    result.resize(GetShortPathNameW(path.c_str(), result.data(), size));
    return result;
}

// The parts of a full path that the letters ask for.
Text chosen_parts(const Text& full, const Text& letters) {
    auto wants = [&](wchar_t letter) { return letters.find(letter) != Text::npos; };
    if (wants(L'f') || (wants(L's') && letters.find_first_of(L"dpnx") == Text::npos)) return full;
    std::size_t drive = full.find(L':') == 1 ? 2 : 0;
    Text directory = directory_of(full), name = name_of(full), extension = extension_of(full);
    Text result;
    if (wants(L'd')) result += full.substr(0, drive);
    if (wants(L'p')) result += directory.substr(drive);
    if (wants(L'n')) result += name.substr(0, name.size() - extension.size());
    if (wants(L'x')) result += extension;
    return result;
}

}  // namespace

Shell::Shell() {
    handles_[0] = GetStdHandle(STD_INPUT_HANDLE);
    handles_[1] = GetStdHandle(STD_OUTPUT_HANDLE);
    handles_[2] = GetStdHandle(STD_ERROR_HANDLE);
}

void Shell::out(View text) {
    if (!write_text(handle(1), text, unicode_output)) write_error_ = GetLastError();
}

void Shell::err(View text) {
    write_text(handle(2), text, unicode_output);
}

int Shell::complain(View text, int code) {
    err(Text(text) + L"\r\n");
    return code;
}

int Shell::complain_of(DWORD error, int code) {
    return complain(error_text(error), code);
}

std::optional<Text> Shell::variable(View name) const {
    Text key(name);
    DWORD size = GetEnvironmentVariableW(key.c_str(), nullptr, 0);
    if (size != 0) return environment_value(key.c_str());
    if (same(name, L"errorlevel")) return decimal(error_level);
    if (same(name, L"cd")) return current_directory();
    if (same(name, L"date")) return date_text();
    if (same(name, L"time")) return time_text();
    if (same(name, L"random")) return decimal(random_number());
    if (same(name, L"cmdcmdline")) return command_line;
    if (same(name, L"cmdextversion") && extensions) return L"2";
    if (same(name, L"highestnumanodenumber")) return L"0";
    return std::nullopt;
}

void Shell::set(View name, const std::optional<Text>& value) {
    SetEnvironmentVariableW(Text(name).c_str(), value ? value->c_str() : nullptr);
}

Text Shell::argument(std::size_t index) const {
    if (frames_.empty() || index >= frames_.back()->arguments.size()) return {};
    return frames_.back()->arguments[index];
}

Text Shell::path_argument(std::size_t index) const {
    bool own_name = index == 0 && !frames_.empty() && argument(0) == frames_.back()->name;
    return own_name ? frames_.back()->script->path : argument(index);
}

Text Shell::all_arguments() const {
    return frames_.empty() ? Text() : frames_.back()->all;
}

const Text* Shell::loop_variable(wchar_t name) const {
    for (auto each = loop_variables_.rbegin(); each != loop_variables_.rend(); ++each)
        if (each->name == name) return &each->value;
    return nullptr;
}

Text Shell::path_part(View value, View modifiers, View search) const {
    Text path = unquoted(value);
    Text letters;
    for (wchar_t c : modifiers)
        letters += c < 0x80 && c >= L'A' && c <= L'Z' ? static_cast<wchar_t>(c + 32) : c;
    if (!search.empty()) {
        path = search_path(path, search);
        if (path.empty() || letters.empty()) return path;
    }
    if (letters.empty() || path.empty()) return path;
    Text full = full_path(path);
    WIN32_FILE_ATTRIBUTE_DATA data;
    bool found = GetFileAttributesExW(full.c_str(), GetFileExInfoStandard, &data);
    std::vector<Text> parts;
    auto wants = [&](wchar_t letter) { return letters.find(letter) != Text::npos; };
    if (found && wants(L'a')) parts.push_back(attribute_letters(data.dwFileAttributes));
    if (found && wants(L't')) parts.push_back(stamp_text(data.ftLastWriteTime));
    if (found && wants(L'z')) parts.push_back(decimal(static_cast<std::int64_t>(file_size(data))));
    if (letters.find_first_of(L"fdpnxs") != Text::npos) {
        if (found) full = spelled(full);
        parts.push_back(chosen_parts(wants(L's') ? short_path(full) : full, letters));
    }
    Text result;
    for (const Text& part : parts) result += (result.empty() ? L"" : L" ") + part;
    return result;
}

Text Shell::expanded(View text) const {
    Text result = loop_variables_.empty() ? Text(text) : expand_loop_variables(text, *this);
    return delayed_expansion ? expand_delayed(result, *this) : result;
}

Text Shell::prompt() const {
    Text format = environment_value(L"PROMPT");
    if (format.empty()) format = L"$P$G";
    Text result;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != L'$' || i + 1 == format.size()) {
            result += format[i];
            continue;
        }
        static constexpr std::pair<wchar_t, View> kFixed[] = {
            {L'A', L"&"},  {L'B', L"|"}, {L'C', L"("}, {L'E', L"\x1b"}, {L'F', L")"},    {L'G', L">"},
            {L'H', L"\b"}, {L'L', L"<"}, {L'Q', L"="}, {L'S', L" "},    {L'_', L"\r\n"}, {L'$', L"$"}};
        wchar_t code = upper(format[++i]);
        for (const auto& [letter, text] : kFixed)
            if (letter == code) result += text;
        if (code == L'P') result += current_directory();
        if (code == L'N') result += current_directory().substr(0, 1);
        if (code == L'D') result += date_text();
        if (code == L'T') result += time_text();
        if (code == L'V') result += windows_version();
        if (code == L'+') result.append(directory_stack.size(), L'+');
    }
    return result;
}

bool Shell::change_directory(const Text& path) {
    if (!SetCurrentDirectoryW(path.c_str())) return false;
    Text now = spelled(current_directory());
    SetCurrentDirectoryW(now.c_str());
    if (now.size() > 1 && now[1] == L':') set(L"=" + now.substr(0, 2), now);
    return true;
}

Text Shell::own_path() const {
    Text path(MAX_PATH, L'\0');
    path.resize(GetModuleFileNameW(nullptr, path.data(), MAX_PATH));
    return path;
}

void Shell::show(const Command& command) {
    Text text = expand_loop_variables(to_text(command), *this);
    bool has_arguments = command.kind == Command::Kind::Simple && !command.arguments.empty();
    out(L"\r\n" + prompt() + text + (has_arguments ? L" \r\n" : L"\r\n"));
}

int Shell::run_line(const Text& line) {
    struct NoLines : LineSource {
        std::optional<Text> next_line() override { return std::nullopt; }
    } no_more;
    View first = View(line).substr(0, line.find(L'\n'));
    CommandPtr command = parse(expand_percents(first, *this), no_more);
    return command ? run(*command) : 0;
}

namespace {

// What follows a line read from standard input, while a parenthesis is open.
class InputLines : public LineSource {
  public:
    InputLines(Shell& shell) : shell_(shell) {}
    std::optional<Text> next_line() override {
        shell_.out(L"More? ");
        std::optional<Text> line = read_line(shell_.handle(0));
        return line ? std::optional(expand_percents(*line, shell_)) : std::nullopt;
    }

  private:
    Shell& shell_;
};

}  // namespace

void Shell::run_interactively() {
    InputLines more(*this);
    while (true) {
        if (echo) out(L"\r\n" + prompt());
        std::optional<Text> line = read_line(handle(0));
        if (!line) throw Exit{error_level};
        try {
            CommandPtr command = parse(expand_percents(*line, *this), more);
            if (command) run(*command);
        } catch (const Failure& failure) {
            error_level = complain(failure.message);
        } catch (const Abort& abort) {
            error_level = abort.code;
        }
    }
}

}  // namespace mullion::cmd
