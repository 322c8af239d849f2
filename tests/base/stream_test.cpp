#include "base/stream.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.hpp"
#include "tests/support/errors.hpp"

namespace mullion::base {
namespace {

using test::code_of;

// Hands out at most `step` bytes at a time.
class SlowSource final : public Source {
  public:
    SlowSource(std::string_view data, std::size_t step) : inner_(data), step_(step) {}
    std::size_t read(char* buffer, std::size_t size) override {
        return inner_.read(buffer, std::min(size, step_));
    }

  private:
    MemorySource inner_;
    std::size_t step_;
};

TEST(Source, ReadExactlyCollectsShortReads) {
    SlowSource source("hello world", 3);
    char buffer[11];
    source.read_exactly(buffer, 11, "x");
    EXPECT_EQ(std::string(buffer, 11), "hello world");
    EXPECT_EQ(code_of([&] { source.read_exactly(buffer, 1, "x"); }), ErrorCode::Corrupt);
}

TEST(Source, SkipIsExact) {
    SlowSource source("hello", 2);
    source.skip(4, "x");
    EXPECT_EQ(source.read_all(10, "x"), "o");
    MemorySource short_source("abc");
    EXPECT_EQ(code_of([&] { short_source.skip(4, "x"); }), ErrorCode::Corrupt);
    MemorySource untouched("abc");
    untouched.skip(0, "x");
    EXPECT_EQ(untouched.read_all(3, "x"), "abc");
}

TEST(Source, ReadAllRefusesOneByteTooMany) {
    std::string data(100'000, 'x');
    EXPECT_EQ(SlowSource(data, 777).read_all(data.size(), "x"), data);
    EXPECT_EQ(code_of([&] { SlowSource(data, 777).read_all(data.size() - 1, "x"); }), ErrorCode::Invalid);
    EXPECT_EQ(MemorySource("").read_all(0, "x"), "");
    EXPECT_EQ(MemorySource("abc").read_all(std::numeric_limits<std::size_t>::max(), "x"), "abc");
}

TEST(Copy, CountsAndCopiesAll) {
    std::string data(1'000'000, 'y');
    MemorySource source(data);
    StringSink sink;
    EXPECT_EQ(copy(source, sink), data.size());
    EXPECT_EQ(sink.data(), data);
}

TEST(HashSink, DigestsAndForwards) {
    StringSink sink;
    HashSink hash(&sink);
    hash.write("ab");
    hash.write("c");
    EXPECT_EQ(hash.size(), 3u);
    EXPECT_EQ(hash.digest(), Digest::of("abc"));
    EXPECT_EQ(sink.data(), "abc");
}

TEST(VerifyingSource, DigestsWhatPasses) {
    SlowSource inner("abc", 1);
    VerifyingSource source(inner, 3);
    EXPECT_EQ(source.read_all(10, "x"), "abc");
    EXPECT_EQ(source.size(), 3u);
    EXPECT_EQ(source.digest(), Digest::of("abc"));
}

TEST(VerifyingSource, RefusesMoreThanItsLimit) {
    SlowSource inner("abcd", 1);
    VerifyingSource source(inner, 3);
    EXPECT_EQ(code_of([&] { source.read_all(10, "x"); }), ErrorCode::Corrupt);
}

}  // namespace
}  // namespace mullion::base
