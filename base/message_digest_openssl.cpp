#include <openssl/evp.h>

#include "base/error.hpp"
#include "base/message_digest.hpp"

namespace mullion::base {
namespace {

// Fetched once each: EVP_sha256() and its like would look the algorithm up at every start (OpenSSL 3).
const EVP_MD* find(MessageDigest::Algorithm algorithm) {
    static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
    static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA384", nullptr);
    static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
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

}  // namespace

struct MessageDigest::State {
    const EVP_MD* algorithm;
    EVP_MD_CTX* context = EVP_MD_CTX_new();

    explicit State(const EVP_MD* which) : algorithm(which) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { EVP_MD_CTX_free(context); }
};

MessageDigest::MessageDigest(Algorithm algorithm) : state_(std::make_unique<State>(find(algorithm))) {
    reset();
}

MessageDigest::~MessageDigest() = default;

void MessageDigest::reset() {
    if (state_->context == nullptr || state_->algorithm == nullptr ||
        EVP_DigestInit_ex(state_->context, state_->algorithm, nullptr) != 1) {
        throw Error(ErrorCode::Internal, "cannot initialise SHA");
    }
}

void MessageDigest::update(std::string_view data) {
    EVP_DigestUpdate(state_->context, data.data(), data.size());
}

void MessageDigest::finish(unsigned char* bytes) {
    EVP_DigestFinal_ex(state_->context, bytes, nullptr);
}

}  // namespace mullion::base
