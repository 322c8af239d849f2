// Which blobs hold which layers: the tables `layers`, `recompressed` and `fetched`. What is recorded here was
// true once; blobs may be gone since.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "cache/database.hpp"
#include "oci/manifest.hpp"

namespace mullion::cache {

// Keeps a reference to the database. Thread-safe.
class LayerRecords {
  public:
    explicit LayerRecords(Database& database) : database_(database) {}

    // `blob` decompresses to the layer.
    void add(const base::DiffId& diff_id, const oci::Descriptor& blob);
    void remove(const base::DiffId& diff_id, const base::Digest& blob);
    bool contains(const base::DiffId& diff_id, const base::Digest& blob);
    // In the order in which they were added.
    std::vector<oci::Descriptor> blobs_of(const base::DiffId& diff_id);

    // `blob` is what the layer was recompressed to in that form; it replaces the one before.
    void add_recompressed(const base::DiffId& diff_id, const std::string& form, const oci::Descriptor& blob);
    std::optional<oci::Descriptor> recompressed(const base::DiffId& diff_id, const std::string& form);

    void add_fetched(const base::Digest& blob);

  private:
    Database& database_;
};

}  // namespace mullion::cache
