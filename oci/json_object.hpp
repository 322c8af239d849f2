// Writing OCI documents in canonical form, and keeping the members we do not know. Include only in .cpp
// files.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "oci/platform.hpp"

namespace mullion::oci {

constexpr std::size_t kMaxLayers = 1024;  // of one image; Windows and Docker stop at 127

// Puts members in the order of the calls, which follow the order of the fields of the Go structs (what
// Docker, BuildKit and skopeo write). Empty values are left out, as `omitempty` does.
class ObjectWriter {
  public:
    ObjectWriter() : object_(base::OrderedJson::object()) {}

    void put(const char* key, base::OrderedJson value) { object_[key] = std::move(value); }
    void text(const char* key, const std::string& value);
    void strings(const char* key, const std::vector<std::string>& values);
    void map(const char* key, const std::map<std::string, std::string>& values);
    void number(const char* key, std::int64_t value);
    void flag(const char* key, bool value);
    // The five members of a platform, which stand in a row in every document that has one.
    void platform(const Platform& platform);
    // {"80/tcp":{}}, Go's map[string]struct{}.
    void set(const char* key, const std::vector<std::string>& values);

    // Unknown members, sorted by name, after the known ones. A member that is an object on both sides is
    // merged one level deep (that is how unknown members of "platform" and "rootfs" travel); otherwise the
    // known member wins. Throws Invalid if `extra` is not a JSON object.
    base::OrderedJson finish(const std::string& extra);

  private:
    base::OrderedJson object_;
};

// No white space; < > & stay as they are (Go writes \u003c). Text that is not UTF-8 gets U+FFFD, as in Go.
std::string canonical(const base::OrderedJson& value);
std::string canonical(const base::Json& value);

// The members of `view` that are not in `known`.
base::Json unknown_members(const base::JsonView& view, std::initializer_list<std::string_view> known);

std::map<std::string, std::string> string_map(const base::JsonView& view);
// What ObjectWriter::platform wrote; members that are absent come out empty.
Platform platform_members(const base::JsonView& view);

// Refuses more than `limit` items or bytes: a document is small, whoever sends it.
void check_count(std::size_t count, std::size_t limit, const base::JsonView& where);
base::Json parse_document(std::string_view json, std::size_t limit, std::string_view what);

}  // namespace mullion::oci
