#include "worker/annotations.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "worker/export_options.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kPrefix = "annotation";
constexpr std::string_view kForms =
    "annotation[-TYPE].KEY with TYPE manifest, manifest-descriptor, index or "
    "index-descriptor, and [PLATFORM] behind it for those of a manifest";

// An annotation for "windows/amd64" is for every version of it.
bool is_for(const oci::Platform& platform, const oci::Platform& wanted) {
    oci::Platform built = platform.normalized();
    oci::Platform named = wanted.normalized();
    if (named.os_version.empty()) built.os_version.clear();
    if (named.os_features.empty()) built.os_features.clear();
    return built == named;
}

}  // namespace

Annotations::Annotations(AttributeReader& attributes) {
    for (const auto& [attribute, value] : attributes.take_prefix(kPrefix)) add(attribute, value, attributes);
}

// `attribute` is what follows "annotation": "-TYPE[PLATFORM].KEY".
void Annotations::add(const std::string& attribute, const std::string& value,
                      const AttributeReader& attributes) {
    auto malformed = [&] { attributes.invalid(std::string(kPrefix) + attribute, value, kForms); };
    std::size_t end = attribute.find_first_of("[.");
    if (end == std::string::npos) malformed();
    std::string type = attribute.substr(0, end);
    Entry entry{{}, {}, value};
    if (attribute[end] == '[') {
        std::size_t close = attribute.find("].", end);
        if (close == std::string::npos) malformed();
        entry.platform = oci::Platform::parse(attribute.substr(end + 1, close - end - 1));
        end = close + 1;
    }
    entry.key = attribute.substr(end + 1);
    bool of_manifest = type.empty() || type == "-manifest" || type == "-manifest-descriptor";
    if (entry.key.empty() || (entry.platform && !of_manifest)) malformed();
    if (of_manifest) {
        auto& entries = type == "-manifest-descriptor" ? manifest_descriptor_ : manifest_;
        bool known = std::any_of(entries.begin(), entries.end(), [&](const Entry& other) {
            return other.platform == entry.platform && other.key == entry.key;
        });
        if (known) {
            attributes.invalid(std::string(kPrefix) + attribute, value,
                               "one value: annotation." + entry.key + " is given twice");
        }
        entries.push_back(std::move(entry));
    } else if (type == "-index") {
        index_[entry.key] = value;
    } else if (type == "-index-descriptor") {
        index_descriptor_[entry.key] = value;
    } else {
        malformed();
    }
}

Annotations::Map Annotations::of(const std::vector<Entry>& entries, const oci::Platform& platform) {
    Map annotations;
    for (bool specific : {false, true}) {
        for (const Entry& entry : entries) {
            if (entry.platform.has_value() != specific) continue;
            if (!specific || is_for(platform, *entry.platform)) annotations[entry.key] = entry.value;
        }
    }
    return annotations;
}

void Annotations::check(const std::vector<oci::Platform>& platforms, bool makes_index) const {
    if (!makes_index && !(index_.empty() && index_descriptor_.empty())) {
        throw fail(ErrorCode::Invalid, "index annotations not supported for single platform export")
            .hint("annotate the manifest, or make an index with --multi-platform=true");
    }
    for (const std::vector<Entry>* entries : {&manifest_, &manifest_descriptor_}) {
        for (const Entry& entry : *entries) {
            bool used = !entry.platform ||
                        std::any_of(platforms.begin(), platforms.end(), [&](const oci::Platform& platform) {
                            return is_for(platform, *entry.platform);
                        });
            if (used) continue;
            std::vector<std::string> built;
            for (const oci::Platform& platform : platforms) built.push_back(platform.string());
            throw fail(ErrorCode::Invalid, "annotation {} is for {}, but the build makes {}", entry.key,
                       entry.platform->string(), fmt::join(built, ", "));
        }
    }
}

}  // namespace mullion::worker
