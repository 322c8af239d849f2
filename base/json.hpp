// Reading JSON documents from outside: bounded, and every complaint names the path ("$.layers[2].size").
// Include only in .cpp files; interface headers use <nlohmann/json_fwd.hpp>.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::base {

using Json = nlohmann::json;                 // object keys sorted
using OrderedJson = nlohmann::ordered_json;  // object keys as inserted

// Parses a document; throws Invalid naming `what`. Nesting is bounded (64), duplicate keys: the last one
// wins.
Json parse_json(std::string_view text, std::string_view what);

// A value with its path. Accessors throw Invalid ("manifest.json: $.layers: expected an array").
class JsonView {
  public:
    JsonView(const Json& value, std::string what) : value_(&value), path_(std::move(what) + ": $") {}

    const Json& raw() const { return *value_; }
    const std::string& path() const { return path_; }

    // The member, or nullopt if absent or null.
    std::optional<JsonView> find(const std::string& key) const;
    JsonView at(const std::string& key) const;  // must be there

    std::string string() const;
    std::int64_t integer() const;
    std::uint64_t size() const;  // a non-negative integer
    bool boolean() const;
    std::vector<JsonView> array() const;
    std::vector<std::pair<std::string, JsonView>> members() const;
    std::vector<std::string> strings() const;  // array of strings

    // Convenience for optional members.
    std::string string_or(const std::string& key, std::string fallback) const;
    std::vector<std::string> strings_or_empty(const std::string& key) const;

    // Throws Invalid naming the first member that is not in `known`.
    void only(std::initializer_list<std::string_view> known) const;

    [[noreturn]] void fail(std::string_view expected) const;

  private:
    JsonView(const Json* value, std::string path) : value_(value), path_(std::move(path)) {}
    const Json* value_;
    std::string path_;
};

}  // namespace mullion::base
