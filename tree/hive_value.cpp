#include "base/error.hpp"
#include "tree/hive.hpp"
#include "tree/little_endian.hpp"
#include "tree/name.hpp"
#include "tree/utf16.hpp"

namespace mullion::tree {
namespace {

std::string terminated(std::string_view text) {
    auto bytes = to_utf16(text);
    if (!bytes) {
        throw base::fail(base::ErrorCode::Invalid, "the registry text \"{}\" is not UTF-8", printable(text));
    }
    return *bytes + std::string(2, '\0');
}

// Up to the NUL, which not everybody writes.
std::string_view first_text(std::string_view data) {
    for (std::size_t at = 0; at + 2 <= data.size(); at += 2) {
        if (get16(data, at) == 0) return data.substr(0, at);
    }
    return data;
}

}  // namespace

HiveValue HiveValue::string(std::string name, std::string_view text) {
    return {std::move(name), reg_type::kString, terminated(text)};
}

HiveValue HiveValue::expand_string(std::string name, std::string_view text) {
    return {std::move(name), reg_type::kExpandString, terminated(text)};
}

HiveValue HiveValue::multi_string(std::string name, const std::vector<std::string>& texts) {
    std::string data;
    for (const std::string& text : texts) data += terminated(text);
    return {std::move(name), reg_type::kMultiString, data + std::string(2, '\0')};
}

HiveValue HiveValue::dword(std::string name, std::uint32_t number) {
    HiveValue value{std::move(name), reg_type::kDword, {}};
    put32(value.data, number);
    return value;
}

HiveValue HiveValue::qword(std::string name, std::uint64_t number) {
    HiveValue value{std::move(name), reg_type::kQword, {}};
    put64(value.data, number);
    return value;
}

HiveValue HiveValue::binary(std::string name, std::string data) {
    return {std::move(name), reg_type::kBinary, std::move(data)};
}

std::optional<std::string> HiveValue::text() const {
    if (type != reg_type::kString && type != reg_type::kExpandString && type != reg_type::kLink) return {};
    return from_utf16(first_text(data)).text;
}

std::optional<std::vector<std::string>> HiveValue::texts() const {
    if (type != reg_type::kMultiString) return {};
    std::vector<std::string> texts;
    std::string_view rest = data;
    while (rest.size() >= 2) {
        std::string_view text = first_text(rest);
        if (text.empty()) break;
        texts.push_back(from_utf16(text).text);
        rest.remove_prefix(std::min(rest.size(), text.size() + 2));
    }
    return texts;
}

std::optional<std::uint64_t> HiveValue::number() const {
    if (type == reg_type::kQword && data.size() == 8) return get64(data, 0);
    if (data.size() != 4) return {};
    std::uint32_t value = get32(data, 0);
    if (type == reg_type::kDword) return value;
    if (type != reg_type::kDwordBigEndian) return {};
    return value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) | (value & 0xff) << 24;
}

}  // namespace mullion::tree
