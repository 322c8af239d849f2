// Which blobs of a layout directory are certainly whole.
#pragma once

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "oci/blob_source.hpp"
#include "oci/manifest.hpp"

namespace mullion::oci {

// The configs and layers of the images that an index.json names: who wrote them named them only when they
// were complete, so their bytes need not be read again (docs/decisions/0004-blobs-of-a-layout.md).
class FinishedBlobs {
  public:
    // Whatever is absent or damaged is passed over and names nothing; at most 1000 documents are read. Throws
    // Canceled.
    void add(BlobSource& layout, const std::vector<Descriptor>& roots, const base::CancelToken& cancel);

    // Is it named, with this size?
    bool contains(const Descriptor& blob) const;

  private:
    void add_document(BlobSource& layout, const Descriptor& descriptor, int depth,
                      const base::CancelToken& cancel);

    std::unordered_set<base::Digest> documents_;
    std::unordered_map<base::Digest, std::uint64_t> sizes_;
};

}  // namespace mullion::oci
