#include "cli/key_values.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

// Reads one CSV field from the front of `rest`; a field may be quoted as a whole, "" inside is a quote.
std::string take_field(std::string_view& rest, std::string_view option) {
    std::string field;
    if (rest.substr(0, 1) != "\"") {
        std::size_t end = std::min(rest.find(','), rest.size());
        field = rest.substr(0, end);
        rest.remove_prefix(end);
        return field;
    }
    rest.remove_prefix(1);
    for (;;) {
        std::size_t quote = rest.find('"');
        if (quote == std::string_view::npos) throw fail(ErrorCode::Invalid, "{}: unclosed quote", option);
        field += rest.substr(0, quote);
        rest.remove_prefix(quote + 1);
        if (rest.substr(0, 1) != "\"") break;
        field += '"';
        rest.remove_prefix(1);
    }
    if (!rest.empty() && rest.front() != ',')
        throw fail(ErrorCode::Invalid, "{}: text after a closing quote", option);
    return field;
}

}  // namespace

KeyValueList parse_key_value_csv(std::string_view text, std::string_view option) {
    KeyValueList list;
    for (std::string_view rest = text;;) {
        std::string field = take_field(rest, option);
        std::size_t equals = field.find('=');
        if (equals == std::string::npos || equals == 0) {
            throw fail(ErrorCode::Invalid, "invalid value \"{}\" in {}: must be key=value", field, option);
        }
        list.emplace_back(field.substr(0, equals), field.substr(equals + 1));
        if (rest.empty()) return list;
        rest.remove_prefix(1);
    }
}

std::vector<std::string> split_commas(std::string_view text) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        std::size_t end = std::min(text.find(',', begin), text.size());
        parts.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

std::optional<std::pair<std::string, std::string>> parse_assignment(const std::string& text,
                                                                    std::string_view option) {
    std::size_t equals = text.find('=');
    if (equals == 0 || text.empty())
        throw fail(ErrorCode::Invalid, "invalid value \"{}\" in {}: no name", text, option);
    if (equals != std::string::npos) return std::pair(text.substr(0, equals), text.substr(equals + 1));
    const char* value = std::getenv(text.c_str());
    if (value == nullptr) return {};
    return std::pair(text, std::string(value));
}

}  // namespace mullion::cli
