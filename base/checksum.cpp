#include "base/checksum.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace mullion::base {
namespace {

struct Algorithm {
    std::string_view name;
    const char* openssl_name;
    std::size_t size;
};

constexpr std::array<Algorithm, 3> kAlgorithms{
    {{"sha256", "SHA256", 32}, {"sha384", "SHA384", 48}, {"sha512", "SHA512", 64}}};

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
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ~State() { EVP_MD_CTX_free(context); }
};

ChecksumSink::ChecksumSink(const Checksum& like)
    : algorithm_(like.algorithm()), state_(std::make_unique<State>()) {
    restart();
}

ChecksumSink::~ChecksumSink() = default;

void ChecksumSink::restart() {
    const EVP_MD* algorithm = EVP_get_digestbyname(find_algorithm(algorithm_)->openssl_name);
    if (algorithm == nullptr || EVP_DigestInit_ex(state_->context, algorithm, nullptr) != 1) {
        throw fail(ErrorCode::Internal, "cannot initialise {}", algorithm_);
    }
}

void ChecksumSink::write(std::string_view data) {
    EVP_DigestUpdate(state_->context, data.data(), data.size());
}

Checksum ChecksumSink::checksum() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    EVP_DigestFinal_ex(state_->context, bytes.data(), &size);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) fmt::format_to(std::back_inserter(hex), "{:02x}", bytes[i]);
    return Checksum(algorithm_, std::move(hex));
}

}  // namespace mullion::base
