#include "base/stream.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.hpp"

namespace mullion::base {
namespace {

constexpr std::size_t kChunk = 256 * 1024;

}  // namespace

void Source::read_exactly(char* buffer, std::size_t size, std::string_view what) {
    for (std::size_t done = 0; done < size;) {
        std::size_t got = read(buffer + done, size - done);
        if (got == 0) throw fail(ErrorCode::Corrupt, "unexpected end of {}", what);
        done += got;
    }
}

void Source::skip(std::uint64_t size, std::string_view what) {
    std::vector<char> buffer(std::min<std::uint64_t>(size, kChunk));
    while (size > 0) {
        auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer.size()));
        read_exactly(buffer.data(), part, what);
        size -= part;
    }
}

std::string Source::read_all(std::size_t limit, std::string_view what) {
    std::string data;
    limit = std::min(limit, data.max_size() - 1);
    for (;;) {
        std::size_t old = data.size();
        data.resize(std::min(limit + 1, std::max<std::size_t>(old * 2, 64 * 1024)));
        std::size_t got = read(data.data() + old, data.size() - old);
        data.resize(old + got);
        if (got == 0) return data;
        if (data.size() > limit) throw fail(ErrorCode::Invalid, "{} is larger than {} bytes", what, limit);
    }
}

std::uint64_t copy(Source& from, Sink& to) {
    std::vector<char> buffer(kChunk);
    std::uint64_t total = 0;
    while (std::size_t got = from.read(buffer.data(), buffer.size())) {
        to.write({buffer.data(), got});
        total += got;
    }
    return total;
}

std::size_t MemorySource::read(char* buffer, std::size_t size) {
    std::size_t part = std::min(size, data_.size());
    if (part > 0) std::memcpy(buffer, data_.data(), part);
    data_.remove_prefix(part);
    return part;
}

void HashSink::write(std::string_view data) {
    hasher_.update(data);
    size_ += data.size();
    if (next_ != nullptr) next_->write(data);
}

std::size_t VerifyingSource::read(char* buffer, std::size_t size) {
    std::size_t got = from_.read(buffer, size);
    size_ += got;
    if (size_ > limit_) throw fail(ErrorCode::Corrupt, "more than the expected {} bytes", limit_);
    hasher_.update({buffer, got});
    return got;
}

}  // namespace mullion::base
