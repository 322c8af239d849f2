#include "worker/secret_mask.hpp"

#include <algorithm>

#include "base/base64.hpp"

namespace mullion::worker {
namespace {

constexpr std::size_t kLongestPiece = 256;
constexpr std::string_view kLineEnds = "\r\n";

std::string_view without_line_end(std::string_view value) {
    while (!value.empty() && kLineEnds.find(value.back()) != std::string_view::npos) value.remove_suffix(1);
    return value;
}

std::string base64(std::string_view value) {
    std::string text;
    base::append_base64(text, value);
    return text;
}

std::size_t first_byte(std::string_view text) {
    return static_cast<unsigned char>(text[0]);
}

}  // namespace

SecretMask::SecretMask(const std::vector<std::string>& values) {
    for (const std::string& value : values) {
        // Files end with a line end that what is made of them does not have.
        std::string_view bare = without_line_end(value);
        if (bare.empty()) continue;
        add(bare);
        add_piece(base64(value));
        add_piece(base64(bare));
    }
    for (auto& pieces : pieces_) {
        std::sort(pieces.begin(), pieces.end(), [](const std::string& a, const std::string& b) {
            return a.size() != b.size() ? a.size() > b.size() : a < b;
        });
        pieces.erase(std::unique(pieces.begin(), pieces.end()), pieces.end());
    }
}

void SecretMask::add(std::string_view value) {
    add_piece(value);
    for (std::string_view rest = value; !rest.empty();) {
        std::size_t end = std::min(rest.find_first_of(kLineEnds), rest.size());
        if (end >= kShortestLine && end < value.size()) {
            add_piece(rest.substr(0, end));
            add_piece(base64(rest.substr(0, end)));
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

void SecretMask::add_piece(std::string_view piece) {
    for (; !piece.empty(); piece.remove_prefix(std::min(kLongestPiece, piece.size()))) {
        pieces_[first_byte(piece)].emplace_back(piece.substr(0, kLongestPiece));
        empty_ = false;
    }
}

std::size_t SecretMask::match(std::string_view text) const {
    for (const std::string& piece : pieces_[first_byte(text)]) {
        if (text.starts_with(piece)) return piece.size();
    }
    return 0;
}

bool SecretMask::may_begin(std::string_view text) const {
    const auto& pieces = pieces_[first_byte(text)];
    return std::any_of(pieces.begin(), pieces.end(), [&](const std::string& piece) {
        return piece.size() > text.size() && std::string_view(piece).starts_with(text);
    });
}

std::string SecretMask::text(std::string_view text) const {
    base::StringSink out;
    MaskedSink sink(*this, out);
    sink.write(text);
    sink.finish();
    return out.take();
}

void MaskedSink::write(std::string_view data) {
    held_ += data;
    std::string out = take(false);
    if (!out.empty()) next_.write(out);
}

void MaskedSink::finish() {
    std::string out = take(true);
    if (!out.empty()) next_.write(out);
    next_.finish();
}

// What is decided of `held_`. Secrets that overlap are one mask.
std::string MaskedSink::take(bool at_end) {
    std::string out;
    std::string_view rest = held_;
    std::size_t masked = masked_;
    while (!rest.empty()) {
        if (!at_end && mask_.may_begin(rest)) break;
        std::size_t length = mask_.match(rest);
        if (length > 0 && masked == 0) out += SecretMask::kMask;
        masked = std::max(masked, length);
        if (masked == 0) {
            out += rest[0];
        } else {
            --masked;
        }
        rest.remove_prefix(1);
    }
    masked_ = masked;
    held_.erase(0, held_.size() - rest.size());
    return out;
}

base::Error masked(const base::Error& error, const SecretMask& mask) {
    const auto& frames = error.frames();
    base::Error result(error.code(), mask.text(frames.front().text), frames.front().where);
    for (std::size_t i = 1; i < frames.size(); ++i)
        result.add_frame(mask.text(frames[i].text), frames[i].where);
    if (error.source()) result.at(*error.source());
    result.about(error.subject()).hint(mask.text(error.hint())).system(error.system());
    if (error.exit_status()) result.process(*error.exit_status(), mask.text(error.output_tail()));
    return result;
}

}  // namespace mullion::worker
