#include "frontend/json_array.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

// The value of "\uXXXX" at `at`, or nullopt.
std::optional<std::uint32_t> unicode_escape(std::string_view text, std::size_t at) {
    if (text.size() < at + 6 || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
    std::uint32_t value = 0;
    for (const char c : text.substr(at + 2, 4)) {
        if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
        value = value * 16 + static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

bool is_high(std::optional<std::uint32_t> value) {
    return value && *value >= 0xD800 && *value < 0xDC00;
}
bool is_low(std::optional<std::uint32_t> value) {
    return value && *value >= 0xDC00 && *value < 0xE000;
}

// What a strict parser rejects but the language accepts: unpaired surrogate escapes and invalid UTF-8.
std::string with_replacements(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        std::size_t taken = 1;
        const auto value = unicode_escape(text, 0);
        if (is_high(value) && is_low(unicode_escape(text, 6))) {
            out.append(text.substr(0, taken = 12));
        } else if (is_high(value) || is_low(value)) {
            out += "\\ufffd";
            taken = 6;
        } else if (text[0] == '\\') {
            out.append(text.substr(0, taken = std::min<std::size_t>(2, text.size())));
        } else {
            const auto next = decode(text);
            append_utf8(out, next.code_point);
            taken = next.width;
        }
        text.remove_prefix(taken);
    }
    return out;
}

// Collects the elements; deeper values only count as "not a string".
class StringArray final : public nlohmann::json_sax<nlohmann::json> {
  public:
    std::vector<std::string> strings;
    bool only_strings = true;

    bool null() override { return other(); }
    bool boolean(bool) override { return other(); }
    bool number_integer(number_integer_t) override { return other(); }
    bool number_unsigned(number_unsigned_t) override { return other(); }
    bool number_float(number_float_t, const string_t&) override { return other(); }
    bool binary(binary_t&) override { return other(); }
    bool string(string_t& value) override {
        if (depth_ == 1) strings.push_back(std::move(value));
        return true;
    }
    bool key(string_t&) override { return true; }
    bool start_object(std::size_t) override { return enter(); }
    bool start_array(std::size_t) override { return enter(); }
    bool end_object() override { return leave(); }
    bool end_array() override { return leave(); }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
        return false;
    }

  private:
    bool other() {
        only_strings = false;
        return true;
    }
    bool enter() {
        if (++depth_ > 1) only_strings = false;
        return true;
    }
    bool leave() {
        --depth_;
        return true;
    }
    int depth_ = 0;
};

}  // namespace

std::optional<std::vector<std::string>> parse_json_strings(std::string_view text) {
    text = trim_left(text);
    if (!text.starts_with('[')) return std::nullopt;
    StringArray array;
    if (!nlohmann::json::sax_parse(with_replacements(text), &array)) return std::nullopt;
    if (!array.only_strings)
        throw base::Error(base::ErrorCode::Invalid,
                          "when using JSON array syntax, arrays must be comprised of strings only");
    return std::move(array.strings);
}

}  // namespace mullion::frontend
