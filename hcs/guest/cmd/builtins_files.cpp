#include <algorithm>
#include <utility>

#include "hcs/guest/cmd/attributes.hpp"
#include "hcs/guest/cmd/builtins.hpp"
#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"

namespace mullion::cmd::builtin {
namespace {

bool remove_file(const Text& path, bool force) {
    DWORD attributes = GetFileAttributesW(path.c_str());
    if (force && attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_READONLY))
        SetFileAttributesW(path.c_str(), attributes & ~static_cast<DWORD>(FILE_ATTRIBUTE_READONLY));
    return DeleteFileW(path.c_str());
}

class Deletion {
  public:
    Deletion(Shell& shell, const Switches& switches, const WantedAttributes& wanted)
        : shell_(shell), switches_(switches), wanted_(wanted) {}

    int remove(const Text& operand) {
        Text path = full_path(operand);
        bool whole = is_directory(path);
        Text pattern = whole ? joined(path, L"*") : path;
        bool everything = name_of(pattern) == L"*" || name_of(pattern) == L"*.*";
        if (everything && !switches_.has(L'Q') && !confirmed(shell_, pattern + L", Are you sure (Y/N)? "))
            return 1;
        if (!is_directory(directory_of(pattern)) && !switches_.has(L'S'))
            return shell_.complain_of(ERROR_PATH_NOT_FOUND);
        remove_in(directory_of(pattern), name_of(pattern));
        if (code_ == 0 && removed_ == 0 && !everything) shell_.complain(L"Could Not Find " + path);
        return code_;
    }

  private:
    void remove_in(const Text& directory, const Text& pattern) {
        for (const Entry& entry : entries(joined(directory, pattern))) {
            if (entry.is_directory()) continue;
            if (wanted_.match(entry.attributes)) remove_one(joined(directory, entry.name));
        }
        if (!switches_.has(L'S')) return;
        for (const Entry& entry : entries(joined(directory, L"*"))) {
            if (entry.is_directory() && !(entry.attributes & FILE_ATTRIBUTE_REPARSE_POINT))
                remove_in(joined(directory, entry.name), pattern);
        }
    }

    void remove_one(const Text& path) {
        if (switches_.has(L'P') && !confirmed(shell_, path + L", Delete (Y/N)? ")) return;
        if (remove_file(path, switches_.has(L'F'))) {
            ++removed_;
            if (switches_.has(L'S') && !switches_.has(L'Q')) shell_.out(L"Deleted file - " + path + L"\r\n");
            return;
        }
        DWORD error = GetLastError();
        ++removed_;
        shell_.complain(path);
        code_ = shell_.complain_of(error);
    }

    Shell& shell_;
    const Switches& switches_;
    WantedAttributes wanted_;
    std::size_t removed_ = 0;
    int code_ = 0;
};

}  // namespace

int del(Shell& shell, View arguments) {
    std::optional<Words> given = parse_words(shell, arguments, L"PFSQA");
    if (!given) return shell.error_level = 1;
    if (given->operands.empty()) {
        bad_syntax(shell);
        return 1;
    }
    std::optional<WantedAttributes> wanted = WantedAttributes();
    if (given->switches.has(L'A')) wanted = parse_attributes(given->switches.value(L'A'));
    if (!wanted) return complain_of_value(shell, given->switches.value(L'A'));
    int code = 0;
    for (const Text& operand : given->operands)
        code = std::max(code, Deletion(shell, given->switches, *wanted).remove(operand));
    return code;
}

int mklink(Shell& shell, View arguments) {
    std::optional<Words> given = parse_words(shell, arguments, L"HJD");
    if (!given) return 1;
    if (given->operands.size() != 2) return bad_syntax(shell);
    if (given->switches.letters != L"H")
        return shell.complain(
            L"mklink: only hard links (/H) can be made here, no symbolic links and junctions.");
    const Text& link = given->operands[0];
    const Text& target = given->operands[1];
    if (exists(link)) return shell.complain(L"Cannot create a file when that file already exists.");
    if (!CreateHardLinkW(link.c_str(), target.c_str(), nullptr)) return shell.complain_of(GetLastError());
    shell.out(L"Hardlink created for " + link + L" <<===>> " + target + L"\r\n");
    return 0;
}

namespace {

int move_one(Shell& shell, const Text& from, const Text& to, bool asks) {
    bool replaces = exists(to) && !same_file(from, to);
    if (replaces && asks && !confirmed(shell, L"Overwrite " + to + L"? (Yes/No/All): ")) return 1;
    if (MoveFileExW(from.c_str(), to.c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_COPY_ALLOWED)) return 0;
    return shell.complain_of(GetLastError());
}

}  // namespace

int move(Shell& shell, View arguments) {
    std::optional<Words> given = parse_words(shell, arguments, L"Y");
    if (!given) return 1;
    if (given->operands.empty() || given->operands.size() > 2) return bad_syntax(shell);
    bool asks = given->switches.has(L'y');
    const Text& from = given->operands[0];
    Text to = given->operands.size() == 2 ? given->operands[1] : L".";
    bool into = is_directory(to) && !same_file(from, to);
    DWORD error = 0;
    std::vector<Entry> found = entries(from, &error);
    if (has_wildcard(from)) std::erase_if(found, [](const Entry& entry) { return entry.is_directory(); });
    if (found.empty()) {
        return shell.complain(error_text(error == ERROR_PATH_NOT_FOUND ? error : ERROR_FILE_NOT_FOUND));
    }
    if (found.size() > 1 && !into) return shell.complain(L"Cannot move multiple files to a single file.");
    std::size_t moved = 0;
    int code = 0;
    for (const Entry& entry : found) {
        Text source = directory_of(from) + entry.name;
        if (has_wildcard(from)) shell.out(full_path(source) + L"\r\n");
        code = std::max(code, move_one(shell, source, into ? joined(to, entry.name) : to, asks));
        if (code == 0) ++moved;
    }
    View kind = found[0].is_directory() ? L" dir(s) moved.\r\n" : L" file(s) moved.\r\n";
    shell.out(L"        " + decimal(static_cast<std::int64_t>(moved)) + Text(kind));
    return code;
}

namespace {

// Wine does nothing where only the case changes, so that goes by way of another name.
bool rename_file(const Text& from, const Text& to) {
    if (!same(name_of(from), name_of(to)) || name_of(from) == name_of(to))
        return MoveFileW(from.c_str(), to.c_str());
    Text between = from + L"~mullion";
    if (!MoveFileW(from.c_str(), between.c_str())) return false;
    if (MoveFileW(between.c_str(), to.c_str())) return true;
    DWORD error = GetLastError();
    MoveFileW(between.c_str(), from.c_str());
    SetLastError(error);
    return false;
}

}  // namespace

int ren(Shell& shell, View arguments) {
    std::optional<Words> given = parse_words(shell, arguments, L"");
    if (!given) return 1;
    if (given->operands.size() != 2 || given->operands[1].find_first_of(L"\\/:") != Text::npos)
        return bad_syntax(shell);
    const Text& from = given->operands[0];
    DWORD error = 0;
    std::vector<Entry> found = entries(from, &error);
    if (found.empty()) return shell.complain_of(error ? error : ERROR_FILE_NOT_FOUND);
    int code = 0;
    for (const Entry& entry : found) {
        if (has_wildcard(from) && entry.is_directory()) continue;
        Text source = directory_of(from) + entry.name;
        Text target = directory_of(from) + renamed(entry.name, given->operands[1]);
        if (!rename_file(source, target)) code = shell.complain_of(GetLastError());
    }
    return code;
}

namespace {

bool type_file(Shell& shell, const Text& path) {
    Handle file = open_to_read(path);
    if (!file) return false;
    char buffer[16384];
    DWORD got = 0;
    bool first = true, wide = false;
    std::string wide_text;
    while (ReadFile(file.get(), buffer, sizeof buffer, &got, nullptr) && got != 0) {
        std::string_view bytes(buffer, got);
        if (std::exchange(first, false)) wide = bytes.starts_with("\xff\xfe");
        if (wide)
            wide_text += bytes;
        else if (!write_bytes(shell.handle(1), bytes))
            break;
    }
    if (wide) shell.out(decoded(wide_text));
    return true;
}

}  // namespace

int type(Shell& shell, View arguments) {
    std::optional<Words> given = parse_words(shell, arguments, L"");
    if (!given) return 1;
    if (given->operands.empty()) return bad_syntax(shell);
    int code = 0;
    bool names = given->operands.size() > 1 || has_wildcard(given->operands[0]);
    for (const Text& operand : given->operands) {
        std::vector<Text> paths;
        if (!has_wildcard(operand)) paths.push_back(operand);
        for (const Entry& entry : has_wildcard(operand) ? entries(operand) : std::vector<Entry>())
            if (!entry.is_directory()) paths.push_back(directory_of(operand) + entry.name);
        if (paths.empty()) code = shell.complain_of(ERROR_FILE_NOT_FOUND);
        for (const Text& path : paths) {
            if (names && exists(path)) shell.err(L"\r\n" + path + L"\r\n\r\n\r\n");
            if (type_file(shell, path)) continue;
            code = shell.complain_of(GetLastError());
            if (names) shell.complain(L"Error occurred while processing: " + path + L".");
        }
    }
    return code;
}

}  // namespace mullion::cmd::builtin
