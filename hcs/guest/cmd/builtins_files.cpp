#include <algorithm>
#include <utility>

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

// "/a:-rh": what an entry must have and must not have.
bool attributes_match(DWORD attributes, View wanted) {
    bool negated = false;
    for (wchar_t c : wanted) {
        static constexpr std::pair<wchar_t, DWORD> kBits[] = {{L'R', FILE_ATTRIBUTE_READONLY},
                                                              {L'H', FILE_ATTRIBUTE_HIDDEN},
                                                              {L'S', FILE_ATTRIBUTE_SYSTEM},
                                                              {L'A', FILE_ATTRIBUTE_ARCHIVE},
                                                              {L'L', FILE_ATTRIBUTE_REPARSE_POINT}};
        if (c == L'-') negated = true;
        for (const auto& [letter, bit] : kBits) {
            if (upper(c) != letter) continue;
            if (((attributes & bit) != 0) == negated) return false;
            negated = false;
        }
    }
    return true;
}

class Deletion {
  public:
    Deletion(Shell& shell, const Switches& switches) : shell_(shell), switches_(switches) {}

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
            bool hidden = entry.attributes & (FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM);
            bool wanted =
                switches_.has(L'A') ? attributes_match(entry.attributes, switches_.value(L'A')) : !hidden;
            if (wanted) remove_one(joined(directory, entry.name));
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
    int code = 0;
    for (const Text& operand : given->operands)
        code = std::max(code, Deletion(shell, given->switches).remove(operand));
    return code;
}

namespace {

constexpr char kEndOfFile = '\x1a';

// What COPY reads: names joined by "+".
struct CopySource {
    Text path;
    bool ascii = false;
};

struct CopyRequest {
    std::vector<CopySource> sources;
    std::optional<Text> target;
    bool joins = false;  // more than one source on purpose
    bool target_ascii = false;
    bool asks = false;  // /-y
};

// "a + b /b c": words, the plus signs outside quotes being some.
std::vector<Text> copy_words(View arguments) {
    std::vector<Text> result;
    bool quoted = false, in_word = false;
    for (wchar_t c : arguments) {
        if (c == L'"') quoted = !quoted;
        bool plus = c == L'+' && !quoted;
        bool separates = plus || (!quoted && (is_delimiter(c)));
        bool begins_switch = c == L'/' && !quoted;
        if (plus) result.emplace_back(L"+");
        if (!separates) {
            if (!in_word || begins_switch) result.emplace_back();
            result.back() += c;
        }
        in_word = !separates;
    }
    return result;
}

// false after a complaint.
bool read_copy_request(Shell& shell, View arguments, CopyRequest& request) {
    std::optional<bool> ascii;
    bool after_plus = false;
    std::vector<CopySource*> last;
    for (const Text& word : copy_words(arguments)) {
        if (word == L"+") {
            if (request.sources.empty() || request.target) return bad_syntax(shell), false;
            after_plus = request.joins = true;
            continue;
        }
        if (word[0] == L'/') {
            View option = View(word).substr(1);
            if (same(option, L"a") || same(option, L"b")) {
                ascii = same(option, L"a");
                if (request.target)
                    request.target_ascii = *ascii;
                else if (!request.sources.empty())
                    request.sources.back().ascii = *ascii;
            } else if (same(option, L"-y")) {
                request.asks = true;
            } else if (same(option, L"y")) {
                request.asks = false;
            } else if (!same(option, L"v") && !same(option, L"n") && !same(option, L"z") &&
                       !same(option, L"d")) {
                shell.complain(L"Invalid switch - \"" + Text(option) + L"\".");
                return false;
            }
            continue;
        }
        if (request.sources.empty() || after_plus) {
            request.sources.push_back({unquoted(word), ascii.value_or(false)});
        } else if (!request.target) {
            request.target = unquoted(word);
            request.target_ascii = ascii.value_or(request.joins);
        } else {
            return bad_syntax(shell), false;
        }
        after_plus = false;
    }
    if (request.sources.empty() || after_plus) return bad_syntax(shell), false;
    // Joined files are text unless the line says otherwise.
    if (!ascii && request.joins)
        for (CopySource& source : request.sources) source.ascii = true;
    return true;
}

bool same_file(const Text& a, const Text& b) {
    return same(full_path(a), full_path(b));
}

class Copy {
  public:
    Copy(Shell& shell, CopyRequest request) : shell_(shell), request_(std::move(request)) {}

    int run() {
        if (!expand_sources()) return finish(1);
        Text target = request_.target.value_or(request_.joins ? files_[0].path : L".");
        while (target.size() > 3 && (target.back() == L'\\' || target.back() == L'/') && is_directory(target))
            target.pop_back();
        bool into = is_directory(target);
        bool joins = request_.joins || (files_.size() > 1 && !into && !has_wildcard(target));
        if (joins) return finish(join(into ? joined(target, name_of(files_[0].path)) : target));
        for (const CopySource& file : files_) {
            Text to = into ? joined(target, name_of(file.path))
                      : has_wildcard(target)
                          ? directory_of(target) + renamed(name_of(file.path), name_of(target))
                          : target;
            if (shows_names_) shell_.out(file.path + L"\r\n");
            if (int code = copy_one(file, to)) return finish(code);
        }
        return finish(0);
    }

  private:
    bool expand_sources() {
        for (const CopySource& source : request_.sources) {
            Text pattern = is_directory(source.path) ? joined(source.path, L"*") : source.path;
            if (is_null_device(pattern)) {
                files_.push_back({L"nul", source.ascii});
                continue;
            }
            shows_names_ = shows_names_ || has_wildcard(pattern) || request_.joins;
            DWORD error = 0;
            bool any = false;
            for (const Entry& entry : entries(pattern, &error)) {
                if (entry.is_directory() ||
                    (has_wildcard(pattern) && (entry.attributes & FILE_ATTRIBUTE_HIDDEN)))
                    continue;
                files_.push_back({directory_of(pattern) + entry.name, source.ascii});
                any = true;
            }
            if (any || (request_.joins && &source != &request_.sources[0])) continue;
            counts_ = error == ERROR_PATH_NOT_FOUND || has_wildcard(pattern);
            shell_.complain(has_wildcard(pattern) && error != ERROR_PATH_NOT_FOUND
                                ? pattern + L"\r\n" + error_text(ERROR_FILE_NOT_FOUND)
                                : error_text(error ? error : ERROR_FILE_NOT_FOUND));
            return false;
        }
        return !files_.empty() || shell_.complain_of(ERROR_FILE_NOT_FOUND) == 0;
    }

    int finish(int code) {
        if (counts_) shell_.out(L"        " + decimal(copied_) + L" file(s) copied.\r\n");
        return code;
    }

    bool may_write(const Text& to) {
        return !request_.asks || !exists(to) || confirmed(shell_, L"Overwrite " + to + L"? (Yes/No/All): ");
    }

    int copy_one(const CopySource& file, const Text& to) {
        if (same_file(file.path, to)) return shell_.complain(L"The file cannot be copied onto itself.");
        if (!may_write(to)) return 1;
        if (file.ascii || request_.target_ascii || is_null_device(file.path) || is_null_device(to)) {
            std::string bytes;
            if (!append(file, bytes) || !write(to, bytes)) return shell_.complain_of(GetLastError());
        } else if (!CopyFileW(file.path.c_str(), to.c_str(), FALSE)) {
            return shell_.complain_of(GetLastError());
        }
        ++copied_;
        return 0;
    }

    int join(const Text& to) {
        std::string bytes;
        bool onto_first = same_file(files_[0].path, to);
        if (!onto_first && !may_write(to)) return 1;
        for (const CopySource& file : files_) {
            if (shows_names_) shell_.out(file.path + L"\r\n");
            if (&file != &files_[0] && same_file(file.path, to)) {
                shell_.complain(L"Content of destination file lost before copy.");
                continue;
            }
            if (!append(file, bytes)) return shell_.complain_of(GetLastError());
        }
        if (!write(to, bytes)) return shell_.complain_of(GetLastError());
        copied_ = 1;
        return 0;
    }

    bool append(const CopySource& file, std::string& bytes) {
        HANDLE handle = CreateFileW(file.path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                    nullptr, OPEN_EXISTING, 0, nullptr);
        if (handle == INVALID_HANDLE_VALUE) return false;
        std::string own = read_all(handle);
        CloseHandle(handle);
        // Text ends where its mark is.
        bytes.append(own, 0, file.ascii ? own.find(kEndOfFile) : std::string::npos);
        return true;
    }

    bool write(const Text& to, std::string bytes) {
        if (request_.target_ascii) bytes += kEndOfFile;
        HANDLE handle =
            CreateFileW(to.c_str(), GENERIC_WRITE, FILE_SHARE_READ, nullptr,
                        is_null_device(to) ? OPEN_EXISTING : CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
        if (handle == INVALID_HANDLE_VALUE) return false;
        bool written = write_bytes(handle, bytes);
        DWORD error = GetLastError();
        CloseHandle(handle);
        SetLastError(error);
        return written;
    }

    Shell& shell_;
    CopyRequest request_;
    std::vector<CopySource> files_;
    bool shows_names_ = false;
    bool counts_ = true;
    int copied_ = 0;
};

}  // namespace

int copy(Shell& shell, View arguments) {
    CopyRequest request;
    if (!read_copy_request(shell, arguments, request)) return 1;
    return Copy(shell, std::move(request)).run();
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
    HANDLE file = CreateFileW(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                              OPEN_EXISTING, 0, nullptr);
    if (file == INVALID_HANDLE_VALUE) return false;
    char buffer[16384];
    DWORD got = 0;
    bool first = true, wide = false;
    std::string wide_text;
    while (ReadFile(file, buffer, sizeof buffer, &got, nullptr) && got != 0) {
        std::string_view bytes(buffer, got);
        if (std::exchange(first, false)) wide = bytes.starts_with("\xff\xfe");
        if (wide)
            wide_text += bytes;
        else if (!write_bytes(shell.handle(1), bytes))
            break;
    }
    if (wide) shell.out(decoded(wide_text));
    CloseHandle(file);
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
