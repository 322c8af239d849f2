// Byte streams. Hashing while copying is composition: HashSink hash(&file); copy(source, hash).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/digest.hpp"

namespace mullion::base {

// Where bytes come from.
class Source {
  public:
    virtual ~Source() = default;
    // Reads up to `size` bytes into `buffer`; 0 means end. Throws on failure.
    virtual std::size_t read(char* buffer, std::size_t size) = 0;

    // Reads exactly `size` bytes or throws Corrupt ("unexpected end of WHAT").
    void read_exactly(char* buffer, std::size_t size, std::string_view what);
    // Skips exactly `size` bytes or throws Corrupt.
    virtual void skip(std::uint64_t size, std::string_view what);
    // The rest as a string; throws Invalid if longer than `limit`.
    std::string read_all(std::size_t limit, std::string_view what);
};

// Where bytes go. finish() flushes; a sink that is destroyed without finish() has produced nothing anybody
// may rely on.
class Sink {
  public:
    virtual ~Sink() = default;
    virtual void write(std::string_view data) = 0;
    virtual void finish() {}
};

// Copies everything; returns the number of bytes.
std::uint64_t copy(Source& from, Sink& to);

// A view of memory that the caller keeps alive.
class MemorySource final : public Source {
  public:
    explicit MemorySource(std::string_view data) : data_(data) {}
    std::size_t read(char* buffer, std::size_t size) override;

  private:
    std::string_view data_;
};

class StringSink final : public Sink {
  public:
    void write(std::string_view data) override { data_ += data; }
    const std::string& data() const { return data_; }
    std::string take() { return std::move(data_); }

  private:
    std::string data_;
};

class NullSink final : public Sink {
  public:
    void write(std::string_view) override {}
};

// Counts and digests what passes; forwards to `next` if given (not owned).
class HashSink final : public Sink {
  public:
    explicit HashSink(Sink* next = nullptr) : next_(next) {}
    void write(std::string_view data) override;
    void finish() override {
        if (next_ != nullptr) next_->finish();
    }
    std::uint64_t size() const { return size_; }
    Digest digest() { return hasher_.finish(); }  // once

  private:
    Sink* next_;
    Hasher hasher_;
    std::uint64_t size_ = 0;
};

// Reads through to `from` (not owned), digesting and counting, and refuses to pass more than `limit` bytes
// (Corrupt).
class VerifyingSource final : public Source {
  public:
    VerifyingSource(Source& from, std::uint64_t limit) : from_(from), limit_(limit) {}
    std::size_t read(char* buffer, std::size_t size) override;
    std::uint64_t size() const { return size_; }
    Digest digest() { return hasher_.finish(); }  // once, after the end

  private:
    Source& from_;
    std::uint64_t limit_;
    std::uint64_t size_ = 0;
    Hasher hasher_;
};

}  // namespace mullion::base
