// What names of registries stood for when a build last asked, for when nobody can be asked.
#pragma once

#include <optional>

#include "base/file_time.hpp"
#include "cache/key_store.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"

namespace mullion::worker {

struct SeenName {
    oci::Descriptor root;
    base::FileTime time;
};

// Kept like all records of the cache: what it names stays in the store until nobody has asked for a month.
void remember_name(cache::KeyStore& keys, const oci::Reference& reference, const SeenName& seen);
// nullopt also for a record that cannot be read.
std::optional<SeenName> find_seen_name(cache::KeyStore& keys, const oci::Reference& reference);

}  // namespace mullion::worker
