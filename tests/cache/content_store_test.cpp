#include "cache/content_store.hpp"

#include <thread>

#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using base::Digest;
using base::ErrorCode;

class ContentStoreTest : public StateFixture {
  protected:
    std::unique_ptr<ContentStore> store_ = ContentStore::open_directory(state());
    fs::path blob(const Digest& digest) const { return state() / "blobs" / "sha256" / digest.hex(); }
    // Files of the session besides its lock and leases.
    std::size_t temporary_files() const {
        std::size_t count = 0;
        for (const auto& entry : fs::recursive_directory_iterator(state() / "tmp")) {
            std::string name = entry.path().filename().string();
            if (entry.is_regular_file() && name != "lock" && name != "leases") ++count;
        }
        return count;
    }
};

TEST_F(ContentStoreTest, IsAnOciLayout) {
    EXPECT_EQ(base::read_file(state() / "oci-layout", 100), R"({"imageLayoutVersion":"1.0.0"})");
    EXPECT_EQ(base::read_file(state() / "index.json", 100), R"({"schemaVersion":2,"manifests":[]})");
    Digest digest = store_->put_bytes("abc");
    EXPECT_EQ(base::read_file(blob(digest), 10), "abc");
}

TEST_F(ContentStoreTest, BlobIsInvisibleUntilCommit) {
    auto writer = store_->writer();
    writer->write("ab");
    writer->write("c");
    EXPECT_FALSE(store_->contains(Digest::of("abc")));
    EXPECT_TRUE(store_->list().empty());
    auto committed = writer->commit();
    EXPECT_EQ(committed.digest, Digest::of("abc"));
    EXPECT_EQ(committed.size, 3u);
    EXPECT_TRUE(store_->contains(Digest::of("abc")));
    EXPECT_EQ(read(*store_, Digest::of("abc")), "abc");
}

TEST_F(ContentStoreTest, AbandonedWriterLeavesNothing) {
    { store_->writer()->write("half"); }
    EXPECT_TRUE(store_->list().empty());
    EXPECT_EQ(temporary_files(), 0u);
}

TEST_F(ContentStoreTest, WrongDigestOrSizeIsRefused) {
    for (bool wrong_size : {false, true}) {
        auto writer = store_->writer();
        writer->write("abc");
        try {
            if (wrong_size) {
                writer->commit(Digest::of("abc"), 4);
            } else {
                writer->commit(Digest::of("abd"), 3);
            }
            FAIL();
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Corrupt);
            std::string text = error.what();
            std::string found = wrong_size ? "3" : Digest::of("abc").string();
            std::string wanted = wrong_size ? "4" : Digest::of("abd").string();
            EXPECT_NE(text.find(found), std::string::npos) << text;
            EXPECT_NE(text.find(wanted), std::string::npos) << text;
        }
    }
    EXPECT_TRUE(store_->list().empty());
    EXPECT_EQ(temporary_files(), 0u);
}

TEST_F(ContentStoreTest, CommitOfExistingBlobSucceeds) {
    EXPECT_EQ(store_->put_bytes("abc"), store_->put_bytes("abc"));
    EXPECT_EQ(store_->list().size(), 1u);
    EXPECT_EQ(temporary_files(), 0u);
}

TEST_F(ContentStoreTest, EmptyBlobIsABlob) {
    EXPECT_EQ(store_->put_bytes(""), Digest::of(""));
    EXPECT_EQ(store_->size_of(Digest::of("")), 0u);
    EXPECT_EQ(read(*store_, Digest::of("")), "");
}

TEST_F(ContentStoreTest, AbsentBlobs) {
    Digest absent = Digest::of("absent");
    EXPECT_FALSE(store_->contains(absent));
    EXPECT_FALSE(store_->size_of(absent));
    EXPECT_EQ(code_of([&] { store_->path_of(absent); }), ErrorCode::NotFound);
    EXPECT_EQ(code_of([&] { store_->open(descriptor(absent, 1), {}); }), ErrorCode::NotFound);
    EXPECT_NO_THROW(store_->remove(absent));
}

TEST_F(ContentStoreTest, RemovedBlobIsGoneButOpenOnesStayReadable) {
#ifdef _WIN32
    GTEST_SKIP() << "Wine has no removal of names that are open (FILE_DISPOSITION_POSIX_SEMANTICS)";
#endif
    Digest digest = store_->put_bytes("abc");
    auto open = store_->open(descriptor(digest, 3), {});
    store_->remove(digest);
    EXPECT_FALSE(store_->contains(digest));
    EXPECT_EQ(open->read_all(10, "x"), "abc");
}

// What a power loss can leave: the name with fewer bytes.
TEST_F(ContentStoreTest, BlobCutShortIsNoticedAndReplaced) {
    Digest digest = store_->put_bytes("abcdef");
    fs::resize_file(blob(digest), 2);
    EXPECT_EQ(code_of([&] { store_->open(descriptor(digest, 6), {}); }), ErrorCode::Corrupt);
    EXPECT_EQ(store_->put_bytes("abcdef"), digest);
    EXPECT_EQ(read(*store_, digest), "abcdef");

    auto other = ContentStore::open_directory(path("other"));
    other->put_bytes("abcdef");
    fs::resize_file(blob(digest), 0);
    store_->ingest(*other, descriptor(digest, 6), {});
    EXPECT_EQ(read(*store_, digest), "abcdef");
}

TEST_F(ContentStoreTest, IngestVerifiesAndCopiesOnce) {
    auto other = ContentStore::open_directory(path("other"));
    Digest digest = other->put_bytes("abc");
    store_->ingest(*other, descriptor(digest, 3), {});
    EXPECT_EQ(read(*store_, digest), "abc");
    other->remove(digest);
    EXPECT_NO_THROW(store_->ingest(*other, descriptor(digest, 3), {}));
}

TEST_F(ContentStoreTest, IngestRefusesForgedContent) {
    auto other = ContentStore::open_directory(path("other"));
    Digest digest = other->put_bytes("abc");
    base::write_file_atomic(path("other") / "blobs" / "sha256" / digest.hex(), "abd");
    EXPECT_EQ(code_of([&] { store_->ingest(*other, descriptor(digest, 3), {}); }), ErrorCode::Corrupt);
    EXPECT_TRUE(store_->list().empty());
}

TEST_F(ContentStoreTest, ForeignNamesAmongTheBlobsAreNotBlobs) {
    store_->put_bytes("abc");
    base::write_file_atomic(state() / "blobs" / "sha256" / "README", "x");
    EXPECT_EQ(store_->list(), std::vector{Digest::of("abc")});
}

TEST_F(ContentStoreTest, DurableBlobsStayReadable) {
    store_->put_bytes("abc");
    store_->make_durable();
    store_->make_durable();
    EXPECT_EQ(read(*store_, Digest::of("abc")), "abc");
}

TEST_F(ContentStoreTest, ThreadsMayCommitTheSameBlob) {
    std::string data(300'000, 'x');
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 10; ++round) {
                store_->put_bytes(data);
                store_->contains(Digest::of(data));
                store_->put_bytes(data + std::to_string(round));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(store_->list().size(), 11u);
    EXPECT_EQ(read(*store_, Digest::of(data)), data);
}

TEST_F(ContentStoreTest, LayoutOfAnotherVersionIsRefused) {
    base::write_file_atomic(state() / "oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
    EXPECT_EQ(code_of([&] { ContentStore::open_directory(state()); }), ErrorCode::Unsupported);
}

}  // namespace
}  // namespace mullion::cache
