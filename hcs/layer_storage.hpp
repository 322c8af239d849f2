// Layer folders and scratches (computestorage.h).
//
// A layer folder is what the backend needs of one layer. Either (imports_layers() is false) it holds the
// layer's part of C: in `<folder>/Files`: plain files and directories of the host, named in the casing of the
// layers below where those have the name, deletions as whiteouts (make_whiteout). Or the backend makes it of
// the layer's changes (import_layer), and what is in it is its own affair. Layer folders are never written to
// once they are complete. A scratch is a folder that takes what a container changes on top of them:
//
//     storage.create_scratch(dir, {.parents = {top, ..., base}, .os_version = "10.0.20348.2700"});
//     document.Container.Storage.Path = storage.attach(dir);
//     ... create, start, process, shut_down ...
//     LayerChanges changes = storage.export_layer(dir, cancel);
//     storage.detach(dir);
//     storage.destroy(dir);
//
// Calls for one scratch must not overlap; different scratches are independent. Methods are thread-safe. A
// process that dies leaves nothing but the scratch folder, which anybody may destroy.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/file_time.hpp"
#include "tree/content.hpp"
#include "tree/delta.hpp"

namespace mullion::hcs {

// What a container is made of and what its layers say about themselves.
struct ScratchOptions {
    std::vector<std::filesystem::path> parents;  // layer folders, topmost first, base last
    // The image's os.version ("10.0.20348.2700"): what `ver` and version checks report. "" for the backend's
    // own. A backend that reads hives finds it there.
    std::string os_version;
    // Users the image has besides ContainerAdministrator and ContainerUser.
    std::vector<std::string> users;
};

// An alternate data stream ("Zone.Identifier").
struct RawStream {
    std::string name;
    std::filesystem::path content;  // host file with its bytes
};

// One path that a container changed. Paths are relative to C:\, separated by '/', in the casing of the layers
// below where those have the name.
struct RawChange {
    // Junctions come from backends that know metadata only.
    enum class Kind { Directory, File, Symlink, Junction, Removal };

    std::string path;
    Kind kind = Kind::File;
    // Host file with the bytes, valid until the scratch is destroyed; empty for an empty file that was made
    // only to carry streams. It may lie in a parent layer (only a stream was added).
    std::filesystem::path content;
    std::uint64_t size = 0;
    std::string link_target;  // Symlink, Junction: as stored on the host
    base::FileTime modified;
    bool read_only = false;
    // Files with the same number are hard links to one another.
    std::optional<std::uint64_t> hard_link_group;
    std::vector<RawStream> streams;
    // All that Windows has on record of the object, where the backend is Windows: it then stands for what the
    // lower layers have, streams included.
    std::optional<tree::Metadata> metadata = {};
};

// One change to the registry, in neutral form.
struct RegistryChange {
    enum class Kind { KeyAdded, KeyRemoved, ValueSet, ValueRemoved };

    Kind kind = Kind::ValueSet;
    std::string key;    // "HKLM\Software\Contoso"
    std::string value;  // value name; "" is the key's default value. Empty for kinds about keys
    std::string
        data;  // ValueSet: the value as .reg files write it ("\"text\"", "dword:00000001", "hex(2):...")
};

std::string to_string(const RegistryChange& change);

// What a container changed. `files` is sorted: parents before children, names by their folded form. There is
// at most one change for a (folded) path: a directory that was replaced as a whole shows up as removals of
// what it lost and upserts of what it has. A removal stands for everything below it.
struct LayerChanges {
    std::vector<RawChange> files;
    std::vector<RegistryChange> registry;
    // Registry changes in Windows' own form, paths in "Hives", where the backend has that; `registry` is
    // then empty.
    std::vector<RawChange> hives = {};
};

// What a layer folder is to be made of.
struct LayerImport {
    std::vector<std::filesystem::path> parents;  // folders of the layers below, topmost first; none: a base
    const tree::Delta& delta;                    // parents before children
    tree::ContentProvider& contents;
};

class LayerStorage {
  public:
    virtual ~LayerStorage() = default;

    // Makes the scratch folder (its parent must exist; Exists if it is there). Throws NotFound for a parent
    // without `Files`.
    virtual void create_scratch(const std::filesystem::path& scratch, const ScratchOptions& options) = 0;

    // Makes the scratch usable by one compute system and returns what belongs in Storage.Path. Throws Exists
    // if it is attached (by anybody: the claim is released when its process dies).
    virtual std::string attach(const std::filesystem::path& scratch) = 0;

    // The changes since create_scratch; of an attached scratch only after its system was shut down (Invalid
    // otherwise). Throws Corrupt if the scratch holds what no container can have put there.
    virtual LayerChanges export_layer(const std::filesystem::path& scratch,
                                      const base::CancelToken& cancel) = 0;

    // Quiet if it is not attached.
    virtual void detach(const std::filesystem::path& scratch) = 0;

    // Removes the folder and everything in it; quiet if absent, Invalid if it is no scratch or is attached.
    virtual void destroy(const std::filesystem::path& scratch) = 0;

    // Who makes layer folders: the backend, by import_layer(), or whoever unpacks the layer.
    virtual bool imports_layers() const = 0;

    // Makes a layer in `folder`, which exists and is empty. Throws Corrupt for a layer no Windows can have.
    // If it throws, what is in the folder is for nobody but remove_layer(). Internal if imports_layers() is
    // false.
    virtual void import_layer(const std::filesystem::path& folder, const LayerImport& layer,
                              const base::CancelToken& cancel) = 0;

    // Removes a layer folder, however it was made and whether or not it is complete; quiet if absent. It is
    // to be where nobody looks for it any more, since it may go in part only: throws, with whoever uses it as
    // hint where that is known, and can be called again.
    virtual void remove_layer(const std::filesystem::path& folder) = 0;

    // Records in a layer folder being unpacked that `path` (below `<folder>/Files`, its parent exists) hides
    // what lower layers have there. Internal if imports_layers() is true.
    virtual void make_whiteout(const std::filesystem::path& path) = 0;
};

}  // namespace mullion::hcs
