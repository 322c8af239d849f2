// Content digests. SHA-256 is the only algorithm we create or accept (OCI image-spec, "Registered
// algorithms"; sha512 is refused with a clear error). Every Digest holds 32 real bytes: there is no default
// that looks valid.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mullion::base {

class Digest {
  public:
    static constexpr std::size_t kSize = 32;
    using Bytes = std::array<std::uint8_t, kSize>;

    explicit Digest(const Bytes& bytes) : bytes_(bytes) {}

    // "sha256:<64 lower-case hex>"; throws Invalid.
    static Digest parse(std::string_view text);
    static std::optional<Digest> try_parse(std::string_view text);
    // The digest of a whole buffer.
    static Digest of(std::string_view data);

    const Bytes& bytes() const { return bytes_; }
    std::string hex() const;     // 64 characters
    std::string string() const;  // "sha256:" + hex()

    auto operator<=>(const Digest&) const = default;

  private:
    Bytes bytes_;
};

// Streaming SHA-256. Movable; after finish() the object is spent.
class Hasher {
  public:
    Hasher();
    ~Hasher();
    Hasher(Hasher&&) noexcept;
    Hasher& operator=(Hasher&&) noexcept;

    Hasher& update(std::string_view data);
    // A length-prefixed field, so that ("ab","c") and ("a","bc") differ. For composed keys.
    Hasher& field(std::string_view data);
    Hasher& number(std::uint64_t value);
    Digest finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// A digest of uncompressed layer bytes: a type of its own, so that the digest of a compressed blob does not
// compile where a diff ID belongs (OCI image-spec, config.md "rootfs.diff_ids").
struct DiffId {
    Digest digest;
    auto operator<=>(const DiffId&) const = default;
};

// Identifies an ordered stack of layers (OCI image-spec, config.md "Layer ChainID").
struct ChainId {
    Digest digest;
    auto operator<=>(const ChainId&) const = default;
};

// The chain ID of `diff_ids` (bottom first); nullopt for an empty stack.
std::optional<ChainId> chain_id(std::span<const DiffId> diff_ids);

}  // namespace mullion::base

template <>
struct std::hash<mullion::base::Digest> {
    std::size_t operator()(const mullion::base::Digest& digest) const noexcept {
        std::size_t value = 0;
        for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8 | digest.bytes()[i];
        return value;
    }
};
