// Everything one mullion state directory holds, opened together (DESIGN §6).
#pragma once

#include <filesystem>
#include <memory>

#include "cache/content_store.hpp"
#include "cache/image_store.hpp"
#include "cache/key_store.hpp"
#include "cache/layer_store.hpp"
#include "tree/scan.hpp"

namespace mullion::cache {

// $MULLION_STATE, else $XDG_STATE_HOME/mullion, else ~/.local/state/mullion; root: /var/lib/mullion.
std::filesystem::path default_state_directory();

// Several processes may have one state open. Opening sweeps temporary files of dead processes.
class State {
  public:
    explicit State(std::filesystem::path directory);
    ~State();

    const std::filesystem::path& directory() const;
    std::filesystem::path temporary_directory() const;  // <state>/tmp
    ContentStore& content();
    KeyStore& keys();
    ImageStore& images();
    LayerStore& layers();
    tree::StatCache& stats();

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace mullion::cache
