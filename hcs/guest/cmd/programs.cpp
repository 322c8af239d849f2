#include <algorithm>

#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"
#include "hcs/guest/cmd/shell.hpp"

namespace mullion::cmd {
namespace {

constexpr int kNotFound = 9009;

bool is_file(const Text& path) {
    DWORD attributes = GetFileAttributesW(path.c_str());
    return attributes != INVALID_FILE_ATTRIBUTES && !(attributes & FILE_ATTRIBUTE_DIRECTORY);
}

bool is_script(const Text& path) {
    Text extension = extension_of(path);
    return same(extension, L".bat") || same(extension, L".cmd");
}

std::vector<Text> program_extensions() {
    std::vector<Text> extensions = path_list(environment_value(L"PATHEXT"));
    if (extensions.empty()) extensions = {L".COM", L".EXE", L".BAT", L".CMD"};
    return extensions;
}

// `path` as it is if it has an extension, then with each that programs have.
std::optional<Program> program_at(const Text& path, const std::vector<Text>& extensions) {
    if (!extension_of(path).empty() && is_file(path)) return Program{path, is_script(path)};
    for (const Text& extension : extensions)
        if (is_file(path + extension)) return Program{path + extension, is_script(path + extension)};
    return std::nullopt;
}

}  // namespace

std::optional<Program> Shell::find_program(View name) const {
    Text path = unquoted(name);
    if (path.empty() || has_wildcard(path)) return std::nullopt;
    std::vector<Text> extensions = program_extensions();
    if (path.find_first_of(L"\\/:") != Text::npos) return program_at(full_path(path), extensions);
    if (auto found = program_at(joined(current_directory(), path), extensions)) return found;
    for (const Text& directory : path_list(environment_value(L"PATH")))
        if (auto found = program_at(full_path(joined(directory, path)), extensions)) return found;
    return std::nullopt;
}

HANDLE Shell::start(const Text& program, Text line, DWORD flags, const wchar_t* directory) {
    STARTUPINFOW startup{};
    startup.cb = sizeof startup;
    PROCESS_INFORMATION process{};
    HANDLE own = GetCurrentProcess();
    HANDLE copies[3] = {};
    bool new_console = flags & CREATE_NEW_CONSOLE;
    // Only these reach the program: the end of a pipe left open in it would keep the pipe open.
    for (std::size_t i = 0; i < 3 && !new_console; ++i)
        DuplicateHandle(own, handles_[i], own, &copies[i], 0, TRUE, DUPLICATE_SAME_ACCESS);
    if (!new_console) {
        startup.dwFlags = STARTF_USESTDHANDLES;
        startup.hStdInput = copies[0];
        startup.hStdOutput = copies[1];
        startup.hStdError = copies[2];
    }
    bool started = CreateProcessW(program.empty() ? nullptr : program.c_str(), line.data(), nullptr, nullptr,
                                  !new_console, flags, nullptr, directory, &startup, &process);
    DWORD error = GetLastError();
    for (HANDLE copy : copies)
        if (copy) CloseHandle(copy);
    SetLastError(error);
    if (!started) return nullptr;
    CloseHandle(process.hThread);
    return process.hProcess;
}

namespace {

// The command line that opens a document: what the registry has for its type, the names put in. "" if there
// is none.
Text opening_line(const Text& document, View arguments) {
    HMODULE library = LoadLibraryW(L"shlwapi.dll");  // loaded when needed: start-up is what counts
    auto query =
        reinterpret_cast<HRESULT(WINAPI*)(DWORD, int, const wchar_t*, const wchar_t*, wchar_t*, DWORD*)>(
            reinterpret_cast<void*>(GetProcAddress(library, "AssocQueryStringW")));
    constexpr int kCommand = 1;  // ASSOCSTR_COMMAND
    wchar_t format[1024];
    DWORD size = 1024;
    if (!query || query(0, kCommand, extension_of(document).c_str(), nullptr, format, &size) != S_OK)
        return {};
    Text line;
    bool named = false;
    for (View rest = format; !rest.empty(); rest.remove_prefix(1)) {
        bool name = starts_same(rest, L"%1") || starts_same(rest, L"%l"), others = starts_same(rest, L"%*");
        named = named || name;
        if (name) line += document;
        if (others) line += arguments;
        if (name || others)
            rest.remove_prefix(1);
        else
            line += rest[0];
    }
    return named ? line : line + L" \"" + document + L"\"";
}

}  // namespace

HANDLE Shell::start_program(const Text& path, const Text& line, View arguments, DWORD flags,
                            const wchar_t* directory) {
    HANDLE process = start(path, line, flags, directory);
    if (process || GetLastError() != ERROR_BAD_EXE_FORMAT) return process;
    Text opening = opening_line(path, arguments);
    if (!opening.empty()) return start({}, std::move(opening), flags, directory);
    SetLastError(ERROR_NO_ASSOCIATION);
    return nullptr;
}

int Shell::wait_for(HANDLE process) {
    DWORD code = 1;
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &code);
    return static_cast<int>(code);
}

int Shell::run_program(const Text& name, const Text& arguments, bool called) {
    std::optional<Program> program = find_program(name);
    if (!program) {
        // What stands in front of the last separator is a directory that must exist.
        Text directory = directory_of(unquoted(name));
        if (!directory.empty() && !is_directory(full_path(directory))) {
            complain_of(ERROR_PATH_NOT_FOUND);
            error_level = ERROR_PATH_NOT_FOUND;
            return 1;
        }
        complain_of_unknown(name);
        error_level = kNotFound;
        return 1;
    }
    if (program->is_script) return run_script(program->path, name, arguments, called);
    HANDLE process = start_program(program->path, name + arguments, arguments, 0);
    if (!process) return error_level = complain_of(GetLastError());
    error_level = wait_for(process);
    CloseHandle(process);
    return error_level;
}

}  // namespace mullion::cmd
