// Keeps the values of secrets out of what a step prints and of what is said about it (DESIGN §7.6).
//
// Masked is each value as a whole, each of its lines (of kShortestLine bytes and more, so that a brace in a
// JSON secret does not blank every brace), and their base64 forms. What a program makes of a value otherwise
// (another encoding, a part of it) is beyond us.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/stream.hpp"

namespace mullion::worker {

class SecretMask {
  public:
    static constexpr std::string_view kMask = "****";
    static constexpr std::size_t kShortestLine = 6;

    explicit SecretMask(const std::vector<std::string>& values);

    bool empty() const { return empty_; }
    // A complete text with its secrets masked.
    std::string text(std::string_view text) const;

  private:
    friend class MaskedSink;
    void add(std::string_view value);
    void add_piece(std::string_view piece);

    // The length of the longest piece that `text` begins with; 0 if there is none.
    std::size_t match(std::string_view text) const;
    // Whether more bytes could make `text` begin with a piece.
    bool may_begin(std::string_view text) const;

    bool empty_ = true;
    // By first byte, longest first. Long values are cut, which bounds what one comparison and one wait cost.
    std::array<std::vector<std::string>, 256> pieces_;
};

// The error as it may be shown: whatever is said of a step or by a server may quote a secret.
base::Error masked(const base::Error& error, const SecretMask& mask);

// Passes a stream on with its secrets masked, wherever it is cut. finish() passes on what was held back
// because it could have been the beginning of a secret. References must outlive it.
class MaskedSink final : public base::Sink {
  public:
    MaskedSink(const SecretMask& mask, base::Sink& next) : mask_(mask), next_(next) {}
    void write(std::string_view data) override;
    void finish() override;

  private:
    std::string take(bool at_end);

    const SecretMask& mask_;
    base::Sink& next_;
    std::string held_;        // not yet decided
    std::size_t masked_ = 0;  // how much of the beginning of `held_` a mask that is out already covers
};

}  // namespace mullion::worker
