// The files of one layer, put aside while the layer streamed by, for its index say: unpacking it afterwards
// moves them into place, or reads them in any order, and decompresses nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "base/cancel.hpp"
#include "base/file.hpp"
#include "worker/host_directory.hpp"

namespace mullion::worker {

// For one thread at a time. What nobody took goes with it.
class LayerSpool {
  public:
    // In a new directory below `parent`.
    explicit LayerSpool(const std::filesystem::path& parent);

    // The content at `offset` of the layer's tar.
    void put(std::uint64_t offset, base::Source& bytes, const base::CancelToken& cancel);
    // Moves it to `path`; false if it is not there, or `to` lies on another file system.
    bool move(std::uint64_t offset, HostDirectory& to, std::string_view path, base::FileTime modified,
              std::uint32_t mode);

    // Null if it is not there.
    std::unique_ptr<base::Source> open(std::uint64_t offset) const;

  private:
    base::TempDir directory_;
    HostDirectory files_;
};

}  // namespace mullion::worker
