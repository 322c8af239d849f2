// Images on disk: OCI layout directories, OCI archives (a tar of one) and docker archives (`docker save`),
// for reading and writing (OCI image-spec, image-layout.md). Everything inside is treated as hostile: names
// confined to blobs/<algorithm>/<hex>, sizes and digests checked when read.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oci/blob_source.hpp"

namespace mullion::oci {

// One image (or index) an archive or layout offers under a name.
struct NamedRoot {
    // Read: io.containerd.image.name, else org.opencontainers.image.ref.name, or a RepoTag, as it stands
    // there; may be empty. Written: a reference (Invalid otherwise); both annotations and the RepoTag are
    // made from it.
    std::string name;
    Descriptor descriptor;
};

// Reads a layout directory, an OCI archive or a docker archive (plain, gzip'd or zstd'd); found out from the
// content. A docker archive is presented as OCI: manifests are synthesised (`roots()` has them, `open` serves
// their bytes). open() may be called from several threads.
class ImageArchive : public BlobSource {
  public:
    // Throws NotFound, Corrupt, Invalid, naming the file and the entry. Archives are indexed, not unpacked; a
    // compressed one is decompressed into a file without a name in the directory `temporary` (empty: the
    // system's for such files).
    static std::unique_ptr<ImageArchive> open_path(const std::filesystem::path& path,
                                                   const base::CancelToken& cancel,
                                                   const std::filesystem::path& temporary = {});
    virtual const std::vector<NamedRoot>& roots() const = 0;
};

// Writes an image to a destination; blobs first, finish() last. Nothing is visible under the final name
// before finish(). A blob written twice is stored once. After an exception the writer can only be destroyed.
class ImageWriter {
  public:
    virtual ~ImageWriter() = default;
    // Copies a blob from `source`, verifying digest and size on the way.
    virtual void put(BlobSource& source, const Descriptor& descriptor, const base::CancelToken& cancel) = 0;
    // May several threads put different blobs at the same time?
    virtual bool takes_several() const { return false; }
    // A blob in memory (manifest, config); returns nothing because the descriptor is the caller's.
    virtual void put_bytes(const Descriptor& descriptor, std::string_view bytes) = 0;
    // `roots`: what index.json / manifest.json will name. Throws Invalid if a blob that a manifest names was
    // not put (foreign layers with URLs of their own and entries of an index may be absent). An archive is
    // then complete in its sink, which its owner has yet to finish.
    virtual void finish(const std::vector<NamedRoot>& roots) = 0;
};

// type=oci: an uncompressed tar of an OCI layout, fixed times and owners; blobs in the order they are put, so
// that nothing is buffered. The same calls give the same bytes. `sink` is not owned.
std::unique_ptr<ImageWriter> write_oci_archive(base::Sink& sink);
// type=oci,tar=false and `base create --dest`: a layout directory; existing images in it stay, an entry of
// the same name is replaced. Takes several blobs at a time; several writers may work on one directory at once
// (".index.lock" in it). Links
// inside are not followed but replaced. Invalid or Unsupported if the directory is a layout of another
// version.
std::unique_ptr<ImageWriter> write_oci_layout(const std::filesystem::path& directory);
// type=docker: what `docker load` reads (manifest.json with Config, RepoTags, Layers) which is an OCI layout
// as well. Layers go in as they are. A root that is an index must have exactly one image in the archive
// (Unsupported otherwise).
std::unique_ptr<ImageWriter> write_docker_archive(base::Sink& sink);

}  // namespace mullion::oci
