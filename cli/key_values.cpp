#include "cli/key_values.hpp"

#include <algorithm>

#include "base/csv.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

}  // namespace

KeyValueList parse_key_value_csv(std::string_view text, std::string_view option) {
    KeyValueList list;
    auto fields =
        base::with_context([&] { return std::string(option); }, [&] { return base::csv_record(text); });
    for (const std::string& field : fields) {
        std::size_t equals = field.find('=');
        if (equals == std::string::npos || equals == 0) {
            throw fail(ErrorCode::Invalid, "invalid value \"{}\" in {}: must be key=value", field, option);
        }
        list.emplace_back(field.substr(0, equals), field.substr(equals + 1));
    }
    return list;
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
    std::optional<std::string> value = base::environment(text);
    if (!value) return {};
    return std::pair(text, *value);
}

}  // namespace mullion::cli
