#include "base/checksum.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/message_digest.hpp"

namespace mullion::base {
namespace {

struct Algorithm {
    std::string_view name;
    MessageDigest::Algorithm algorithm;
    std::size_t size;
};

constexpr std::array<Algorithm, 3> kAlgorithms{{{"sha256", MessageDigest::Algorithm::Sha256, 32},
                                                {"sha384", MessageDigest::Algorithm::Sha384, 48},
                                                {"sha512", MessageDigest::Algorithm::Sha512, 64}}};

const Algorithm* find_algorithm(std::string_view name) {
    auto found = std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
                              [&](const Algorithm& algorithm) { return algorithm.name == name; });
    return found == kAlgorithms.end() ? nullptr : &*found;
}

bool is_lower_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Checksum Checksum::parse(std::string_view text) {
    std::size_t colon = text.find(':');
    std::string_view name = text.substr(0, colon);
    std::string_view hex = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    if (colon == std::string_view::npos || hex.empty() || !is_lower_hex(hex)) {
        throw fail(ErrorCode::Invalid, "invalid checksum digest format: \"{}\"", text.substr(0, 200))
            .about(text)
            .hint("write it as ALGORITHM:HEX, for example sha256: and 64 lower-case hexadecimal digits");
    }
    const Algorithm* algorithm = find_algorithm(name);
    if (algorithm == nullptr) {
        throw fail(ErrorCode::Invalid, "unsupported digest algorithm: \"{}\"", name.substr(0, 50))
            .about(text)
            .hint("use sha256, sha384 or sha512");
    }
    if (hex.size() != 2 * algorithm->size) {
        throw fail(ErrorCode::Invalid, "invalid checksum digest length: {} has {} hexadecimal digits, not {}",
                   name, 2 * algorithm->size, hex.size())
            .about(text);
    }
    return Checksum(std::string(name), std::string(hex));
}

struct ChecksumSink::State {
    explicit State(const Algorithm& which) : algorithm(which), digest(which.algorithm) {}
    const Algorithm& algorithm;
    MessageDigest digest;
};

ChecksumSink::ChecksumSink(const Checksum& like)
    : state_(std::make_unique<State>(*find_algorithm(like.algorithm()))) {}

ChecksumSink::~ChecksumSink() = default;

void ChecksumSink::restart() {
    state_->digest.reset();
}

void ChecksumSink::write(std::string_view data) {
    state_->digest.update(data);
}

Checksum ChecksumSink::checksum() {
    std::array<unsigned char, MessageDigest::kMaxSize> bytes{};
    state_->digest.finish(bytes.data());
    std::string hex;
    for (std::size_t i = 0; i < state_->algorithm.size; ++i) {
        fmt::format_to(std::back_inserter(hex), "{:02x}", bytes[i]);
    }
    return Checksum(std::string(state_->algorithm.name), std::move(hex));
}

}  // namespace mullion::base
