// SHA as the system's crypto library computes it. Content is named by base/digest.hpp, the checksums of users
// are base/checksum.hpp; SHA-1 is for identifiers that other software makes with it.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace mullion::base {

// One computation after the other: reset() begins, update() feeds, finish() ends it.
class MessageDigest {
  public:
    enum class Algorithm { Sha1, Sha256, Sha384, Sha512 };
    static constexpr std::size_t kMaxSize = 64;  // bytes

    // Begins a computation.
    explicit MessageDigest(Algorithm algorithm);
    ~MessageDigest();

    void reset();
    void update(std::string_view data);
    // Writes the digest: 20, 32, 48 or 64 bytes. Nothing but reset() may follow.
    void finish(unsigned char* bytes);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mullion::base
