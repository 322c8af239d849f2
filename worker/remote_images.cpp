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

// Why the transfer failed; empty if it did not.
std::string ended(BlobTransfer& transfer) {
    try {
        transfer.wait({});
        return {};
    } catch (const std::exception& error) {
        return error.what();
    }
}

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
                BlobTransfer config(store, descriptor);
                config.run([&](oci::HttpSink& sink) {
                    images_.client_.get_blob(repository_, descriptor, sink, cancel);
                });
                config.wait(cancel);
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

RemoteImage RemoteImages::find(const oci::Reference& reference, oci::Descriptor root,
                               const oci::Platform& platform, const oci::OsRule& rule,
                               const CancelToken& cancel) {
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
    auto origin = std::make_shared<const Origin>(repository, layers_of(image));
    std::lock_guard lock(mutex_);
    for (const oci::Descriptor& layer : image.manifest.layers) origins_.emplace(layer.digest, origin);
}

RemoteImages::OriginRef RemoteImages::origin(const base::Digest& blob) {
    std::lock_guard lock(mutex_);
    auto found = origins_.find(blob);
    return found == origins_.end() ? nullptr : found->second;
}

std::vector<WrittenLayer> RemoteImages::layers_beside(const base::Digest& blob) {
    OriginRef found = origin(blob);
    return found ? found->layers : std::vector<WrittenLayer>();
}

std::optional<oci::Reference> RemoteImages::origin_of(const base::Digest& blob) {
    OriginRef found = origin(blob);
    return found ? std::optional(found->repository) : std::nullopt;
}

void RemoteImages::run(const oci::Reference& repository, BlobTransfer& transfer,
                       const oci::TransferReport& report, const CancelToken& cancel) {
    const oci::Descriptor& blob = transfer.blob();
    oci::TransferStatus status(report, blob.digest.string(), blob.size);
    transfer.run([&](oci::HttpSink& sink) { client_.get_blob(repository, blob, sink, cancel); },
                 [&](std::uint64_t bytes) { status.move_to(bytes); });
}

void RemoteImages::fetch(const oci::Reference& repository, const std::vector<oci::Descriptor>& blobs,
                         const base::Digest& vertex, const CancelToken& cancel) {
    std::vector<oci::Descriptor> missing;
    for (const oci::Descriptor& blob : blobs) {
        bool listed = std::ranges::find(missing, blob.digest, &oci::Descriptor::digest) != missing.end();
        if (!listed && !stored(blob)) missing.push_back(blob);
    }
    oci::TransferReport report{progress_, vertex};
    oci::run_side_by_side(missing.size(), kParallel, cancel, [&](std::size_t i, const CancelToken& token) {
        BlobTransfer transfer(state_.content(), missing[i]);
        run(repository, transfer, report, token);
        transfer.wait(token);
    });
}

void RemoteImages::expect(const std::vector<oci::Descriptor>& blobs) {
    std::map<OriginRef, std::vector<oci::Descriptor>> missing;
    for (const oci::Descriptor& blob : blobs) {
        OriginRef from = origin(blob.digest);
        if (from && !stored(blob)) missing[from].push_back(blob);
    }
    for (const auto& [from, wanted] : missing) begin(from, wanted);
}

void RemoteImages::begin(const OriginRef& origin, const std::vector<oci::Descriptor>& blobs) {
    std::lock_guard lock(mutex_);
    std::vector<TransferRef> transfers;
    for (const oci::Descriptor& blob : blobs) {
        TransferRef& transfer = transfers_[blob.digest];
        if (transfer) continue;
        transfer = std::make_shared<BlobTransfer>(state_.content(), blob);
        transfers.push_back(transfer);
    }
    if (transfers.empty()) return;
    threads_.emplace_back([this, origin, transfers] { run(*origin, transfers); });
}

// A thread's work. A blob that does not come is the error of those who wait for it, not of the others.
void RemoteImages::run(const Origin& origin, const std::vector<TransferRef>& transfers) {
    std::size_t count = transfers.size();
    std::string what = count == 1 ? "a layer" : fmt::format("{} layers", count);
    base::VertexEvent vertex = announce(transfers[0]->blob().digest,
                                        fmt::format("pulling {} of {}", what, origin.repository.familiar()));
    auto job = [&](std::size_t i, const CancelToken& cancel) {
        run(origin.repository, *transfers[i], {progress_, vertex.digest}, cancel);
        std::string error = ended(*transfers[i]);
        if (error.empty()) state_.layers().add_fetched(transfers[i]->blob().digest);
        std::lock_guard lock(mutex_);
        if (error.empty()) transfers_.erase(transfers[i]->blob().digest);
        if (vertex.error.empty()) vertex.error = error;
    };
    try {
        oci::run_side_by_side(count, kParallel, stop_.token(), job);
    } catch (const std::exception& error) {
        vertex.error = error.what();
        for (const TransferRef& transfer : transfers) transfer->give_up(std::current_exception());
    }
    complete(vertex);
}

base::VertexEvent RemoteImages::announce(const base::Digest& digest, std::string title) {
    base::VertexEvent vertex{digest, {}, std::move(title), false, base::FileTime::now(), {}, {}};
    progress_.emit(vertex);
    return vertex;
}

void RemoteImages::complete(base::VertexEvent& vertex) {
    vertex.completed = base::FileTime::now();
    progress_.emit(vertex);
}

RemoteImages::TransferRef RemoteImages::transfer(const oci::Descriptor& blob) {
    if (stored(blob)) return nullptr;
    OriginRef from = origin(blob.digest);
    if (!from) return nullptr;
    begin(from, {blob});
    std::lock_guard lock(mutex_);
    auto found = transfers_.find(blob.digest);
    return found == transfers_.end() ? nullptr : found->second;
}

std::unique_ptr<base::Source> RemoteImages::open(const oci::Descriptor& blob, const CancelToken& cancel) {
    TransferRef coming = transfer(blob);
    return coming ? coming->follow(cancel) : nullptr;
}

std::string RemoteImages::read_part(const oci::Descriptor& blob, const oci::HttpRange& part,
                                    const CancelToken& cancel) {
    OriginRef from = origin(blob.digest);
    if (!from) throw fail(ErrorCode::NotFound, "blob {} is of no image", blob.digest.string());
    base::Digest id = base::Hasher().field(blob.digest.string()).number(part.offset).finish();
    base::VertexEvent vertex = announce(id, "reading a part of a layer of " + from->repository.familiar());
    try {
        oci::TransferStatus status({progress_, id}, blob.digest.string(), part.size);
        std::string bytes = client_.get_blob_part(from->repository, blob, part, cancel);
        status.move_to(part.size);
        status.done();
        complete(vertex);
        return bytes;
    } catch (const std::exception& error) {
        vertex.error = error.what();
        complete(vertex);
        throw;
    }
}

bool RemoteImages::fetch(const oci::Descriptor& blob, const CancelToken& cancel) {
    if (TransferRef coming = transfer(blob)) coming->wait(cancel);
    return stored(blob);
}

}  // namespace mullion::worker
