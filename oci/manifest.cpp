#include "oci/manifest.hpp"

#include "base/error.hpp"
#include "oci/json_object.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::Json;
using base::JsonView;
using base::OrderedJson;

constexpr std::size_t kMaxManifests = 8192;
constexpr std::size_t kMaxMediaType = 255;
constexpr int kSchemaVersion = 2;
constexpr std::string_view kOciForeign = "application/vnd.oci.image.layer.nondistributable.";
constexpr std::string_view kDockerForeign = "application/vnd.docker.image.rootfs.foreign.";

Descriptor parse_descriptor(const JsonView& view) {
    JsonView digest = view.at("digest");
    Descriptor descriptor{
        .media_type = view.string_or("mediaType", ""),
        .digest = base::with_context([&] { return digest.path(); },
                                     [&] { return base::Digest::parse(digest.string()); }),
        .size = view.at("size").size(),
    };
    if (descriptor.media_type.size() > kMaxMediaType) view.at("mediaType").fail("a media type");
    descriptor.urls = view.strings_or_empty("urls");
    if (auto annotations = view.find("annotations")) descriptor.annotations = string_map(*annotations);
    Json extra = unknown_members(view, {"mediaType", "digest", "size", "urls", "annotations", "platform"});
    if (auto platform = view.find("platform")) {
        descriptor.platform = platform_members(*platform);
        Json more =
            unknown_members(*platform, {"architecture", "os", "os.version", "os.features", "variant"});
        if (!more.empty()) extra["platform"] = more;
    }
    descriptor.extra = canonical(extra);
    return descriptor;
}

OrderedJson write_descriptor(const Descriptor& descriptor) {
    ObjectWriter writer;
    writer.text("mediaType", descriptor.media_type);
    writer.put("digest", descriptor.digest.string());
    writer.put("size", descriptor.size);
    writer.strings("urls", descriptor.urls);
    writer.map("annotations", descriptor.annotations);
    if (descriptor.platform) {
        ObjectWriter platform;
        platform.platform(*descriptor.platform);
        writer.put("platform", platform.finish("{}"));
    }
    return writer.finish(descriptor.extra);
}

std::vector<Descriptor> parse_descriptors(const JsonView& view, const char* key, std::size_t limit) {
    std::vector<Descriptor> descriptors;
    auto list = view.find(key);
    if (!list) return descriptors;
    std::vector<JsonView> items = list->array();
    check_count(items.size(), limit, *list);
    for (const JsonView& item : items) descriptors.push_back(parse_descriptor(item));
    return descriptors;
}

OrderedJson write_descriptors(const std::vector<Descriptor>& descriptors) {
    OrderedJson list = OrderedJson::array();
    for (const Descriptor& descriptor : descriptors) list.push_back(write_descriptor(descriptor));
    return list;
}

// A document that is both a manifest and an index means different things to different readers: refused
// (image-spec, manifest.md, and CVE-2021-41190).
void refuse_members(const JsonView& view, std::initializer_list<const char*> foreign,
                    std::string_view is_not) {
    for (const char* key : foreign) {
        if (!view.find(key)) continue;
        throw base::fail(ErrorCode::Invalid, "{}.{}: not a member of {}", view.path(), key, is_not);
    }
}

std::string parse_media_type(const JsonView& view, bool (*accepts)(std::string_view),
                             std::string_view otherwise) {
    if (std::int64_t version = view.at("schemaVersion").integer(); version != kSchemaVersion) {
        throw base::fail(ErrorCode::Unsupported, "{}.schemaVersion: {} is not supported, only {}",
                         view.path(), version, kSchemaVersion);
    }
    std::string type = view.string_or("mediaType", std::string(otherwise));
    if (!accepts(type)) {
        throw base::fail(ErrorCode::Invalid, "{}.mediaType: unexpected \"{}\"", view.path(),
                         type.substr(0, kMaxMediaType));
    }
    return type;
}

}  // namespace

namespace media_type {

bool is_manifest(std::string_view type) {
    return type == kManifest || type == kDockerManifest;
}

bool is_index(std::string_view type) {
    return type == kIndex || type == kDockerIndex;
}

bool is_foreign_layer(std::string_view type) {
    return type.starts_with(kOciForeign) || type.starts_with(kDockerForeign);
}

bool is_layer(std::string_view type) {
    return type == kLayer || type == kLayerGzip || type == kLayerZstd || type == kDockerLayer ||
           type == kDockerLayerGzip || is_foreign_layer(type);
}

}  // namespace media_type

Manifest Manifest::parse(std::string_view json) {
    Json document = parse_document(json, kMaxSize, "manifest");
    JsonView view(document, "manifest");
    refuse_members(view, {"manifests"}, "a manifest");
    Manifest manifest{
        .media_type = parse_media_type(view, media_type::is_manifest, media_type::kManifest),
        .config = parse_descriptor(view.at("config")),
        .layers = parse_descriptors(view, "layers", kMaxLayers),
    };
    if (auto annotations = view.find("annotations")) manifest.annotations = string_map(*annotations);
    manifest.extra =
        canonical(unknown_members(view, {"schemaVersion", "mediaType", "config", "layers", "annotations"}));
    return manifest;
}

std::string Manifest::json() const {
    ObjectWriter writer;
    writer.put("schemaVersion", kSchemaVersion);
    writer.text("mediaType", media_type);
    writer.put("config", write_descriptor(config));
    writer.put("layers", write_descriptors(layers));
    writer.map("annotations", annotations);
    return canonical(writer.finish(extra));
}

Index Index::parse(std::string_view json) {
    Json document = parse_document(json, kMaxSize, "index");
    JsonView view(document, "index");
    refuse_members(view, {"config", "layers"}, "an index");
    Index index{
        .media_type = parse_media_type(view, media_type::is_index, media_type::kIndex),
        .manifests = parse_descriptors(view, "manifests", kMaxManifests),
    };
    if (auto annotations = view.find("annotations")) index.annotations = string_map(*annotations);
    index.extra =
        canonical(unknown_members(view, {"schemaVersion", "mediaType", "manifests", "annotations"}));
    return index;
}

std::string Index::json() const {
    ObjectWriter writer;
    writer.put("schemaVersion", kSchemaVersion);
    writer.text("mediaType", media_type);
    writer.put("manifests", write_descriptors(manifests));
    writer.map("annotations", annotations);
    return canonical(writer.finish(extra));
}

}  // namespace mullion::oci
