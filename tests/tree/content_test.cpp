#include "tree/content.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/tree/content_fixture.hpp"

namespace mullion::tree {
namespace {

class RecordingCache final : public StatCache {
  public:
    std::optional<Digest> find(const StatIdentity& identity) override {
        auto found = digests.find(identity);
        return found == digests.end() ? std::nullopt : std::optional(found->second);
    }
    void remember(const StatIdentity& identity, const Digest& digest) override {
        digests.insert_or_assign(identity, digest);
    }
    std::map<StatIdentity, Digest> digests;
};

TEST_F(ContentTest, InlineBytesCanBeRead) {
    auto content = Content::inline_bytes("hello");
    EXPECT_EQ(content->size(), 5u);
    EXPECT_EQ(host_.open(*content, {})->read_all(100, "x"), "hello");
    EXPECT_EQ(digest_of(*content, host_, {}), Digest::of("hello"));
}

TEST_F(ContentTest, HostFilesCanBeRead) {
    std::string large(3 << 20, 'x');
    Content content = content_of(write("f", large));
    EXPECT_EQ(host_.open(content, {})->read_all(4 << 20, "x"), large);
    EXPECT_EQ(digest_of(content, host_, {}), Digest::of(large));
    Content empty = content_of(write("e", ""));
    EXPECT_EQ(digest_of(empty, host_, {}), Digest::of(""));
}

TEST_F(ContentTest, DigestIsComputedOnce) {
    fs::path path = write("f", "abc");
    Content content = content_of(path);
    Digest digest = digest_of(content, host_, {});
    EXPECT_EQ(content.known_digest(), digest);
    fs::remove(path);
    EXPECT_EQ(digest_of(content, host_, {}), digest);
}

TEST_F(ContentTest, AFileThatChangedSinceIsAnErrorNamingIt) {
    fs::path path = write("changed.txt", "abc");
    Content content = content_of(path);
    write("changed.txt", "abd");
    expect_error(ErrorCode::Unavailable, "changed.txt", [&] { host_.open(content, {}); });
}

TEST_F(ContentTest, AFileThatChangesWhileItIsReadIsAnErrorNamingIt) {
    fs::path path = write("growing.txt", std::string(1000, 'x'));
    Content content = content_of(path);
    auto source = host_.open(content, {});
    char buffer[600];
    EXPECT_EQ(source->read(buffer, sizeof buffer), sizeof buffer);
    age();
    fs::resize_file(path, 2000);
    expect_error(ErrorCode::Unavailable, "growing.txt", [&] { source->read(buffer, sizeof buffer); });
    source = host_.open(content_of(path), {});
    fs::resize_file(path, 0);
    expect_error(ErrorCode::Unavailable, "growing.txt", [&] { source->read(buffer, sizeof buffer); });
}

TEST_F(ContentTest, AMissingFileIsNotFound) {
    fs::path path = write("f", "abc");
    Content content = content_of(path);
    fs::remove(path);
    expect_error(ErrorCode::NotFound, "f", [&] { host_.open(content, {}); });
    expect_error(ErrorCode::NotFound, "f", [&] { stat_identity(path); });
}

TEST_F(ContentTest, LayersAreNotOnTheHost) {
    Content content(1, LayerRange{base::DiffId{Digest::of("x")}, 0});
    expect_error(ErrorCode::Internal, "layer", [&] { host_.open(content, {}); });
}

TEST_F(ContentTest, CancelStopsReading) {
    Content content = content_of(write("f", "abc"));
    base::CancelSource cancel;
    auto source = host_.open(content, cancel.token());
    cancel.cancel();
    char byte;
    expect_error(ErrorCode::Canceled, "", [&] { source->read(&byte, 1); });
}

TEST_F(ContentTest, DigestsFeedTheStatCache) {
    RecordingCache cache;
    HostContent host(&cache);
    fs::path path = write("f", "abc");
    age();
    Content content = content_of(path);
    digest_of(content, host, {});
    EXPECT_EQ(cache.find(stat_identity(path)), Digest::of("abc"));
}

// Within the clock's resolution the file could change again and look the same.
TEST_F(ContentTest, DigestsOfFilesWrittenJustNowAreNotCached) {
    RecordingCache cache;
    HostContent host(&cache);
    Content content = content_of(write("f", "abc"));
    digest_of(content, host, {});
    EXPECT_TRUE(cache.digests.empty());
}

TEST_F(ContentTest, AProviderThatGivesTheWrongSizeIsCorrupt) {
    class Liar final : public ContentProvider {
      public:
        std::unique_ptr<base::Source> open(const Content&, const base::CancelToken&) override {
            return std::make_unique<base::MemorySource>("four");
        }
    } liar;
    Content three(3, LayerRange{base::DiffId{Digest::of("x")}, 0});
    Content five(5, LayerRange{base::DiffId{Digest::of("x")}, 0});
    expect_error(ErrorCode::Corrupt, "3", [&] { digest_of(three, liar, {}); });
    expect_error(ErrorCode::Corrupt, "5", [&] { digest_of(five, liar, {}); });
    EXPECT_FALSE(three.known_digest());
}

TEST_F(ContentTest, EqualityIsKnownFromPlaceOrDigest) {
    base::DiffId layer{Digest::of("layer")};
    Content a(3, LayerRange{layer, 512});
    Content same_place(3, LayerRange{layer, 512});
    Content other_place(3, LayerRange{layer, 1024});
    EXPECT_TRUE(known_equal(a, same_place));
    EXPECT_FALSE(known_equal(a, other_place));
    a.remember_digest(Digest::of("abc"));
    other_place.remember_digest(Digest::of("abc"));
    EXPECT_TRUE(known_equal(a, other_place));
    EXPECT_TRUE(known_equal(*Content::inline_bytes("x"), *Content::inline_bytes("x")));
    EXPECT_FALSE(known_equal(*Content::inline_bytes("x"), *Content::inline_bytes("y")));
}

TEST(DigestMemo, IsSetOnceAndNotCopied) {
    DigestMemo memo;
    EXPECT_FALSE(memo.get());
    memo.set(Digest::of("a"));
    memo.set(Digest::of("b"));
    EXPECT_EQ(memo.get(), Digest::of("a"));
    DigestMemo copy(memo);
    EXPECT_FALSE(copy.get());
    memo = copy;
    EXPECT_FALSE(memo.get());
}

TEST(DigestMemo, ReadersNeverSeeAPart) {
    DigestMemo memo;
    const Digest digest = Digest::of("a");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            memo.set(digest);
            EXPECT_EQ(memo.get(), digest);
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(memo.get(), digest);
}

}  // namespace
}  // namespace mullion::tree
