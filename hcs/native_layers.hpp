// The layer calls of vmcompute.dll and computestorage.dll (hcs.md §3), with what is known of how they fail.
//
// A scratch is created, activated (its disk becomes a volume) and prepared (the filter shows its parents'
// files through it); undone in the opposite order. Paths are those of folders. Thread-safe; calls for one
// folder must not overlap.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hcs/native_api.hpp"
#include "hcs/native_disks.hpp"

namespace mullion::hcs {

using LayerFolders = std::vector<std::filesystem::path>;  // topmost first

class NativeLayers {
  public:
    // Gives this process the privileges that layers need: throws Denied without them. `scratch_bytes`: size
    // of the disks of scratches.
    explicit NativeLayers(std::uint64_t scratch_bytes);

    void create_scratch(const std::filesystem::path& scratch, const LayerFolders& parents) const;
    // Activates and prepares; returns the volume ("\\?\Volume{GUID}\"). What fails leaves it as it was.
    std::string mount(const std::filesystem::path& scratch, const LayerFolders& parents) const;
    // Both quiet about what is not so.
    void unprepare(const std::filesystem::path& scratch) const;
    void deactivate(const std::filesystem::path& scratch) const;
    // Of a scratch that is not prepared but was once. `folder` exists and is empty.
    void export_layer(const std::filesystem::path& scratch, const std::filesystem::path& folder,
                      const LayerFolders& parents) const;
    // A transport folder becomes a layer.
    void import_layer(const std::filesystem::path& layer, const std::filesystem::path& folder,
                      const LayerFolders& parents) const;
    // A folder with `Files` becomes a base layer: hives and the disks that scratches are copies of.
    void process_base(const std::filesystem::path& layer) const;
    // A folder `UtilityVM` becomes one that a VM can boot.
    void process_utility_vm(const std::filesystem::path& folder) const;
    // Quiet if it is not there. Names whoever uses it.
    void destroy(const std::filesystem::path& layer) const;

  private:
    std::string volume_of(const std::filesystem::path& scratch) const;

    std::uint64_t scratch_bytes_;
    std::shared_ptr<const VmCompute> api_;
    std::optional<NativeDisks> disks_;  // none where Windows lacks computestorage.dll
};

}  // namespace mullion::hcs
