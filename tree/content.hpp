// References to file bytes. A Tree holds these, never the bytes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/cancel.hpp"
#include "base/digest.hpp"
#include "base/file_time.hpp"
#include "base/stream.hpp"

namespace mullion::tree {

// A place for a digest that costs work: empty, then set at most once, also while other threads look at it. A
// copy starts empty, because objects are copied in order to be changed.
class DigestMemo {
  public:
    DigestMemo() = default;
    DigestMemo(const DigestMemo&) noexcept {}
    DigestMemo& operator=(const DigestMemo& other) noexcept;

    std::optional<base::Digest> get() const;
    void set(const base::Digest& digest);

  private:
    enum State : std::uint8_t { Empty, Writing, Full };
    std::atomic<std::uint8_t> state_{Empty};
    base::Digest::Bytes bytes_{};
};

// What tells us that a host file is still the one we saw (the stat cache's key).
struct StatIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    auto operator<=>(const StatIdentity&) const = default;
};

// The identity of what is at `path` now; a symlink is not followed. Throws NotFound, Denied...
StatIdentity stat_identity(const std::filesystem::path& path);

// Remembers digests of host files by their stat identity, so that an unchanged file is not read again.
// Implemented by the cache room; thread-safe. Looked up by scan(), filled by HostContent, which keeps away
// from it what a change within the clock's resolution could have outdated.
class StatCache {
  public:
    virtual ~StatCache() = default;
    virtual std::optional<base::Digest> find(const StatIdentity& identity) = 0;
    virtual void remember(const StatIdentity& identity, const base::Digest& digest) = 0;
};

// A file on the host and the stat identity it was seen under; reading it later under another identity is an
// error.
struct HostFile {
    std::filesystem::path path;
    StatIdentity identity;
    bool operator==(const HostFile&) const = default;
};

// A range of an uncompressed layer tar.
struct LayerRange {
    base::DiffId diff_id;
    std::uint64_t offset = 0;
    bool operator==(const LayerRange&) const = default;
};

// Small bytes made by us (heredocs, scripts, hives).
struct InlineBytes {
    std::shared_ptr<const std::string> data;
};

using ContentLocation = std::variant<InlineBytes, HostFile, LayerRange>;

// One file's (or stream's) bytes. The digest is filled in at most once, by whoever reads the bytes first;
// thread-safe. Sharing a Content says "the same bytes", not "the same file": hard links are Node::hard_links.
class Content {
  public:
    Content(std::uint64_t size, ContentLocation location) : size_(size), location_(std::move(location)) {}
    static std::shared_ptr<const Content> inline_bytes(std::string data);

    std::uint64_t size() const { return size_; }
    const ContentLocation& location() const { return location_; }
    // The digest if it is known already.
    std::optional<base::Digest> known_digest() const { return digest_.get(); }
    void remember_digest(const base::Digest& digest) const { digest_.set(digest); }

  private:
    std::uint64_t size_;
    ContentLocation location_;
    mutable DigestMemo digest_;
};

using ContentRef = std::shared_ptr<const Content>;

// Do both certainly hold the same bytes? Answered without reading, from digests and locations; false may also
// mean "not known".
bool known_equal(const Content& a, const Content& b);

// Opens contents. Implementations: HostContent below for host files and inline bytes; the worker adds layer
// ranges. Thread-safe.
class ContentProvider {
  public:
    virtual ~ContentProvider() = default;
    // Exactly content.size() bytes, or Corrupt/NotFound. A host file whose identity changed: Unavailable,
    // naming it.
    virtual std::unique_ptr<base::Source> open(const Content& content, const base::CancelToken& cancel) = 0;

    // Told by digest_of() that `content`, opened at `opened` and read to its end, has `digest`: the place to
    // feed a StatCache. Providers that wrap another one pass it on.
    virtual void on_digest(const Content& content, const base::Digest& digest, base::FileTime opened);
};

// Inline bytes and host files; a layer range is Internal. Feeds `stat_cache` if there is one (not owned). A
// host file is opened without following a link and checked against its identity before the first byte and
// after the last.
class HostContent final : public ContentProvider {
  public:
    explicit HostContent(StatCache* stat_cache = nullptr) : stat_cache_(stat_cache) {}
    std::unique_ptr<base::Source> open(const Content& content, const base::CancelToken& cancel) override;
    void on_digest(const Content& content, const base::Digest& digest, base::FileTime opened) override;

  private:
    StatCache* stat_cache_;
};

// The digest of the bytes: the known one, or computed (and remembered). Corrupt if the provider gives another
// number of bytes than content.size().
base::Digest digest_of(const Content& content, ContentProvider& provider, const base::CancelToken& cancel);

}  // namespace mullion::tree
