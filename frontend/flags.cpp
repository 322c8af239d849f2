#include "frontend/flags.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "frontend/suggest.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

std::string boolean_text(const std::string& name, bool has_value, std::string_view value) {
    if (!has_value) return "true";
    if (value.empty())
        throw fail(ErrorCode::Invalid, "missing a value on flag: --{}", name)
            .about(fmt::format("--{}", name));
    auto text = lower(value);
    if (text != "true" && text != "false")
        throw fail(ErrorCode::Invalid, "expecting boolean value for flag --{}, not: {}", name, value)
            .about(value);
    return text;
}

}  // namespace

Flags::Flags(const std::vector<std::string>& written, std::initializer_list<FlagRule> rules) {
    for (const auto& flag : written) {
        if (!flag.starts_with("--")) throw fail(ErrorCode::Invalid, "arg should start with -- : {}", flag);
        const auto equals = flag.find('=');
        const bool has_value = equals != std::string::npos;
        const auto name = flag.substr(2, has_value ? equals - 2 : equals);
        const auto value = has_value ? std::string_view(flag).substr(equals + 1) : std::string_view();
        const auto* rule =
            std::find_if(rules.begin(), rules.end(), [&](const FlagRule& r) { return r.name == name; });
        if (rule == rules.end()) {
            std::vector<std::string_view> names;
            for (const auto& known : rules) names.push_back(known.name);
            throw fail(ErrorCode::Invalid, "unknown flag: --{}{}", name, did_you_mean(name, names))
                .about(fmt::format("--{}", name));
        }
        if (used(name) && rule->kind != FlagKind::TextList)
            throw fail(ErrorCode::Invalid, "duplicate flag specified: --{}", name).about(flag);
        if (rule->kind == FlagKind::Boolean) {
            values_.push_back({name, boolean_text(name, has_value, value)});
        } else {
            if (!has_value)
                throw fail(ErrorCode::Invalid, "missing a value on flag: --{}", name)
                    .about(fmt::format("--{}", name));
            values_.push_back({name, std::string(value)});
        }
    }
}

const Flags::Value* Flags::find(std::string_view name) const {
    const auto value =
        std::find_if(values_.begin(), values_.end(), [&](const Value& v) { return v.name == name; });
    return value == values_.end() ? nullptr : &*value;
}

bool Flags::used(std::string_view name) const {
    return find(name) != nullptr;
}

std::optional<bool> Flags::boolean(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    return value->text == "true";
}

std::string Flags::text(std::string_view name) const {
    const auto* value = find(name);
    return value == nullptr ? std::string() : value->text;
}

std::vector<std::string> Flags::texts(std::string_view name) const {
    std::vector<std::string> out;
    for (const auto& value : values_)
        if (value.name == name) out.push_back(value.text);
    return out;
}

}  // namespace mullion::frontend
