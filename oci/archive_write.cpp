#include <algorithm>

#include "base/error.hpp"
#include "oci/image_name.hpp"
#include "oci/json_object.hpp"
#include "oci/layout.hpp"
#include "oci/reference.hpp"
#include "oci/tar_writer.hpp"
#include "oci/written_blobs.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::OrderedJson;

// A blob on its way into the archive; manifests and indexes are kept as well.
class EntrySink final : public base::Sink {
  public:
    EntrySink(TarWriter& tar, bool keep) : tar_(tar), keep_(keep) {}
    void write(std::string_view data) override {
        tar_.write(data);
        if (keep_) kept_ += data;
    }
    std::string take() { return std::move(kept_); }

  private:
    TarWriter& tar_;
    bool keep_;
    std::string kept_;
};

// A tar of an OCI layout, blobs in the order they are put, the documents that name them last.
class ArchiveWriter : public ImageWriter {
  public:
    explicit ArchiveWriter(base::Sink& sink) : tar_(sink) {
        tar_.directory("blobs/");
        tar_.directory("blobs/sha256/");
    }

    void put(BlobSource& source, const Descriptor& descriptor, const base::CancelToken& cancel) override {
        if (written_.contains(descriptor.digest)) return;
        bool is_document = WrittenBlobs::is_document(descriptor);
        if (is_document && descriptor.size > Manifest::kMaxSize) {
            throw base::fail(ErrorCode::Invalid, "{} {} is larger than {} bytes", descriptor.media_type,
                             descriptor.digest.string(), Manifest::kMaxSize);
        }
        tar_.begin_file(blob_path(descriptor.digest), descriptor.size);
        EntrySink entry(tar_, is_document);
        copy_blob(source, descriptor, entry, cancel);
        if (is_document) written_.add_document(descriptor, entry.take());
        written_.add(descriptor);
    }

    void put_bytes(const Descriptor& descriptor, std::string_view bytes) override {
        verify_bytes(descriptor, bytes);
        if (written_.contains(descriptor.digest)) return;
        tar_.file(blob_path(descriptor.digest), bytes);
        if (WrittenBlobs::is_document(descriptor)) written_.add_document(descriptor, std::string(bytes));
        written_.add(descriptor);
    }

    void finish(const std::vector<NamedRoot>& roots) override {
        written_.check_complete(roots);
        Index index = index_of(roots);
        put_extra(roots);
        tar_.file("index.json", index.json());
        tar_.file("oci-layout", kLayoutFile);
        tar_.finish();
    }

  protected:
    virtual void put_extra(const std::vector<NamedRoot>&) {}

    TarWriter tar_;
    WrittenBlobs written_;
};

// Adds the manifest.json that every version of `docker load` reads.
class DockerArchiveWriter final : public ArchiveWriter {
  public:
    using ArchiveWriter::ArchiveWriter;

  private:
    struct Item {
        Descriptor manifest;
        std::vector<std::string> tags;
    };

    void put_extra(const std::vector<NamedRoot>& roots) override {
        std::vector<Item> items;
        for (const NamedRoot& root : roots) {
            Descriptor manifest = only_manifest(root);
            auto same = [&](const Item& item) { return item.manifest.digest == manifest.digest; };
            auto item = std::find_if(items.begin(), items.end(), same);
            if (item == items.end()) item = items.insert(items.end(), {manifest, {}});
            if (root.name.empty()) continue;
            Reference reference = Reference::parse(root.name).with_default_tag();
            if (reference.tag()) item->tags.push_back(reference.familiar());
        }
        OrderedJson list = OrderedJson::array();
        for (const Item& item : items) list.push_back(document(item));
        tar_.file("manifest.json", canonical(list));
    }

    // manifest.json has no platforms.
    Descriptor only_manifest(const NamedRoot& root) const {
        if (media_type::is_manifest(root.descriptor.media_type)) return root.descriptor;
        std::vector<Descriptor> images;
        for (const Descriptor& entry : written_.index(root.descriptor).manifests) {
            if (!is_attestation(entry) && written_.contains(entry.digest)) images.push_back(entry);
        }
        if (images.size() == 1 && media_type::is_manifest(images[0].media_type)) return images[0];
        throw base::fail(ErrorCode::Unsupported,
                         "a docker archive holds one platform of an image; {} has {}: use an OCI archive",
                         root.name.empty() ? root.descriptor.digest.string() : root.name, images.size());
    }

    OrderedJson document(const Item& item) const {
        Manifest manifest = written_.manifest(item.manifest);
        ObjectWriter writer;
        writer.put("Config", blob_path(manifest.config.digest));
        writer.put("RepoTags", item.tags.empty() ? OrderedJson() : OrderedJson(item.tags));
        OrderedJson layers = OrderedJson::array();
        for (const Descriptor& layer : manifest.layers) layers.push_back(blob_path(layer.digest));
        writer.put("Layers", std::move(layers));
        return writer.finish("{}");
    }
};

}  // namespace

std::unique_ptr<ImageWriter> write_oci_archive(base::Sink& sink) {
    return std::make_unique<ArchiveWriter>(sink);
}

std::unique_ptr<ImageWriter> write_docker_archive(base::Sink& sink) {
    return std::make_unique<DockerArchiveWriter>(sink);
}

}  // namespace mullion::oci
