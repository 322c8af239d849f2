// Cache keys -> results, in SQLite (<state>/mullion.db, WAL). Knows nothing of what a result means: `payload`
// is opaque to it and to the solver; the worker writes and reads it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"

namespace mullion::cache {

struct KeyRecord {
    // The key dependants compose their own keys from (see solver/cache_key.hpp).
    base::Digest canonical;
    // How to get the result back; empty: the result is cheap to recompute and was not kept. Opaque but for
    // one thing: garbage collection keeps everything a payload names as "sha256:HEX" (blobs, diff IDs), and
    // the unpacked layers of the stack that the digests behind "diff_id": make in the order given.
    std::string payload;
};

// Thread-safe.
class KeyStore {
  public:
    virtual ~KeyStore() = default;
    virtual std::optional<KeyRecord> find(const base::Digest& key) = 0;
    // Replaces what was there. Crash-safe, visible to other processes when it returns.
    virtual void save(const std::vector<base::Digest>& keys, const KeyRecord& record) = 0;
    // For a record whose payload turned out to be unusable (its blob is gone).
    virtual void forget(const base::Digest& key) = 0;
};

}  // namespace mullion::cache
