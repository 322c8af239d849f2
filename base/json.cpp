#include "base/json.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace mullion::base {
namespace {

constexpr int kMaxDepth = 64;

// Counts brackets outside of strings; exact for valid JSON. Not done with the parser's callback: that makes
// the parser look at all elders of every object it ends, which is quadratic in a list of objects.
bool too_deep(std::string_view text) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        if (c == '[' || c == '{') ++depth;
        if (c == ']' || c == '}') --depth;
        if (depth > kMaxDepth) return true;
    }
    return false;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what) {
    // The parser itself does not recurse; the depth limit protects later walks and destruction.
    if (too_deep(text)) {
        throw mullion::base::fail(ErrorCode::Invalid, "{}: JSON nested deeper than {} levels", what,
                                  kMaxDepth);
    }
    try {
        return Json::parse(text);
    } catch (const Json::exception& error) {
        std::string message = error.what();
        if (auto at = message.find("] "); at != std::string::npos) message.erase(0, at + 2);
        throw mullion::base::fail(ErrorCode::Invalid, "{}: not valid JSON: {}", what, message);
    }
}

std::optional<JsonView> JsonView::find(const std::string& key) const {
    if (!value_->is_object()) fail("an object");
    auto member = value_->find(key);
    if (member == value_->end() || member->is_null()) return {};
    return JsonView(&*member, path_ + "." + key);
}

JsonView JsonView::at(const std::string& key) const {
    if (auto member = find(key)) return *member;
    throw mullion::base::fail(ErrorCode::Invalid, "{}.{}: missing", path_, key);
}

std::string JsonView::string() const {
    if (!value_->is_string()) fail("a string");
    return value_->get<std::string>();
}

std::int64_t JsonView::integer() const {
    if (!value_->is_number_integer()) fail("an integer");
    if (value_->is_number_unsigned() && value_->get<std::uint64_t>() > INT64_MAX) fail("a smaller integer");
    return value_->get<std::int64_t>();
}

std::uint64_t JsonView::size() const {
    std::int64_t value = integer();
    if (value < 0) fail("a non-negative integer");
    return static_cast<std::uint64_t>(value);
}

bool JsonView::boolean() const {
    if (!value_->is_boolean()) fail("true or false");
    return value_->get<bool>();
}

std::vector<JsonView> JsonView::array() const {
    if (!value_->is_array()) fail("an array");
    std::vector<JsonView> items;
    items.reserve(value_->size());
    for (std::size_t i = 0; i < value_->size(); ++i) {
        items.push_back(JsonView(&(*value_)[i], fmt::format("{}[{}]", path_, i)));
    }
    return items;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
    if (!value_->is_object()) fail("an object");
    std::vector<std::pair<std::string, JsonView>> items;
    for (const auto& [key, value] : value_->items()) {
        items.emplace_back(key, JsonView(&value, path_ + "." + key));
    }
    return items;
}

std::vector<std::string> JsonView::strings() const {
    std::vector<std::string> values;
    for (const JsonView& item : array()) values.push_back(item.string());
    return values;
}

std::string JsonView::string_or(const std::string& key, std::string fallback) const {
    auto member = find(key);
    return member ? member->string() : fallback;
}

std::vector<std::string> JsonView::strings_or_empty(const std::string& key) const {
    auto member = find(key);
    return member ? member->strings() : std::vector<std::string>{};
}

void JsonView::only(std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : members()) {
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            throw mullion::base::fail(ErrorCode::Invalid, "{}: unknown member", value.path());
        }
    }
}

void JsonView::fail(std::string_view expected) const {
    throw mullion::base::fail(ErrorCode::Invalid, "{}: expected {}, found {}", path_, expected,
                              value_->type_name());
}

}  // namespace mullion::base
