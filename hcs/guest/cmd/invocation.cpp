#include "hcs/guest/cmd/invocation.hpp"

#include <algorithm>

namespace mullion::cmd {
namespace {

View without_program(View line) {
    bool quoted = false;
    std::size_t at = 0;
    while (at < line.size() && (quoted || !is_blank(line[at]))) {
        if (line[at] == L'"') quoted = !quoted;
        // "cmd/c": the first switch may follow at once.
        if (!quoted && line[at] == L'/' && at > 0) break;
        ++at;
    }
    return line.substr(at);
}

// Exactly two quotes, nothing special between them, at least one blank, and a program's name: they stay.
bool quotes_stay(View text, const std::function<bool(View)>& is_program) {
    if (std::count(text.begin(), text.end(), L'"') != 2) return false;
    std::size_t first = text.find(L'"'), last = text.rfind(L'"');
    View inner = text.substr(first + 1, last - first - 1);
    return inner.find_first_of(L"&<>()@^|") == View::npos && inner.find_first_of(L" \t") != View::npos &&
           is_program(inner);
}

Text command_of(View text, bool strip_always, const std::function<bool(View)>& is_program) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    if (text.empty() || text.front() != L'"') return Text(text);
    if (!strip_always && quotes_stay(text, is_program)) return Text(text);
    Text result(text.substr(1));
    if (std::size_t last = result.rfind(L'"'); last != Text::npos) result.erase(last, 1);
    return result;
}

}  // namespace

Invocation parse_invocation(View line, const std::function<bool(View)>& is_program) {
    Invocation result;
    bool strip_always = false;
    View rest = without_program(line);
    auto flag = [&](bool& value) {
        value = true;
        if (starts_same(rest, L":off")) value = false;
        if (!rest.empty() && rest[0] == L':')
            rest = rest.substr(std::min(rest.find_first_of(L" \t/"), rest.size()));
    };
    while (true) {
        rest = without_leading_delimiters(rest);
        if (rest.empty()) break;
        if (rest[0] != L'/' || rest.size() < 2) {  // Windows ignores words that are no switches
            rest = rest.substr(std::min(rest.find_first_of(L" \t"), rest.size()));
            continue;
        }
        wchar_t letter = upper(rest[1]);
        rest.remove_prefix(2);
        bool ignored = false;
        switch (letter) {
            case L'C':
            case L'R':
            case L'K':
                result.command = command_of(rest, strip_always, is_program);
                result.stays = letter == L'K';
                return result;
            case L'S':
                strip_always = true;
                break;
            case L'Q':
                result.quiet = true;
                break;
            case L'U':
                result.unicode_output = true;
                break;
            case L'A':
                result.unicode_output = false;
                break;
            case L'D':
                break;
            case L'X':
                result.extensions = true;
                break;
            case L'Y':
                result.extensions = false;
                break;
            case L'V':
                flag(result.delayed_expansion);
                break;
            case L'E':
                flag(result.extensions);
                break;
            case L'F':  // completion and colours of consoles
            case L'T':
                flag(ignored);
                break;
            default:
                result.unknown = Text(L"/") + letter;
                return result;
        }
    }
    result.stays = true;
    return result;
}

}  // namespace mullion::cmd
