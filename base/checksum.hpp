// Checksums that users give, in any of the algorithms OCI registers ("sha256:...", "sha384:...",
// "sha512:..."). For what we name content by, see base/digest.hpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/stream.hpp"

namespace mullion::base {

class Checksum {
  public:
    // "ALGORITHM:HEX", HEX in lower case; throws Invalid, Unsupported for another algorithm.
    static Checksum parse(std::string_view text);

    const std::string& algorithm() const { return algorithm_; }
    std::string string() const { return algorithm_ + ":" + hex_; }
    bool operator==(const Checksum&) const = default;

  private:
    friend class ChecksumSink;
    Checksum(std::string algorithm, std::string hex)
        : algorithm_(std::move(algorithm)), hex_(std::move(hex)) {}
    std::string algorithm_;
    std::string hex_;
};

// Computes the checksum of what is written.
class ChecksumSink final : public Sink {
  public:
    // In the algorithm of `like`.
    explicit ChecksumSink(const Checksum& like);
    ~ChecksumSink() override;
    void write(std::string_view data) override;
    // Begins anew.
    void restart();
    Checksum checksum();  // once

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mullion::base
