// One registry hive of an image with several layers: a base hive and the differencing hives (Hives\*_Delta)
// that later layers put on top.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "tree/hive.hpp"

namespace mullion::tree {

// Immutable; const is thread-safe.
class HiveStack {
  public:
    // Bottom first: hives[0] is complete, the others say what changes.
    explicit HiveStack(std::vector<HiveFile> hives) : hives_(std::move(hives)) {}

    bool empty() const { return hives_.empty(); }
    // Is any of them dirty (HiveFile::dirty)?
    bool dirty() const;
    // The values of the key at `path`, those of upper layers in place of lower ones; nullopt if there is no
    // such key. Throws Corrupt.
    std::optional<std::vector<HiveValue>> values(std::string_view path) const;
    std::optional<HiveValue> value(std::string_view path, std::string_view name) const;

  private:
    std::vector<HiveFile> hives_;
};

}  // namespace mullion::tree
