#include <algorithm>

#include "hcs/guest/cmd/builtins.hpp"
#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"

namespace mullion::cmd::builtin {

int cd(Shell& shell, View arguments) {
    View text = trimmed(arguments);
    bool drive_too = false;
    if (starts_same(text, L"/d") && (text.size() == 2 || is_delimiter(text[2]) || text[2] == L'"')) {
        drive_too = true;
        text = trimmed(text.substr(2));
    }
    // Blanks in a name need no quotes here.
    Text path = unquoted(text);
    if (path.empty() || (path.size() == 2 && path[1] == L':')) {
        shell.out((path.empty() ? current_directory() : full_path(path)) + L"\r\n");
        return 0;
    }
    Text full = full_path(path);
    bool same_drive = starts_same(current_directory(), full.substr(0, 2));
    if (!is_directory(full)) return shell.complain_of(exists(full) ? ERROR_DIRECTORY : ERROR_PATH_NOT_FOUND);
    if (!same_drive && !drive_too) {
        shell.set(L"=" + full.substr(0, 2), full);
        return 0;
    }
    return shell.change_directory(full) ? 0 : shell.complain_of(GetLastError());
}

namespace {

// "C:\dir\" is C:\dir; the root stays what it is.
Text without_last_backslashes(Text path) {
    while (path.size() > 3 && path.back() == L'\\') path.pop_back();
    return path;
}

// With the directories above it. false: GetLastError.
bool make_directory(const Text& path) {
    if (CreateDirectoryW(path.c_str(), nullptr)) return true;
    if (GetLastError() != ERROR_PATH_NOT_FOUND) return false;
    Text above = directory_of(path);
    while (above.size() > 1 && (above.back() == L'\\' || above.back() == L'/')) above.pop_back();
    if (above.empty() || above.size() >= path.size() || above.back() == L':')
        return SetLastError(ERROR_PATH_NOT_FOUND), false;
    return (is_directory(above) || make_directory(above)) && CreateDirectoryW(path.c_str(), nullptr);
}

}  // namespace

int md(Shell& shell, View arguments) {
    std::optional<Words> given = parse_words(shell, arguments, L"");
    if (!given) return 1;
    if (given->operands.empty()) return bad_syntax(shell);
    int code = 0;
    for (const Text& operand : given->operands) {
        Text path = without_last_backslashes(operand);
        if (make_directory(path)) continue;
        DWORD error = GetLastError();
        code = error == ERROR_ALREADY_EXISTS || error == ERROR_FILE_EXISTS
                   ? shell.complain(L"A subdirectory or file " + operand + L" already exists.")
                   : shell.complain_of(error);
        if (given->operands.size() > 1) shell.complain(L"Error occurred while processing: " + operand + L".");
    }
    return code;
}

namespace {

// All of a tree that can be removed; the first thing that could not is said.
DWORD remove_tree(Shell& shell, const Text& path) {
    DWORD attributes = GetFileAttributesW(path.c_str());
    DWORD first = 0;
    auto failed = [&](const Text& what, DWORD error) {
        if (first == 0) first = error;
        shell.complain(what + L" - " + error_text(error));
    };
    if (!(attributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
        for (const Entry& entry : entries(joined(path, L"*"))) {
            Text each = joined(path, entry.name);
            if (entry.is_directory()) {
                if (DWORD error = remove_tree(shell, each); error && first == 0) first = error;
                continue;
            }
            if (entry.attributes & FILE_ATTRIBUTE_READONLY)
                SetFileAttributesW(each.c_str(), FILE_ATTRIBUTE_NORMAL);
            if (!DeleteFileW(each.c_str())) failed(each, GetLastError());
        }
    }
    if (attributes & FILE_ATTRIBUTE_READONLY) SetFileAttributesW(path.c_str(), FILE_ATTRIBUTE_NORMAL);
    if (first == 0 && !RemoveDirectoryW(path.c_str())) failed(path, GetLastError());
    return first;
}

DWORD remove_directory(Shell& shell, const Text& path, const Switches& switches) {
    DWORD attributes = GetFileAttributesW(path.c_str());
    DWORD error = 0;
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        error = GetLastError();
    } else if (!(attributes & FILE_ATTRIBUTE_DIRECTORY)) {
        error = ERROR_DIRECTORY;
    } else if (switches.has(L'S')) {
        if (!switches.has(L'Q') && !confirmed(shell, path + L", Are you sure (Y/N)? ")) return 1;
        return remove_tree(shell, path);
    } else if (!RemoveDirectoryW(path.c_str())) {
        error = GetLastError();
    }
    if (error) shell.complain_of(error);
    return error;
}

}  // namespace

int rd(Shell& shell, View arguments) {
    std::optional<Words> given = parse_words(shell, arguments, L"SQ");
    if (!given) return 1;
    if (given->operands.empty()) return bad_syntax(shell);
    int code = 0;
    for (const Text& operand : given->operands) {
        Text path = without_last_backslashes(operand);
        if (DWORD error = remove_directory(shell, path, given->switches)) code = static_cast<int>(error);
    }
    return code;
}

int pushd(Shell& shell, View arguments) {
    Text path = unquoted(trimmed(arguments));
    if (path.empty()) {
        for (auto each = shell.directory_stack.rbegin(); each != shell.directory_stack.rend(); ++each)
            shell.out(*each + L"\r\n");
        return 0;
    }
    if (path.starts_with(L"\\\\")) return shell.complain(L"pushd: network paths are not built.");
    Text before = current_directory();
    Text full = full_path(path);
    if (!is_directory(full) || !shell.change_directory(full)) return shell.complain_of(ERROR_PATH_NOT_FOUND);
    shell.directory_stack.push_back(before);
    return 0;
}

int popd(Shell& shell, View) {
    if (shell.directory_stack.empty()) return 1;
    Text path = std::move(shell.directory_stack.back());
    shell.directory_stack.pop_back();
    return shell.change_directory(path) ? 0 : shell.complain_of(GetLastError());
}

}  // namespace mullion::cmd::builtin
