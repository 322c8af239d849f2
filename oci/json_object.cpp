#include "oci/json_object.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mullion::oci {

using base::ErrorCode;
using base::Json;
using base::JsonView;
using base::OrderedJson;

namespace {

// Sorted by member name at every level.
OrderedJson ordered(const Json& value) {
    return OrderedJson::parse(canonical(value));
}

}  // namespace

void ObjectWriter::text(const char* key, const std::string& value) {
    if (!value.empty()) put(key, value);
}

void ObjectWriter::strings(const char* key, const std::vector<std::string>& values) {
    if (!values.empty()) put(key, values);
}

void ObjectWriter::map(const char* key, const std::map<std::string, std::string>& values) {
    if (values.empty()) return;
    OrderedJson object = OrderedJson::object();
    for (const auto& [name, value] : values) object[name] = value;
    put(key, std::move(object));
}

void ObjectWriter::number(const char* key, std::int64_t value) {
    if (value != 0) put(key, value);
}

void ObjectWriter::flag(const char* key, bool value) {
    if (value) put(key, true);
}

void ObjectWriter::platform(const Platform& platform) {
    put("architecture", platform.architecture);
    put("os", platform.os);
    text("os.version", platform.os_version);
    strings("os.features", platform.os_features);
    text("variant", platform.variant);
}

void ObjectWriter::set(const char* key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    std::map<std::string, std::string> sorted;
    for (const std::string& value : values) sorted[value];
    OrderedJson object = OrderedJson::object();
    for (const auto& [name, unused] : sorted) object[name] = OrderedJson::object();
    put(key, std::move(object));
}

OrderedJson ObjectWriter::finish(const std::string& extra) {
    if (extra == "{}") return std::move(object_);
    Json members = base::parse_json(extra, "extra members");
    if (!members.is_object()) throw base::fail(ErrorCode::Invalid, "extra members: expected an object");
    for (const auto& [key, value] : members.items()) {
        auto known = object_.find(key);
        if (known == object_.end()) {
            object_[key] = ordered(value);
        } else if (known->is_object() && value.is_object()) {
            for (const auto& [name, inner] : value.items()) {
                if (!known->contains(name)) (*known)[name] = ordered(inner);
            }
        }
    }
    return std::move(object_);
}

std::string canonical(const OrderedJson& value) {
    return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string canonical(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json unknown_members(const JsonView& view, std::initializer_list<std::string_view> known) {
    Json unknown = Json::object();
    for (const auto& [key, member] : view.members()) {
        if (std::find(known.begin(), known.end(), key) == known.end()) unknown[key] = member.raw();
    }
    return unknown;
}

std::map<std::string, std::string> string_map(const JsonView& view) {
    std::map<std::string, std::string> values;
    for (const auto& [key, member] : view.members()) values[key] = member.string();
    return values;
}

Platform platform_members(const JsonView& view) {
    Platform platform;
    platform.architecture = view.string_or("architecture", "");
    platform.os = view.string_or("os", "");
    platform.os_version = view.string_or("os.version", "");
    platform.os_features = view.strings_or_empty("os.features");
    platform.variant = view.string_or("variant", "");
    return platform;
}

void check_count(std::size_t count, std::size_t limit, const JsonView& where) {
    if (count <= limit) return;
    throw base::fail(ErrorCode::Invalid, "{}: {} items, more than the {} allowed", where.path(), count,
                     limit);
}

Json parse_document(std::string_view json, std::size_t limit, std::string_view what) {
    if (json.size() > limit) {
        throw base::fail(ErrorCode::Invalid, "{}: larger than {} bytes", what, limit);
    }
    Json value = base::parse_json(json, what);
    if (!value.is_object()) throw base::fail(ErrorCode::Invalid, "{}: $: expected an object", what);
    return value;
}

}  // namespace mullion::oci
