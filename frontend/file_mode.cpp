#include "frontend/file_mode.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mullion::frontend {

namespace {

bool all_of_set(std::string_view text, std::string_view set) {
    return text.find_first_not_of(set) == std::string_view::npos;
}

bool is_octal_mode(std::string_view text) {
    if (text.empty() || !all_of_set(text, "01234567")) return false;
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
    return text.size() <= 4;
}

// [ugoa]* then one or more of [+-=] with permissions or one of u, g, o to copy from.
bool is_clause(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of("ugoa"), text.size()));
    if (text.empty()) return false;
    while (!text.empty()) {
        if (text[0] != '+' && text[0] != '-' && text[0] != '=') return false;
        text.remove_prefix(1);
        const auto permissions = text.substr(0, text.find_first_of("+-="));
        const bool copies = permissions == "u" || permissions == "g" || permissions == "o";
        if (!copies && !all_of_set(permissions, "rwxXst")) return false;
        text.remove_prefix(permissions.size());
    }
    return true;
}

bool is_symbolic_mode(std::string_view text) {
    for (;;) {
        const auto comma = text.find(',');
        if (!is_clause(text.substr(0, comma))) return false;
        if (comma == std::string_view::npos) return true;
        text.remove_prefix(comma + 1);
    }
}

}  // namespace

void check_file_mode(std::string_view text) {
    if (!is_octal_mode(text) && !is_symbolic_mode(text))
        throw base::fail(base::ErrorCode::Invalid,
                         "invalid chmod parameter: '{}'. it should be octal string and between 0 and 07777",
                         text)
            .about(text);
}

}  // namespace mullion::frontend
