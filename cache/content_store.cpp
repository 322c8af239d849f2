#include "cache/content_store.hpp"

namespace mullion::cache {

base::Digest ContentStore::put_bytes(std::string_view bytes) {
    std::unique_ptr<BlobWriter> blob = writer();
    blob->write(bytes);
    return blob->commit().digest;
}

void ContentStore::ingest(oci::BlobSource& from, const oci::Descriptor& descriptor,
                          const base::CancelToken& cancel) {
    // A blob of another size is one that a power loss cut short: it is replaced.
    if (contains(descriptor.digest) && size_of(descriptor.digest) == descriptor.size) return;
    std::unique_ptr<BlobWriter> blob = writer();
    oci::copy_blob(from, descriptor, *blob, cancel);
    blob->commit(descriptor.digest, descriptor.size);
}

}  // namespace mullion::cache
