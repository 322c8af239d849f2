// The names an index.json gives to its entries.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "oci/layout.hpp"

namespace mullion::oci {

// "" if the entry has none: the full name containerd and BuildKit write, else the OCI reference name.
std::string name_of(const Descriptor& entry);

// Sets the annotations BuildKit sets: io.containerd.image.name (the full reference) and
// org.opencontainers.image.ref.name (its tag). An empty name removes both. Throws Invalid if `name` is not a
// reference.
void set_name(Descriptor& entry, std::string_view name);

// Does `added` take the place of `existing` in an index.json? Full names decide; an entry that has only a
// tag, as skopeo and umoci write, gives way to one with the same tag, or readers that know only tags would
// find two.
bool same_name(const Descriptor& existing, const Descriptor& added);

// The entries of an index.json as roots.
std::vector<NamedRoot> named_roots(const Index& index);

// The index.json for `roots`.
Index index_of(const std::vector<NamedRoot>& roots);

constexpr std::string_view kLayoutFile = R"({"imageLayoutVersion":"1.0.0"})";
constexpr std::size_t kMaxLayoutFile = 4096;
// Throws Invalid or Unsupported.
void check_layout_file(std::string_view json);
// "oci-layout" or "index.json" of a layout directory; nullopt if there is no regular file of that name (a
// FIFO or a device would block us).
std::optional<std::string> read_layout_document(const std::filesystem::path& directory, const char* name,
                                                std::size_t limit);
std::string blob_path(const base::Digest& digest);  // "blobs/sha256/..."

}  // namespace mullion::oci
