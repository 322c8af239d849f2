#include "base/digest.hpp"

#include "base/error.hpp"
#include "base/message_digest.hpp"

namespace mullion::base {
namespace {

constexpr std::string_view kPrefix = "sha256:";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

}  // namespace

std::optional<Digest> Digest::try_parse(std::string_view text) {
    if (text.substr(0, kPrefix.size()) != kPrefix || text.size() != kPrefix.size() + 2 * kSize) return {};
    text.remove_prefix(kPrefix.size());
    Bytes bytes;
    for (std::size_t i = 0; i < kSize; ++i) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return {};
        bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return Digest(bytes);
}

Digest Digest::parse(std::string_view text) {
    if (auto digest = try_parse(text)) return *digest;
    throw fail(ErrorCode::Invalid, "\"{}\" is not a digest (expected sha256: and 64 lower-case hex digits)",
               text.substr(0, 200));
}

Digest Digest::of(std::string_view data) {
    Hasher hasher;
    hasher.update(data);
    return hasher.finish();
}

std::string Digest::hex() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * kSize);
    for (std::uint8_t byte : bytes_) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::string Digest::string() const {
    return std::string(kPrefix) + hex();
}

struct Hasher::State {
    MessageDigest digest{MessageDigest::Algorithm::Sha256};
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher& Hasher::update(std::string_view data) {
    state_->digest.update(data);
    return *this;
}

Hasher& Hasher::field(std::string_view data) {
    return number(data.size()).update(data);
}

Hasher& Hasher::number(std::uint64_t value) {
    char bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
    return update({bytes, sizeof bytes});
}

Digest Hasher::finish() {
    Digest::Bytes bytes;
    state_->digest.finish(bytes.data());
    return Digest(bytes);
}

std::optional<ChainId> chain_id(std::span<const DiffId> diff_ids) {
    if (diff_ids.empty()) return {};
    Digest chain = diff_ids.front().digest;
    for (const DiffId& diff_id : diff_ids.subspan(1)) {
        chain = Digest::of(chain.string() + " " + diff_id.digest.string());
    }
    return ChainId{chain};
}

}  // namespace mullion::base
