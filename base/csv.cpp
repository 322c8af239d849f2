#include "base/csv.hpp"

#include "base/error.hpp"

namespace mullion::base {
namespace {

std::string take_plain(std::string_view& rest) {
    std::string field(rest.substr(0, rest.find(',')));
    if (field.find('"') != std::string::npos) throw fail(ErrorCode::Invalid, "bare \" in non-quoted field");
    rest.remove_prefix(field.size());
    return field;
}

std::string take_quoted(std::string_view& rest) {
    std::string field;
    rest.remove_prefix(1);
    for (;;) {
        std::size_t quote = rest.find('"');
        if (quote == std::string_view::npos) break;
        field += rest.substr(0, quote);
        rest.remove_prefix(quote + 1);
        if (rest.empty() || rest.front() == ',') return field;
        if (rest.front() != '"') break;
        field += '"';
        rest.remove_prefix(1);
    }
    throw fail(ErrorCode::Invalid, "extraneous or missing \" in quoted field");
}

}  // namespace

std::vector<std::string> csv_record(std::string_view text) {
    std::vector<std::string> fields;
    for (;;) {
        fields.push_back(text.starts_with('"') ? take_quoted(text) : take_plain(text));
        if (text.empty()) return fields;
        text.remove_prefix(1);
    }
}

}  // namespace mullion::base
