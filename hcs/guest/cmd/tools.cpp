// MORE and CHOICE: programs of Windows that Wine has inside its own interpreter only.
#include <algorithm>

#include "hcs/guest/cmd/builtins.hpp"
#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"

namespace mullion::cmd::builtin {
namespace {

constexpr std::size_t kTab = 8;

// Tabs become blanks, and an empty line follows.
std::string paged(std::string_view bytes) {
    if (bytes.empty()) return {};
    std::string result;
    std::size_t column = 0;
    for (char c : bytes) {
        if (c == '\t') {
            std::size_t width = kTab - column % kTab;
            result.append(width, ' ');
            column += width;
            continue;
        }
        result += c;
        column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
    return result + "\r\n";
}

}  // namespace

int more(Shell& shell, View arguments) {
    std::optional<Words> given = parse_words(shell, arguments, L"");
    if (!given) return 1;
    if (given->operands.empty()) {
        write_bytes(shell.handle(1), paged(read_all(shell.handle(0))));
        return 0;
    }
    for (const Text& path : given->operands) {
        Handle file = open_to_read(path);
        if (!file) return shell.complain(L"Cannot access file " + full_path(path));
        write_bytes(shell.handle(1), paged(read_all(file.get())));
    }
    return 0;
}

namespace {

struct Choice {
    Text letters = L"YN";
    Text message;
    bool shows_letters = true;
    bool exact_case = false;
    std::optional<std::int32_t> seconds;
    wchar_t otherwise = 0;

    // 1 for the first; 0 if it is none.
    int index_of(wchar_t c) const {
        for (std::size_t i = 0; i < letters.size(); ++i)
            if (exact_case ? letters[i] == c : upper(letters[i]) == upper(c)) return static_cast<int>(i) + 1;
        return 0;
    }
};

// "/c:abc" and "/c abc": false if something is wrong.
bool read_choice(View arguments, Choice& choice) {
    std::vector<Text> given = words(arguments);
    for (std::size_t i = 0; i < given.size(); ++i) {
        View word = given[i];
        if (word.size() < 2 || word[0] != L'/') return false;
        View name = word.substr(1, word.find(L':', 1) - 1);
        if (same(name, L"n")) {
            choice.shows_letters = false;
            continue;
        }
        if (same(name, L"cs")) {
            choice.exact_case = true;
            continue;
        }
        bool attached = name.size() + 1 < word.size();
        if (!attached && ++i == given.size()) return false;
        Text value = unquoted(attached ? word.substr(name.size() + 2) : View(given[i]));
        if (value.empty()) return false;
        if (same(name, L"c"))
            choice.letters = value;
        else if (same(name, L"m"))
            choice.message = value;
        else if (same(name, L"t"))
            choice.seconds = number(value);
        else if (same(name, L"d"))
            choice.otherwise = value[0];
        else
            return false;
    }
    bool timed = choice.seconds.has_value(), defaulted = choice.otherwise != 0;
    return timed == defaulted && (!defaulted || choice.index_of(choice.otherwise) != 0);
}

// Whether a key is there before the time is over; a closed input has one, its end.
bool wait_for_key(HANDLE input, std::int32_t seconds) {
    for (std::int64_t left = std::int64_t{seconds} * 10; left > 0; --left) {
        DWORD available = 0;
        if (GetFileType(input) == FILE_TYPE_PIPE &&
            PeekNamedPipe(input, nullptr, 0, nullptr, &available, nullptr) && available != 0)
            return true;
        Sleep(100);
    }
    return false;
}

}  // namespace

int choice(Shell& shell, View arguments) {
    constexpr int kFailed = 255;
    Choice choice;
    if (!read_choice(arguments, choice)) return shell.complain(L"ERROR: Invalid syntax.", kFailed);
    Text question = choice.message;
    if (choice.shows_letters) {
        question += question.empty() ? L"[" : L" [";
        for (wchar_t c : choice.letters)
            question += Text(question.back() == L'[' ? L"" : L",") + (choice.exact_case ? c : upper(c));
        question += L"]?";
    }
    shell.out(question);
    int picked = 0;
    if (choice.seconds && !wait_for_key(shell.handle(0), *choice.seconds))
        picked = choice.index_of(choice.otherwise);
    char c;
    DWORD got = 0;
    while (picked == 0 && ReadFile(shell.handle(0), &c, 1, &got, nullptr) && got == 1)
        picked = choice.index_of(static_cast<unsigned char>(c));
    if (picked == 0)
        return shell.complain(L"\r\nERROR: The file is either empty or does not contain the valid choices.",
                              kFailed);
    shell.out(Text(1, choice.exact_case ? choice.letters[static_cast<std::size_t>(picked - 1)]
                                        : upper(choice.letters[static_cast<std::size_t>(picked - 1)])) +
              L"\r\n");
    return picked;
}

}  // namespace mullion::cmd::builtin
