#include "oci/json_object.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mullion::oci {

using base::ErrorCode;
using base::Json;
using base::JsonView;
using base::OrderedJson;

namespace {

// Adds a member that is known to be new. The object's own operator[] looks at all the others first, which is
// quadratic in the members of a hostile document.
void append(OrderedJson& object, const std::string& key, OrderedJson value) {
    object.get_ref<OrderedJson::object_t&>().emplace_back(key, std::move(value));
}

// One of the first `count` members, or null.
OrderedJson* find_member(OrderedJson& object, std::size_t count, const std::string& key) {
    auto& members = object.get_ref<OrderedJson::object_t&>();
    auto end = members.begin() + static_cast<std::ptrdiff_t>(count);
    auto found = std::find_if(members.begin(), end, [&](const auto& member) { return member.first == key; });
    return found == end ? nullptr : &found->second;
}

// Adds the members that `object` has not. Converting a Json, whose members are sorted, keeps their order.
void add_missing(OrderedJson& object, const Json& members) {
    const std::size_t own = object.size();
    for (const auto& [key, value] : members.items()) {
        if (find_member(object, own, key) == nullptr) append(object, key, OrderedJson(value));
    }
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
    for (const auto& [name, value] : values) append(object, name, value);
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
    for (const auto& [name, unused] : sorted) append(object, name, OrderedJson::object());
    put(key, std::move(object));
}

OrderedJson ObjectWriter::finish(const std::string& extra) {
    if (extra == "{}") return std::move(object_);
    Json members = base::parse_json(extra, "extra members");
    if (!members.is_object()) throw base::fail(ErrorCode::Invalid, "extra members: expected an object");
    const std::size_t own = object_.size();
    for (const auto& [key, value] : members.items()) {
        OrderedJson* known = find_member(object_, own, key);
        if (known == nullptr) {
            append(object_, key, OrderedJson(value));
        } else if (known->is_object() && value.is_object()) {
            add_missing(*known, value);
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
