// Attributes of `-o`, taken one by one; what nobody took is unknown. Internal to the room.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/annotations.hpp"
#include "worker/exporter.hpp"

namespace mullion::worker {

class AttributeReader {
  public:
    // Throws Invalid for an attribute given twice.
    AttributeReader(std::string_view type, const Attributes& attributes);

    std::optional<std::string> take(const std::string& key);
    bool take_bool(const std::string& key, bool fallback);
    std::optional<bool> take_optional_bool(const std::string& key);
    // All whose names begin with `prefix`, without it.
    std::map<std::string, std::string> take_prefix(std::string_view prefix);
    // Throws Unsupported for those that other engines have, Invalid for the rest.
    void finish() const;

    [[noreturn]] void invalid(std::string_view key, std::string_view value, std::string_view expected) const;

  private:
    std::string type_;
    std::map<std::string, std::string> left_;
};

// What the exporters that make an image have in common.
struct ImageOptions {
    std::vector<std::string> names;  // full references
    CompressionOptions compression;
    bool docker_media_types = false;
    bool rewrite_timestamps = false;
    Annotations annotations;
};
ImageOptions take_image_options(AttributeReader& attributes, const std::vector<std::string>& names,
                                bool docker_media_types);

// Where a file goes: a path in a directory that exists, or standard output (`-`, or no dest at all).
std::optional<std::filesystem::path> take_file_destination(AttributeReader& attributes);
// A directory, which need not exist. `expected` is for the error if there is none.
std::filesystem::path take_directory_destination(AttributeReader& attributes, std::string_view expected);

}  // namespace mullion::worker
