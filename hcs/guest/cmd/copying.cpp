// COPY.
#include <utility>

#include "hcs/guest/cmd/builtins.hpp"
#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"

namespace mullion::cmd::builtin {
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
    if (!request.target) request.target_ascii = ascii.value_or(request.joins);
    // Joined files are text unless the line says otherwise.
    if (!ascii && request.joins)
        for (CopySource& source : request.sources) source.ascii = true;
    return true;
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
        bool plain =
            !file.ascii && !request_.target_ascii && !is_null_device(file.path) && !is_null_device(to);
        bool copied = plain ? CopyFileW(file.path.c_str(), to.c_str(), FALSE) : write(to, {file});
        if (!copied) return shell_.complain_of(GetLastError());
        ++copied_;
        return 0;
    }

    int join(const Text& to) {
        bool onto_first = same_file(files_[0].path, to);
        if (!onto_first && !may_write(to)) return 1;
        std::vector<CopySource> parts;
        for (const CopySource& file : files_) {
            if (shows_names_) shell_.out(file.path + L"\r\n");
            if (&file != &files_[0] && same_file(file.path, to))
                shell_.complain(L"Content of destination file lost before copy.");
            else
                parts.push_back(file);
        }
        // The first file is read while what takes its place is written.
        Text place = onto_first ? to + L"~mullion" : to;
        if (!write(place, parts) ||
            (onto_first && !MoveFileExW(place.c_str(), to.c_str(), MOVEFILE_REPLACE_EXISTING)))
            return shell_.complain_of(GetLastError());
        copied_ = 1;
        return 0;
    }

    bool write(const Text& to, const std::vector<CopySource>& parts) const {
        DWORD creation = is_null_device(to) ? OPEN_EXISTING : CREATE_ALWAYS;
        Handle out(CreateFileW(to.c_str(), GENERIC_WRITE, FILE_SHARE_READ, nullptr, creation,
                               FILE_ATTRIBUTE_NORMAL, nullptr));
        if (!out) return false;
        for (const CopySource& part : parts)
            if (!append(part, out.get())) return false;
        return !request_.target_ascii || write_bytes(out.get(), {&kEndOfFile, 1});
    }

    // Text ends where its mark is.
    static bool append(const CopySource& file, HANDLE out) {
        Handle in = open_to_read(file.path);
        if (!in) return false;
        char buffer[16384];
        DWORD got = 0;
        while (ReadFile(in.get(), buffer, sizeof buffer, &got, nullptr) && got != 0) {
            std::string_view bytes(buffer, got);
            std::size_t end = file.ascii ? bytes.find(kEndOfFile) : std::string_view::npos;
            if (!write_bytes(out, bytes.substr(0, end))) return false;
            if (end != std::string_view::npos) break;
        }
        return true;
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

}  // namespace mullion::cmd::builtin
