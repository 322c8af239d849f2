// Garbage collection of a state.
//
// Roots are the entries of index.json, the payloads of cache records used within the last month, and the
// leases of live sessions. Marking is conservative: a digest is needed if it occurs, as "sha256:HEX", in
// something that is needed: a payload, or a small JSON blob (index, manifest, config). So no document is
// understood wrongly, and none can hide what it refers to; at worst something stays that could go. A layer's
// blob needs its diff ID; a diff ID needs one of its blobs. Exempt are layers that a build fetched from a
// registry and that nothing but payloads, and images they name, refers to: their index is enough to build
// upon them, and a build that needs their bytes finds them where they came from. So of a base image, index
// and seek tables stay, and its gigabytes go. Seek tables stay with their blob's digest, uncompressed copies
// with their diff ID; unpacked layers if their key is leased, or is that of a stack (or of a lower part of
// one) which a needed config or payload lists. Cache mounts that no step has used for a month go too.
//
// What is not needed is moved into the session's directory under the collection lock (see cache/session.hpp;
// leases are counted then, so nobody loses what he relies on), and deleted after it is released, unpacked
// layers by whoever makes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "cache/content_store.hpp"
#include "cache/database.hpp"
#include "cache/layer_paths.hpp"
#include "cache/session.hpp"

namespace mullion::cache {

class GarbageCollector {
  public:
    GarbageCollector(const std::filesystem::path& state, Session& session, ContentStore& content,
                     Database& database);
    // Returns the bytes freed. Canceled while marking, it takes nothing away.
    std::uint64_t run(const base::CancelToken& cancel);

  private:
    using Digests = std::vector<base::Digest>;

    void expire();
    std::uint64_t expire_mounts();
    void mark_roots(const CollectionLock& lock, const base::CancelToken& cancel);
    void mark(const base::Digest& digest);
    void mark_text(std::string_view text);
    void mark_payloads();
    void mark_stack(const Digests& diff_ids);
    void mark_documents(const base::CancelToken& cancel);
    void read_document(const base::Digest& digest);
    void find_fetched();
    void mark_layers();
    void keep_one_of(const Digests& blobs);
    // Is the digest, or what is known of it, needed?
    bool known(const base::Digest& digest) const;
    bool known(std::string_view hex) const;
    void sweep_blobs();
    void sweep_layers();
    void sweep_files(const std::filesystem::path& directory);
    void sweep_folders();
    std::uint64_t remove_folders();
    void throw_away(const std::filesystem::path& path);

    std::filesystem::path state_;
    Session& session_;
    LayerPaths paths_;
    std::filesystem::path trash_;
    ContentStore& content_;
    Database& database_;
    std::unordered_set<base::Digest> needed_;
    std::unordered_set<base::Digest> fetched_;     // blobs that can be had again
    std::unordered_set<base::Digest> remembered_;  // blobs that may go, while what is known of them stays
    Digests unread_;                               // marked, not yet looked into
    std::size_t thrown_ = 0;
    std::vector<std::filesystem::path> folders_;  // unpacked layers, put aside
};

}  // namespace mullion::cache
