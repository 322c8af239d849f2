// The virtual disks of base layers, by computestorage.dll and virtdisk.dll (hcs.md §3.3).
//
// A container's disk is a copy of its base's `blank.vhdx`, a differencing disk on the formatted
// `blank-base.vhdx`. vmcompute.dll's ProcessBaseImage makes both for 20 GB, and then the disk of every
// container is to be enlarged; made here they have the size containers get.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "hcs/native_api.hpp"

namespace mullion::hcs {

class NativeDisks {
  public:
    // Throws Unsupported on a Windows that lacks one of the libraries.
    NativeDisks();

    // A folder with `Files` becomes a base layer: hives, and disks of `bytes` that virtual machines may read.
    // What fails leaves the folder as it was.
    void set_up_base(const std::filesystem::path& layer, std::uint64_t bytes) const;
    // How much the disk holds; nullopt if it does not tell.
    std::optional<std::uint64_t> size_of(const std::filesystem::path& disk) const;

  private:
    base::UniqueHandle create(const std::filesystem::path& disk, const std::filesystem::path& parent,
                              std::uint64_t bytes) const;
    void format(const std::filesystem::path& disk, base::UniqueHandle opened) const;

    std::shared_ptr<const ComputeStorage> layers_;
    std::shared_ptr<const VirtDisk> disks_;
};

}  // namespace mullion::hcs
