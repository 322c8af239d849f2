#include "oci/blob_source.hpp"

#include <vector>

#include "base/error.hpp"

namespace mullion::oci {

using base::ErrorCode;

namespace {

constexpr std::size_t kChunk = 256 * 1024;

void copy_cancelable(base::Source& from, base::Sink& to, const base::CancelToken& cancel) {
    std::vector<char> buffer(kChunk);
    while (std::size_t got = from.read(buffer.data(), buffer.size())) {
        cancel.check();
        to.write({buffer.data(), got});
    }
}

}  // namespace

base::Digest digest_of(base::Source& source, const base::CancelToken& cancel) {
    base::HashSink hash;
    copy_cancelable(source, hash, cancel);
    return hash.digest();
}

void copy_blob(BlobSource& source, const Descriptor& descriptor, base::Sink& to,
               const base::CancelToken& cancel) {
    base::with_context([&] { return fmt::format("blob {}", descriptor.digest.string()); },
                       [&] {
                           std::unique_ptr<base::Source> raw = source.open(descriptor, cancel);
                           base::VerifyingSource verified(*raw, descriptor.size);
                           copy_cancelable(verified, to, cancel);
                           if (verified.size() != descriptor.size) {
                               throw base::fail(ErrorCode::Corrupt, "{} bytes instead of {}", verified.size(),
                                                descriptor.size);
                           }
                           if (base::Digest digest = verified.digest(); digest != descriptor.digest) {
                               throw base::fail(ErrorCode::Corrupt, "the content has digest {}",
                                                digest.string());
                           }
                       });
}

std::string read_blob(BlobSource& source, const Descriptor& descriptor, std::size_t limit,
                      const base::CancelToken& cancel) {
    if (descriptor.size > limit) {
        throw base::fail(ErrorCode::Invalid, "blob {}: {} bytes, more than the {} allowed",
                         descriptor.digest.string(), descriptor.size, limit);
    }
    base::StringSink sink;
    copy_blob(source, descriptor, sink, cancel);
    return sink.take();
}

}  // namespace mullion::oci
