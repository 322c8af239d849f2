// What <state>/layers has: unpacked layers, and uncompressed copies of blobs (cache/layer_store.hpp). All of
// it can be made again, and what was there before the last reboot is dropped.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "base/cancel.hpp"
#include "base/stream.hpp"
#include "cache/layer_paths.hpp"
#include "cache/session.hpp"

namespace mullion::cache {

// Keeps a reference to the session. Thread-safe; several processes share a state. What is asked for is leased
// for the rest of the session.
class UnpackedLayers {
  public:
    UnpackedLayers(const std::filesystem::path& state, Session& session);

    bool has_folder(const base::Digest& key) const;
    // LayerStore::unpacked().
    std::filesystem::path folder(const base::Digest& key,
                                 const std::function<void(const std::filesystem::path&)>& unpack,
                                 const base::CancelToken& cancel);
    // The file with a layer's tar, made by `write` if absent.
    std::filesystem::path tar(const base::DiffId& diff_id, const std::function<void(base::Sink&)>& write,
                              const base::CancelToken& cancel);

  private:
    void make_once(const std::filesystem::path& target, const base::Digest& key,
                   const base::CancelToken& cancel, const std::function<void()>& make);
    void drop_if_rebooted(const std::filesystem::path& state);
    bool put_aside_folders(std::vector<std::filesystem::path>& folders) const;

    LayerPaths paths_;
    Session& session_;
};

}  // namespace mullion::cache
