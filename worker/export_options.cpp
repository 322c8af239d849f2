#include "worker/export_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "oci/reference.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

// BuildKit has these; what they ask for is not done here.
constexpr std::array kElsewhere = {"attestation-prefix",
                                   "buildinfo",
                                   "dangling-name-prefix",
                                   "inline-cache",
                                   "name-canonical",
                                   "nydus",
                                   "oci-artifact",
                                   "prefer-nondist-layers",
                                   "push-by-digest",
                                   "registry.insecure",
                                   "store"};

void add_name(std::vector<std::string>& names, const std::string& name) {
    std::string full = new_image_name(name);
    if (std::find(names.begin(), names.end(), full) == names.end()) names.push_back(std::move(full));
}

void take_names(AttributeReader& attributes, std::vector<std::string>& names) {
    auto list = attributes.take("name");
    if (!list) return;
    for (std::size_t begin = 0; begin <= list->size();) {
        std::size_t end = std::min(list->find(',', begin), list->size());
        add_name(names, list->substr(begin, end - begin));
        begin = end + 1;
    }
}

int parse_level(const AttributeReader& attributes, const std::string& text, oci::Compression compression) {
    int level = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
    bool number = error == std::errc() && end == text.data() + text.size();
    bool gzip = compression == oci::Compression::Gzip;
    if (!number || level < 1 || level > (gzip ? 12 : 19)) {
        attributes.invalid("compression-level", text, gzip ? "1 to 12 for gzip" : "1 to 19 for zstd");
    }
    return level;
}

CompressionOptions take_compression(AttributeReader& attributes) {
    CompressionOptions options;
    auto name = attributes.take("compression");
    if (name == "uncompressed") {
        options.compression = oci::Compression::None;
    } else if (name == "zstd") {
        options.compression = oci::Compression::Zstd;
    } else if (name && *name != "gzip") {
        attributes.invalid("compression", *name, "gzip, zstd or uncompressed");
    }
    if (auto level = attributes.take("compression-level")) {
        if (options.compression == oci::Compression::None) {
            attributes.invalid("compression-level", *level, "none for uncompressed layers");
        }
        options.level = parse_level(attributes, *level, options.compression);
    }
    options.force = attributes.take_bool("force-compression", false);
    return options;
}

}  // namespace

AttributeReader::AttributeReader(std::string_view type, const Attributes& attributes) : type_(type) {
    for (const auto& [key, value] : attributes) {
        if (!left_.emplace(key, value).second) {
            throw fail(ErrorCode::Invalid, "output type={}: {} is given twice", type_, key);
        }
    }
}

std::optional<std::string> AttributeReader::take(const std::string& key) {
    auto found = left_.extract(key);
    if (found.empty()) return {};
    return std::move(found.mapped());
}

bool AttributeReader::take_bool(const std::string& key, bool fallback) {
    return take_optional_bool(key).value_or(fallback);
}

std::optional<bool> AttributeReader::take_optional_bool(const std::string& key) {
    auto value = take(key);
    if (!value) return {};
    if (*value == "true" || *value == "1") return true;
    if (*value == "false" || *value == "0") return false;
    invalid(key, *value, "true or false");
}

std::map<std::string, std::string> AttributeReader::take_prefix(std::string_view prefix) {
    std::map<std::string, std::string> found;
    for (auto at = left_.begin(); at != left_.end();) {
        if (at->first.starts_with(prefix) && at->first.size() > prefix.size()) {
            found[at->first.substr(prefix.size())] = at->second;
            at = left_.erase(at);
        } else {
            ++at;
        }
    }
    return found;
}

void AttributeReader::invalid(std::string_view key, std::string_view value, std::string_view expected) const {
    throw fail(ErrorCode::Invalid, "output type={}: {}={}: expected {}", type_, key, value, expected);
}

void AttributeReader::finish() const {
    for (const auto& [key, value] : left_) {
        bool elsewhere = std::find(kElsewhere.begin(), kElsewhere.end(), key) != kElsewhere.end();
        throw fail(elsewhere ? ErrorCode::Unsupported : ErrorCode::Invalid, "output type={}: {} \"{}\"",
                   type_, elsewhere ? "not built yet: attribute" : "unknown attribute", key);
    }
}

std::string new_image_name(const std::string& text) {
    oci::Reference reference = oci::Reference::parse(text);
    if (reference.digest()) {
        throw fail(ErrorCode::Invalid, "\"{}\": a name given to an image cannot have a digest", text);
    }
    return reference.with_default_tag().string();
}

ImageOptions take_image_options(AttributeReader& attributes, const std::vector<std::string>& names,
                                bool docker_media_types) {
    ImageOptions options;
    for (const std::string& name : names) add_name(options.names, name);
    take_names(attributes, options.names);
    options.compression = take_compression(attributes);
    options.docker_media_types = !attributes.take_bool("oci-mediatypes", !docker_media_types);
    if (options.docker_media_types && options.compression.compression == oci::Compression::Zstd) {
        attributes.invalid("compression", "zstd",
                           "oci-mediatypes=true with it: Docker has no media type for it");
    }
    options.rewrite_timestamps = attributes.take_bool("rewrite-timestamp", false);
    options.annotations = Annotations(attributes);
    return options;
}

std::optional<fs::path> take_file_destination(AttributeReader& attributes) {
    auto destination = attributes.take("dest");
    if (!destination || *destination == "-") return {};
    if (destination->empty()) attributes.invalid("dest", "", "a file, or - for standard output");
    fs::path path = fs::absolute(base::to_path(*destination));
    std::error_code code;
    if (fs::is_directory(path, code)) attributes.invalid("dest", *destination, "a file; this is a directory");
    if (!fs::is_directory(path.parent_path(), code)) {
        attributes.invalid("dest", *destination, "a file in a directory that exists");
    }
    if (fs::exists(path, code) && !fs::is_regular_file(path, code)) {
        attributes.invalid("dest", *destination, "a regular file, or - for standard output");
    }
    // What a link leads to is replaced, not the link: /dev/stdout is one.
    if (fs::is_symlink(path, code) && fs::exists(path, code)) return fs::canonical(path);
    return path;
}

fs::path take_directory_destination(AttributeReader& attributes, std::string_view expected) {
    auto destination = attributes.take("dest");
    if (!destination || destination->empty() || *destination == "-") {
        attributes.invalid("dest", destination.value_or(""), expected);
    }
    std::error_code code;
    fs::path path = fs::absolute(base::to_path(*destination));
    if (fs::exists(path, code) && !fs::is_directory(path, code)) {
        attributes.invalid("dest", *destination, "a directory; this is a file");
    }
    return path;
}

}  // namespace mullion::worker
