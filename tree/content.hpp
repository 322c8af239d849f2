// References to file bytes. A Tree holds these, never the bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/cancel.hpp"
#include "base/digest.hpp"
#include "base/stream.hpp"

namespace mullion::tree {

// What tells us that a host file is still the one we saw (the stat cache's key).
struct StatIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    auto operator<=>(const StatIdentity&) const = default;
};

// A file on the host and the stat identity it was seen under; reading it later under another identity is an
// error.
struct HostFile {
    std::filesystem::path path;
    StatIdentity identity;
};

// A range of an uncompressed layer tar.
struct LayerRange {
    base::DiffId diff_id;
    std::uint64_t offset = 0;
};

// Small bytes made by us (heredocs, scripts, hives).
struct InlineBytes {
    std::shared_ptr<const std::string> data;
};

using ContentLocation = std::variant<InlineBytes, HostFile, LayerRange>;

// One file's (or stream's) bytes. Shared between the names of a hard link: two nodes with the same Content
// pointer are the same file. The digest is filled in at most once, by whoever reads the bytes first;
// thread-safe.
class Content {
  public:
    Content(std::uint64_t size, ContentLocation location) : size_(size), location_(std::move(location)) {}
    static std::shared_ptr<const Content> inline_bytes(std::string data);

    std::uint64_t size() const { return size_; }
    const ContentLocation& location() const { return location_; }
    // The digest if it is known already.
    std::optional<base::Digest> known_digest() const;
    void remember_digest(const base::Digest& digest) const;

  private:
    std::uint64_t size_;
    ContentLocation location_;
    mutable std::shared_ptr<const base::Digest> digest_;  // accessed atomically
};

using ContentRef = std::shared_ptr<const Content>;

// Opens contents. Implementations: HostContent below for host files and inline bytes; the worker adds layer
// ranges.
class ContentProvider {
  public:
    virtual ~ContentProvider() = default;
    // Exactly content.size() bytes, or Corrupt/NotFound. A host file whose identity changed: Unavailable,
    // naming it.
    virtual std::unique_ptr<base::Source> open(const Content& content, const base::CancelToken& cancel) = 0;
};

// Inline bytes and host files; a layer range is Internal.
class HostContent final : public ContentProvider {
  public:
    std::unique_ptr<base::Source> open(const Content& content, const base::CancelToken& cancel) override;
};

// The digest of the bytes: the known one, or computed (and remembered).
base::Digest digest_of(const Content& content, ContentProvider& provider, const base::CancelToken& cancel);

}  // namespace mullion::tree
