// Annotations of what an image exporter writes, from its attributes:
// `annotation[-TYPE][[PLATFORM]].KEY=VALUE` with TYPE manifest (also if left out), manifest-descriptor, index
// or index-descriptor. Internal to the room.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "oci/platform.hpp"

namespace mullion::worker {

class AttributeReader;

class Annotations {
  public:
    using Map = std::map<std::string, std::string>;

    Annotations() = default;
    // Throws Invalid for a key that is none of the above.
    explicit Annotations(AttributeReader& attributes);

    const Map& index() const { return index_; }
    const Map& index_descriptor() const { return index_descriptor_; }
    // What is said for all platforms, then what is said for this one.
    Map manifest(const oci::Platform& platform) const { return of(manifest_, platform); }
    Map manifest_descriptor(const oci::Platform& platform) const {
        return of(manifest_descriptor_, platform);
    }

    // Throws Invalid for annotations that would end up nowhere: of an index where none is made, of a platform
    // that is not built.
    void check(const std::vector<oci::Platform>& platforms, bool makes_index) const;

  private:
    struct Entry {
        std::optional<oci::Platform> platform;
        std::string key;
        std::string value;
    };

    void add(const std::string& attribute, const std::string& value, const AttributeReader& attributes);
    static Map of(const std::vector<Entry>& entries, const oci::Platform& platform);

    Map index_;
    Map index_descriptor_;
    std::vector<Entry> manifest_;
    std::vector<Entry> manifest_descriptor_;
};

}  // namespace mullion::worker
