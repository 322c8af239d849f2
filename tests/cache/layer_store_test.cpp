#include "cache/layer_store.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "tests/cache/layers.hpp"
#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using base::ErrorCode;
using oci::Compression;
using ::testing::ElementsAre;
using tree::Os;

class LayerStoreTest : public StateFixture {
  protected:
    LayerStoreTest() { reopen(); }
    void reopen() {
        opened_.reset();
        opened_ = std::make_unique<State>(state());
    }
    LayerStore& layers() { return opened_->layers(); }
    fs::path index(const Layer& layer) const {
        return state() / "index" / "sha256" / layer.diff_id.digest.hex();
    }
    fs::path tar(const Layer& layer) const { return state() / "layers" / "tar" / layer.diff_id.digest.hex(); }
    fs::path blob(const Layer& layer) const {
        return state() / "blobs" / "sha256" / layer.descriptor.digest.hex();
    }
    std::vector<std::string> files(const Layer& layer) {
        return files_of(*opened_, *layers().delta_of(layer.diff_id, Os::Windows, {}));
    }

    std::unique_ptr<State> opened_;
    const Layer layer_ = make_layer({{"a.txt", "first"}, {"b.txt", std::string(5000, 'b')}});
    const std::string b_ = "b.txt=" + std::string(5000, 'b');
};

TEST_F(LayerStoreTest, KnowsTheBlobOfALayer) {
    EXPECT_FALSE(layers().blob_of(layer_.diff_id));
    oci::Descriptor foreign = layer_.descriptor;
    foreign.urls = {"https://example.com/a", "https://example.com/b"};
    opened_->content().put_bytes(layer_.blob);
    layers().add(layer_.diff_id, foreign);
    reopen();
    EXPECT_EQ(layers().blob_of(layer_.diff_id), foreign);
}

TEST_F(LayerStoreTest, FirstBlobStaysWhileItIsThere) {
    Layer other = make_layer({{"a.txt", "first"}, {"b.txt", std::string(5000, 'b')}}, Compression::Zstd);
    ASSERT_EQ(other.diff_id, layer_.diff_id);
    put(*opened_, layer_);
    put(*opened_, other);
    EXPECT_EQ(layers().blob_of(layer_.diff_id), layer_.descriptor);
    opened_->content().remove(layer_.descriptor.digest);
    EXPECT_EQ(layers().blob_of(layer_.diff_id), other.descriptor);
}

TEST_F(LayerStoreTest, BlobCutShortCountsAsAbsent) {
    put(*opened_, layer_);
    fs::resize_file(blob(layer_), 10);
    EXPECT_FALSE(layers().blob_of(layer_.diff_id));
    EXPECT_EQ(code_of([&] { layers().delta_of(layer_.diff_id, Os::Windows, {}); }), ErrorCode::NotFound);
}

TEST_F(LayerStoreTest, ReadsNamesAndContentsOfEveryCompression) {
    for (Compression compression : {Compression::None, Compression::Gzip, Compression::Zstd}) {
        Layer layer = make_layer({{"a.txt", "first"}, {"b.txt", std::string(5000, 'b')}}, compression);
        State fresh(path("state-" + std::to_string(static_cast<int>(compression))));
        put(fresh, layer);
        auto delta = fresh.layers().delta_of(layer.diff_id, Os::Windows, {});
        EXPECT_THAT(files_of(fresh, *delta), ElementsAre("a.txt=first", b_));
    }
}

TEST_F(LayerStoreTest, UncompressedBlobsAreReadInPlace) {
    Layer plain = make_layer({{"a.txt", "first"}}, Compression::None);
    put(*opened_, plain);
    EXPECT_THAT(files(plain), ElementsAre("a.txt=first"));
    EXPECT_FALSE(fs::exists(tar(plain)));
    put(*opened_, layer_);
    files(layer_);
    EXPECT_EQ(base::read_file(tar(layer_), 1 << 20), layer_.tar);
}

TEST_F(LayerStoreTest, IndexIsMadeOnceAndNeedsNoBlobAfterwards) {
    put(*opened_, layer_);
    auto first = layers().delta_of(layer_.diff_id, Os::Windows, {});
    EXPECT_EQ(layers().delta_of(layer_.diff_id, Os::Windows, {}), first);
    opened_->content().remove(layer_.descriptor.digest);
    reopen();
    auto again = layers().delta_of(layer_.diff_id, Os::Windows, {});
    EXPECT_EQ(again->changes.size(), first->changes.size());
}

TEST_F(LayerStoreTest, IndexKnowsTheDigestsOfContents) {
    put(*opened_, layer_);
    layers().delta_of(layer_.diff_id, Os::Windows, {});
    reopen();
    for (const tree::Change& change : layers().delta_of(layer_.diff_id, Os::Windows, {})->changes) {
        const auto& upsert = std::get<tree::Upsert>(change);
        if (upsert.path != "a.txt") continue;
        EXPECT_EQ(upsert.node->content->known_digest(), base::Digest::of("first"));
    }
}

TEST_F(LayerStoreTest, StoredIndexIsUsed) {
    put(*opened_, layer_);
    tree::Delta delta = *layers().delta_of(layer_.diff_id, Os::Windows, {});
    State fresh(path("other"));
    fresh.layers().put_index(layer_.diff_id, delta);
    EXPECT_EQ(fresh.layers().delta_of(layer_.diff_id, Os::Windows, {})->changes.size(), delta.changes.size());
}

TEST_F(LayerStoreTest, DamagedIndexIsMadeAgain) {
    put(*opened_, layer_);
    layers().delta_of(layer_.diff_id, Os::Windows, {});
    std::string good = base::read_file(index(layer_), 1 << 20);
    std::string flipped = good;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    for (const std::string& bad :
         {std::string(), good.substr(0, 10), good.substr(0, good.size() / 2), flipped,
          std::string(good.size(), '\0'), "mullion layer index 9\n" + good.substr(22)}) {
        base::write_file_atomic(index(layer_), bad);
        reopen();
        EXPECT_THAT(files(layer_), ElementsAre("a.txt=first", b_));
        EXPECT_EQ(base::read_file(index(layer_), 1 << 20), good);
    }
}

TEST_F(LayerStoreTest, BlobThatHoldsAnotherLayerIsRefused) {
    Layer other = make_layer({{"c.txt", "other"}});
    opened_->content().put_bytes(other.blob);
    try {
        layers().read(layer_.diff_id, other.descriptor, Os::Windows, {});
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt);
        EXPECT_THAT(error.what(), ::testing::HasSubstr(other.diff_id.digest.string()));
        EXPECT_THAT(error.what(), ::testing::HasSubstr(layer_.diff_id.digest.string()));
    }
    EXPECT_FALSE(fs::exists(index(layer_)));
    EXPECT_FALSE(layers().is_known(layer_.diff_id, other.descriptor.digest));
    EXPECT_FALSE(layers().blob_of(layer_.diff_id));
    EXPECT_TRUE(fs::exists(blob(other)));
    opened_->content().put_bytes(layer_.blob);
    layers().read(layer_.diff_id, layer_.descriptor, Os::Windows, {});
    EXPECT_THAT(files(layer_), ElementsAre("a.txt=first", b_));
}

TEST_F(LayerStoreTest, RecordOfABlobThatHoldsAnotherLayerDoesNotStay) {
    Layer other = make_layer({{"c.txt", "other"}});
    opened_->content().put_bytes(other.blob);
    layers().add(layer_.diff_id, other.descriptor);
    tree::Content content(5, tree::LayerRange{layer_.diff_id, 0});
    EXPECT_EQ(code_of([&] { layers().contents().open(content, {}); }), ErrorCode::Corrupt);
    EXPECT_FALSE(fs::exists(tar(layer_)));
    put(*opened_, layer_);
    EXPECT_THAT(files(layer_), ElementsAre("a.txt=first", b_));
}

TEST_F(LayerStoreTest, EveryBlobOfALayerIsKnown) {
    Layer other = make_layer({{"a.txt", "first"}, {"b.txt", std::string(5000, 'b')}}, Compression::Zstd);
    put(*opened_, layer_);
    put(*opened_, other);
    reopen();
    EXPECT_TRUE(layers().is_known(layer_.diff_id, layer_.descriptor.digest));
    EXPECT_TRUE(layers().is_known(layer_.diff_id, other.descriptor.digest));
    EXPECT_FALSE(layers().is_known(layer_.diff_id, layer_.diff_id.digest));
}

TEST_F(LayerStoreTest, DamagedBlobIsRemovedSoThatItCanBeHadAgain) {
    put(*opened_, layer_);
    std::string damaged = layer_.blob;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
    base::write_file_atomic(blob(layer_), damaged);
    try {
        layers().delta_of(layer_.diff_id, Os::Windows, {});
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt);
        EXPECT_THAT(error.hint(), ::testing::HasSubstr("load or build"));
    }
    EXPECT_FALSE(layers().blob_of(layer_.diff_id));
    put(*opened_, layer_);
    EXPECT_THAT(files(layer_), ElementsAre("a.txt=first", b_));
}

TEST_F(LayerStoreTest, RangesBeyondTheLayerAreRefused) {
    put(*opened_, layer_);
    std::uint64_t size = layer_.tar.size();
    for (auto [offset, length] : {std::pair<std::uint64_t, std::uint64_t>{size, 1},
                                  {0, size + 1},
                                  {UINT64_MAX, 1},
                                  {1, UINT64_MAX},
                                  {UINT64_MAX, UINT64_MAX}}) {
        tree::Content content(length, tree::LayerRange{layer_.diff_id, offset});
        EXPECT_EQ(code_of([&] { layers().contents().open(content, {}); }), ErrorCode::Corrupt) << offset;
    }
    tree::Content all(size, tree::LayerRange{layer_.diff_id, 0});
    EXPECT_EQ(layers().contents().open(all, {})->read_all(1 << 20, "x"), layer_.tar);
    tree::Content nothing(0, tree::LayerRange{layer_.diff_id, size});
    EXPECT_EQ(layers().contents().open(nothing, {})->read_all(10, "x"), "");
}

TEST_F(LayerStoreTest, ContentsOfTheHostAndInlineOnesAreServedToo) {
    auto inline_bytes = tree::Content::inline_bytes("inline");
    EXPECT_EQ(layers().contents().open(*inline_bytes, {})->read_all(10, "x"), "inline");
    base::write_file_atomic(path("host"), "on the host");
    tree::StatIdentity identity = tree::stat_identity(path("host"));
    tree::Content host(11, tree::HostFile{path("host"), identity});
    EXPECT_EQ(layers().contents().open(host, {})->read_all(20, "x"), "on the host");
}

TEST_F(LayerStoreTest, DigestsOfHostFilesReachTheStatCache) {
    base::write_file_atomic(path("host"), "on the host");
    tree::StatIdentity identity = tree::stat_identity(path("host"));
    tree::Content host(11, tree::HostFile{path("host"), identity});
    base::FileTime later{base::FileTime::now().ticks + 100 * base::FileTime::kTicksPerSecond};
    layers().contents().on_digest(host, base::Digest::of("on the host"), later);
    EXPECT_EQ(opened_->stats().find(identity), base::Digest::of("on the host"));
}

TEST_F(LayerStoreTest, UnpackedDirectoryIsMadeOnce) {
    int calls = 0;
    auto unpack = [&](const fs::path& directory) {
        ++calls;
        base::write_file_atomic(directory / "file", "x");
    };
    fs::path first = layers().unpacked(key(1), unpack);
    EXPECT_EQ(layers().unpacked(key(1), unpack), first);
    reopen();
    EXPECT_EQ(layers().unpacked(key(1), unpack), first);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(base::read_file(first / "file", 10), "x");
    EXPECT_NE(layers().unpacked(key(2), unpack), first);
}

TEST_F(LayerStoreTest, FailedUnpackingLeavesNothingAndMayBeTriedAgain) {
    EXPECT_EQ(code_of([&] {
                  layers().unpacked(key(1), [](const fs::path& directory) {
                      base::write_file_atomic(directory / "half", "x");
                      throw base::Error(ErrorCode::Invalid, "bad layer");
                  });
              }),
              ErrorCode::Invalid);
    fs::path layer = layers().unpacked(
        key(1), [](const fs::path& directory) { base::write_file_atomic(directory / "whole", "x"); });
    EXPECT_EQ(base::list_directory(layer), std::vector<std::string>{"whole"});
}

TEST_F(LayerStoreTest, UnpackingMayUnpackOtherLayers) {
    fs::path upper = layers().unpacked(key(2), [&](const fs::path& directory) {
        fs::path lower = layers().unpacked(
            key(1), [](const fs::path& below) { base::write_file_atomic(below / "file", "low"); });
        fs::copy(lower / "file", directory / "file");
    });
    EXPECT_EQ(base::read_file(upper / "file", 10), "low");
}

TEST_F(LayerStoreTest, WaitingForAnotherUnpackerCanBeCanceled) {
    base::FileLock other(state() / "layers" / (key(1).hex() + ".lock"), base::FileLock::Mode::Exclusive);
    base::CancelSource source;
    std::thread canceler([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        source.cancel();
    });
    EXPECT_EQ(code_of([&] {
                  layers().unpacked(
                      key(1), [](const fs::path&) {}, source.token());
              }),
              ErrorCode::Canceled);
    canceler.join();
}

TEST_F(LayerStoreTest, RebootDropsWhatWasNotSyncedAndKeepsIndexes) {
    put(*opened_, layer_);
    files(layer_);
    fs::path unpacked = layers().unpacked(
        key(1), [](const fs::path& directory) { base::write_file_atomic(directory / "file", "x"); });
    reopen();
    EXPECT_TRUE(fs::exists(unpacked));
    base::write_file_atomic(state() / "layers" / "boot", "another boot");
    reopen();
    EXPECT_FALSE(fs::exists(unpacked));
    EXPECT_FALSE(fs::exists(tar(layer_)));
    EXPECT_TRUE(fs::exists(index(layer_)));
    EXPECT_THAT(files(layer_), ElementsAre("a.txt=first", b_));
}

TEST_F(LayerStoreTest, AnotherKernelDropsNothingWhileSomebodyUsesTheState) {
    fs::path unpacked = layers().unpacked(
        key(1), [](const fs::path& directory) { base::write_file_atomic(directory / "file", "x"); });
    base::write_file_atomic(state() / "layers" / "boot", "another boot");
    State beside(state());
    EXPECT_TRUE(fs::exists(unpacked / "file"));
}

TEST_F(LayerStoreTest, ThreadsReadALayerTogether) {
    put(*opened_, layer_);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] { EXPECT_THAT(files(layer_), ElementsAre("a.txt=first", b_)); });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST_F(LayerStoreTest, CanceledReadingStops) {
    put(*opened_, layer_);
    base::CancelSource source;
    source.cancel();
    EXPECT_EQ(code_of([&] { layers().delta_of(layer_.diff_id, Os::Windows, source.token()); }),
              ErrorCode::Canceled);
    EXPECT_FALSE(fs::exists(index(layer_)));
}

}  // namespace
}  // namespace mullion::cache
