#include "tree/content.hpp"

#include <algorithm>
#include <thread>
#include <vector>

#include "base/error.hpp"

namespace mullion::tree {

using base::ErrorCode;
using base::fail;

DigestMemo& DigestMemo::operator=(const DigestMemo& other) noexcept {
    if (this != &other) state_.store(Empty, std::memory_order_release);
    return *this;
}

std::optional<base::Digest> DigestMemo::get() const {
    if (state_.load(std::memory_order_acquire) != Full) return {};
    return base::Digest(bytes_);
}

void DigestMemo::set(const base::Digest& digest) {
    std::uint8_t expected = Empty;
    if (!state_.compare_exchange_strong(expected, Writing, std::memory_order_acquire)) {
        // Whoever has called set() may rely on get(), so the other writer has to finish its 32 bytes first.
        while (state_.load(std::memory_order_acquire) == Writing) std::this_thread::yield();
        return;
    }
    bytes_ = digest.bytes();
    state_.store(Full, std::memory_order_release);
}

std::shared_ptr<const Content> Content::inline_bytes(std::string data) {
    auto bytes = std::make_shared<const std::string>(std::move(data));
    std::uint64_t size = bytes->size();
    return std::make_shared<const Content>(size, InlineBytes{std::move(bytes)});
}

namespace {

bool same_location(const ContentLocation& a, const ContentLocation& b) {
    if (a.index() != b.index()) return false;
    if (const auto* bytes = std::get_if<InlineBytes>(&a)) {
        return *bytes->data == *std::get<InlineBytes>(b).data;
    }
    if (const auto* file = std::get_if<HostFile>(&a)) return *file == std::get<HostFile>(b);
    return std::get<LayerRange>(a) == std::get<LayerRange>(b);
}

}  // namespace

bool known_equal(const Content& a, const Content& b) {
    if (&a == &b) return true;
    if (a.size() != b.size()) return false;
    auto digest_a = a.known_digest();
    auto digest_b = b.known_digest();
    if (digest_a && digest_b) return *digest_a == *digest_b;
    return same_location(a.location(), b.location());
}

void ContentProvider::on_digest(const Content&, const base::Digest&, base::FileTime) {}

namespace {

constexpr std::uint64_t kChunk = 256 * 1024;

}  // namespace

base::Digest digest_of(const Content& content, ContentProvider& provider, const base::CancelToken& cancel) {
    if (auto known = content.known_digest()) return *known;
    base::FileTime opened = base::FileTime::now();
    std::unique_ptr<base::Source> source = provider.open(content, cancel);
    // One byte more than a small file has: a single read then sees its end too.
    std::vector<char> buffer(static_cast<std::size_t>(std::min(content.size() + 1, kChunk)));
    base::Hasher hasher;
    std::uint64_t size = 0;
    while (std::size_t got = source->read(buffer.data(), buffer.size())) {
        cancel.check();
        hasher.update({buffer.data(), got});
        size += got;
        if (size > content.size()) break;
    }
    if (size != content.size()) {
        throw fail(ErrorCode::Corrupt, "content has {} bytes where {} were expected", size, content.size());
    }
    base::Digest digest = hasher.finish();
    content.remember_digest(digest);
    provider.on_digest(content, digest, opened);
    return digest;
}

}  // namespace mullion::tree
