// Where images are besides the local store, as `copy` and its kin name them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/context.hpp"
#include "oci/layout.hpp"
#include "oci/reference.hpp"

namespace mullion::cli {

// "docker://REF" or "REF": a registry. "oci:DIR[:TAG]": a layout. "oci-archive:FILE[:NAME]",
// "docker-archive:FILE[:NAME]": archives. "store:NAME": the local store.
struct ImageLocation {
    enum class Kind { Registry, Layout, OciArchive, DockerArchive, Store };
    Kind kind = Kind::Registry;
    std::string path;  // of a layout or an archive
    std::string name;  // reference, tag or name; may be empty for a path

    static ImageLocation parse(const std::string& text);  // throws Invalid
    oci::Reference reference() const { return oci::Reference::parse(name).with_default_tag(); }
    std::string string() const;  // as it may be typed
};

// An image that is about to be read.
struct OpenedImage {
    std::unique_ptr<oci::BlobSource> owned;  // unless it is the store's
    oci::BlobSource* source = nullptr;
    oci::Descriptor root;
    std::string name;                            // "" if the place has none for it
    std::optional<oci::Reference> repository{};  // of a registry
};

// Throws NotFound, Invalid, and what registries and archives throw.
OpenedImage open_image(Context& context, const ImageLocation& location);

}  // namespace mullion::cli
