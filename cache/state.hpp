// Everything one mullion state directory holds, opened together (DESIGN §6):
//
//   oci-layout  index.json  blobs/sha256/   images, as an OCI layout (content_store.hpp, image_store.hpp)
//   mullion.db                              cache keys, layers, digests of host files (database.hpp)
//   index/  layers/                         layer indexes and seek tables, unpacked layers (layer_store.hpp)
//   mounts/                                 cache mounts of RUN (mount_store.hpp)
//   tmp/  lock                              sessions and leases (session.hpp)
#pragma once

#include <filesystem>
#include <memory>

#include "cache/content_store.hpp"
#include "cache/image_store.hpp"
#include "cache/key_store.hpp"
#include "cache/layer_store.hpp"
#include "cache/mount_store.hpp"
#include "cache/session.hpp"
#include "tree/content.hpp"

namespace mullion::cache {

// $MULLION_STATE; else for root /var/lib/mullion; else $XDG_STATE_HOME/mullion, ~/.local/state/mullion.
// Throws Invalid if none of them can be told.
std::filesystem::path default_state_directory();

// Several processes may have one state open. Opening makes what is missing and sweeps temporary files of dead
// processes; it throws Denied (read-only), Exhausted, Unsupported (made by a newer mullion), naming the path.
// Thread-safe once open; not to be used in a forked child.
class State {
  public:
    // `remove_layer` is called for every folder in <state>/layers that goes, by the names it has then in tmp.
    explicit State(std::filesystem::path directory, RemoveLayer remove_layer = base::remove_tree);
    ~State();
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    const std::filesystem::path& directory() const;  // absolute, without links
    // A directory of this process's own below <state>/tmp, gone with the State.
    std::filesystem::path temporary_directory() const;
    // A folder for a layer that is not to be kept.
    TempLayer temporary_layer() const;
    ContentStore& content();
    KeyStore& keys();
    ImageStore& images();
    LayerStore& layers();
    MountStore& mounts();
    tree::StatCache& stats();

  private:
    struct Parts;
    std::filesystem::path directory_;
    std::unique_ptr<Parts> parts_;
};

}  // namespace mullion::cache
