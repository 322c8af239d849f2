#include "worker/remote_images.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "oci/registry_blobs.hpp"
#include "oci/side_by_side.hpp"

namespace mullion::worker {
namespace {

using base::CancelToken;
using base::ErrorCode;
using base::fail;

constexpr std::size_t kParallel = 4;
constexpr std::size_t kMaxConfig = 16 << 20;

// Into the content store, which digests what it is given.
class StoreSink final : public oci::HttpSink {
  public:
    StoreSink(cache::ContentStore& store, oci::TransferStatus* status)
        : store_(store), writer_(store.writer()), status_(status) {}

    void write(std::string_view data) override {
        writer_->write(data);
        size_ += data.size();
        if (status_ != nullptr) status_->move_to(size_);
    }
    void restart() override {
        writer_ = store_.writer();
        size_ = 0;
    }
    void commit(const oci::Descriptor& blob) { writer_->commit(blob.digest, blob.size); }

  private:
    cache::ContentStore& store_;
    std::unique_ptr<cache::BlobWriter> writer_;
    oci::TransferStatus* status_;
    std::uint64_t size_ = 0;
};

oci::Reference repository_of(const oci::Reference& reference) {
    return oci::Reference::parse(reference.name());
}

}  // namespace

// Small blobs of a repository: from the content store, else from the registry and into the store.
class RemoteImages::Documents final : public oci::BlobSource {
  public:
    Documents(RemoteImages& images, const oci::Reference& repository)
        : images_(images), repository_(repository) {}

    std::unique_ptr<base::Source> open(const oci::Descriptor& descriptor,
                                       const CancelToken& cancel) override {
        cache::ContentStore& store = images_.state_.content();
        if (!images_.stored(descriptor)) {
            if (oci::media_type::is_manifest(descriptor.media_type) ||
                oci::media_type::is_index(descriptor.media_type)) {
                store.put_bytes(oci::get_document(images_.client_, repository_, descriptor, cancel).bytes);
            } else if (descriptor.size > kMaxConfig) {
                throw fail(ErrorCode::Invalid, "config {}: {} bytes, more than the {} allowed",
                           descriptor.digest.string(), descriptor.size, kMaxConfig);
            } else {
                StoreSink sink(store, nullptr);
                images_.client_.get_blob(repository_, descriptor, sink, cancel);
                sink.commit(descriptor);
            }
        }
        return store.open(descriptor, cancel);
    }

  private:
    RemoteImages& images_;
    const oci::Reference& repository_;
};

bool RemoteImages::stored(const oci::Descriptor& blob) {
    return state_.content().contains(blob.digest) && state_.content().size_of(blob.digest) == blob.size;
}

oci::Descriptor RemoteImages::resolve(const oci::Reference& reference, const CancelToken& cancel) {
    auto found = client_.find_manifest(reference, cancel);
    if (found && stored(*found)) return *found;
    // GET even where HEAD found nothing: its answer has the registry's words.
    oci::RegistryDocument document = client_.get_manifest(reference, cancel);
    state_.content().put_bytes(document.bytes);
    return document.descriptor;
}

RemoteImage RemoteImages::find(const oci::Reference& reference, const oci::Platform& platform,
                               const oci::OsRule& rule, const CancelToken& cancel) {
    oci::Descriptor root = resolve(reference, cancel);
    oci::Reference repository = repository_of(reference);
    Documents documents(*this, repository);
    oci::ChosenImage chosen =
        base::with_context([&] { return reference.familiar(); },
                           [&] { return oci::load_chosen_image(documents, root, platform, rule, cancel); });
    remember(repository, chosen.image);
    return {std::move(chosen.image), std::move(root), std::move(chosen.choice)};
}

oci::ImageParts RemoteImages::find_all(const oci::Reference& reference, const oci::Descriptor& root,
                                       const CancelToken& cancel) {
    oci::Reference repository = repository_of(reference);
    Documents documents(*this, repository);
    return base::with_context([&] { return reference.familiar(); },
                              [&] { return oci::image_parts(documents, root, cancel); });
}

void RemoteImages::remember(const oci::Reference& repository, const oci::Image& image) {
    auto origin = std::make_shared<Origin>(repository, image.manifest.layers);
    std::lock_guard lock(mutex_);
    for (const oci::Descriptor& layer : image.manifest.layers) origins_.emplace(layer.digest, origin);
}

std::shared_ptr<RemoteImages::Origin> RemoteImages::origin(const base::Digest& blob) {
    std::lock_guard lock(mutex_);
    auto found = origins_.find(blob);
    return found == origins_.end() ? nullptr : found->second;
}

bool RemoteImages::knows(const base::Digest& blob) {
    return origin(blob) != nullptr;
}

std::optional<oci::Reference> RemoteImages::origin_of(const base::Digest& blob) {
    auto found = origin(blob);
    return found ? std::optional(found->repository) : std::nullopt;
}

void RemoteImages::fetch_one(const oci::Reference& repository, const oci::Descriptor& blob,
                             const oci::TransferReport& report, const CancelToken& cancel) {
    if (stored(blob)) return;
    oci::TransferStatus status(report, blob.digest.string(), blob.size);
    StoreSink sink(state_.content(), &status);
    client_.get_blob(repository, blob, sink, cancel);
    sink.commit(blob);
    status.move_to(blob.size);
}

void RemoteImages::fetch(const oci::Reference& repository, const std::vector<oci::Descriptor>& blobs,
                         const base::Digest& vertex, const CancelToken& cancel) {
    std::vector<oci::Descriptor> missing;
    for (const oci::Descriptor& blob : blobs) {
        bool listed = std::any_of(missing.begin(), missing.end(),
                                  [&](const oci::Descriptor& other) { return other.digest == blob.digest; });
        if (!listed && !stored(blob)) missing.push_back(blob);
    }
    oci::TransferReport report{progress_, vertex};
    oci::run_side_by_side(missing.size(), kParallel, cancel, [&](std::size_t i, const CancelToken& token) {
        fetch_one(repository, missing[i], report, token);
    });
}

bool RemoteImages::fetch(const oci::Descriptor& blob, bool whole, const CancelToken& cancel) {
    std::shared_ptr<Origin> from = origin(blob.digest);
    if (!from) return false;
    std::lock_guard lock(from->fetching);
    if (stored(blob)) return true;
    std::string title =
        (whole ? "pulling the layers of " : "pulling a layer of ") + from->repository.familiar();
    base::VertexEvent vertex{base::Hasher().field(title).field(blob.digest.string()).finish(),
                             {},
                             title,
                             false,
                             base::FileTime::now(),
                             {},
                             {}};
    progress_.emit(vertex);
    auto end = [&](const std::string& error) {
        vertex.completed = base::FileTime::now();
        vertex.error = error;
        progress_.emit(vertex);
    };
    try {
        fetch(from->repository, whole ? from->layers : std::vector<oci::Descriptor>{blob}, vertex.digest,
              cancel);
    } catch (const std::exception& error) {
        end(error.what());
        throw;
    }
    end("");
    return true;
}

}  // namespace mullion::worker
