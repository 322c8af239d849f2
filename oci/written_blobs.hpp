// What an ImageWriter has stored so far, to store nothing twice and to let no incomplete image out.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "oci/layout.hpp"

namespace mullion::oci {

class WrittenBlobs {
  public:
    bool contains(const base::Digest& digest) const { return digests_.count(digest) > 0; }
    void add(const Descriptor& descriptor) { digests_.insert(descriptor.digest); }
    // A manifest or index: its bytes are kept, they are needed at the end.
    void add_document(const Descriptor& descriptor, std::string bytes);

    static bool is_document(const Descriptor& descriptor) {
        return media_type::is_manifest(descriptor.media_type) || media_type::is_index(descriptor.media_type);
    }
    // A manifest that was written; throws Invalid if it was not.
    Manifest manifest(const Descriptor& descriptor) const;
    Index index(const Descriptor& descriptor) const;

    // Throws Invalid, naming the first blob that a root needs and that was not written; and for indexes
    // nested deeper than 4. Foreign layers with URLs of their own may be absent, and so may whole entries of
    // an index: one platform of many is fine.
    void check_complete(const std::vector<NamedRoot>& roots) const;

  private:
    const std::string& document(const Descriptor& descriptor) const;
    void check_manifest(const Descriptor& descriptor) const;
    void check_document(const Descriptor& descriptor, int depth,
                        std::unordered_set<base::Digest>& seen) const;

    std::unordered_set<base::Digest> digests_;
    std::unordered_map<base::Digest, std::string> documents_;
};

// Checks bytes against their descriptor; throws Corrupt.
void verify_bytes(const Descriptor& descriptor, std::string_view bytes);

}  // namespace mullion::oci
