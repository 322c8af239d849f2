#include "oci/image_name.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "oci/json_object.hpp"
#include "oci/reference.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr const char* kFullName = "io.containerd.image.name";
constexpr const char* kRefName = "org.opencontainers.image.ref.name";

std::string annotation(const Descriptor& entry, const char* key) {
    auto found = entry.annotations.find(key);
    return found == entry.annotations.end() ? "" : found->second;
}

}  // namespace

std::string name_of(const Descriptor& entry) {
    std::string full = annotation(entry, kFullName);
    return full.empty() ? annotation(entry, kRefName) : full;
}

void set_name(Descriptor& entry, std::string_view name) {
    entry.annotations.erase(kFullName);
    entry.annotations.erase(kRefName);
    if (name.empty()) return;
    Reference reference = Reference::parse(name).with_default_tag();
    entry.annotations[kFullName] = reference.string();
    if (reference.tag()) entry.annotations[kRefName] = *reference.tag();
}

bool same_name(const Descriptor& existing, const Descriptor& added) {
    std::string full = annotation(existing, kFullName);
    if (!full.empty()) return full == annotation(added, kFullName);
    std::string tag = annotation(existing, kRefName);
    if (!tag.empty()) return tag == annotation(added, kRefName);
    return name_of(added).empty() && existing.digest == added.digest;
}

std::vector<NamedRoot> named_roots(const Index& index) {
    std::vector<NamedRoot> roots;
    for (const Descriptor& entry : index.manifests) roots.push_back({name_of(entry), entry});
    return roots;
}

Index index_of(const std::vector<NamedRoot>& roots) {
    Index index;
    for (const NamedRoot& root : roots) {
        Descriptor entry = root.descriptor;
        set_name(entry, root.name);
        index.manifests.push_back(std::move(entry));
    }
    return index;
}

void check_layout_file(std::string_view json) {
    base::Json document = parse_document(json, kMaxLayoutFile, "oci-layout");
    std::string version = base::JsonView(document, "oci-layout").at("imageLayoutVersion").string();
    if (version != "1.0.0") {
        throw base::fail(ErrorCode::Unsupported, "oci-layout: version \"{}\" is not supported, only 1.0.0",
                         version.substr(0, 64));
    }
}

std::optional<std::string> read_layout_document(const std::filesystem::path& directory, const char* name,
                                                std::size_t limit) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(directory / name, error)) return {};
    return base::try_read_file(directory / name, limit);
}

std::string blob_path(const base::Digest& digest) {
    return "blobs/sha256/" + digest.hex();
}

}  // namespace mullion::oci
