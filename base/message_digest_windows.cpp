#include <windows.h>
// After windows.h.
#include <bcrypt.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/message_digest.hpp"

namespace mullion::base {
namespace {

void check(NTSTATUS status) {
    if (status < 0) {
        throw fail(ErrorCode::Internal, "SHA failed (0x{:08x})", static_cast<std::uint32_t>(status));
    }
}

BCRYPT_ALG_HANDLE open_provider(const wchar_t* name) {
    BCRYPT_ALG_HANDLE provider = nullptr;
    check(::BCryptOpenAlgorithmProvider(&provider, name, nullptr, 0));
    return provider;
}

// Opening one costs far more than hashing a small file; they live as long as the program.
BCRYPT_ALG_HANDLE provider(MessageDigest::Algorithm algorithm) {
    static const BCRYPT_ALG_HANDLE sha1 = open_provider(BCRYPT_SHA1_ALGORITHM);
    static const BCRYPT_ALG_HANDLE sha256 = open_provider(BCRYPT_SHA256_ALGORITHM);
    static const BCRYPT_ALG_HANDLE sha384 = open_provider(BCRYPT_SHA384_ALGORITHM);
    static const BCRYPT_ALG_HANDLE sha512 = open_provider(BCRYPT_SHA512_ALGORITHM);
    switch (algorithm) {
        case MessageDigest::Algorithm::Sha1:
            return sha1;
        case MessageDigest::Algorithm::Sha256:
            return sha256;
        case MessageDigest::Algorithm::Sha384:
            return sha384;
        case MessageDigest::Algorithm::Sha512:
            return sha512;
    }
    return nullptr;
}

ULONG size_of(MessageDigest::Algorithm algorithm) {
    switch (algorithm) {
        case MessageDigest::Algorithm::Sha1:
            return 20;
        case MessageDigest::Algorithm::Sha256:
            return 32;
        case MessageDigest::Algorithm::Sha384:
            return 48;
        case MessageDigest::Algorithm::Sha512:
            return 64;
    }
    return 0;
}

}  // namespace

struct MessageDigest::State {
    Algorithm algorithm;
    BCRYPT_HASH_HANDLE hash = nullptr;

    explicit State(Algorithm which) : algorithm(which) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { close(); }

    void close() {
        if (hash != nullptr) ::BCryptDestroyHash(std::exchange(hash, nullptr));
    }
};

MessageDigest::MessageDigest(Algorithm algorithm) : state_(std::make_unique<State>(algorithm)) {
    reset();
}

MessageDigest::~MessageDigest() = default;

void MessageDigest::reset() {
    state_->close();
    check(::BCryptCreateHash(provider(state_->algorithm), &state_->hash, nullptr, 0, nullptr, 0, 0));
}

void MessageDigest::update(std::string_view data) {
    constexpr std::size_t kMost = std::size_t{1} << 30;
    while (!data.empty()) {
        std::size_t part = std::min(data.size(), kMost);
        auto* bytes = reinterpret_cast<UCHAR*>(const_cast<char*>(data.data()));
        check(::BCryptHashData(state_->hash, bytes, static_cast<ULONG>(part), 0));
        data.remove_prefix(part);
    }
}

void MessageDigest::finish(unsigned char* bytes) {
    check(::BCryptFinishHash(state_->hash, bytes, size_of(state_->algorithm), 0));
}

}  // namespace mullion::base
