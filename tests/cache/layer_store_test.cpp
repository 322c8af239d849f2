#include "cache/layer_store.hpp"

#include <gmock/gmock.h>

#include <random>
#include <thread>

#include "base/process.hpp"
#include "tests/cache/layers.hpp"
#include "tests/cache/state_fixture.hpp"
#include "tests/support/host_tools.hpp"

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
    fs::path seek(const Layer& layer) const {
        return state() / "index" / "seek" / layer.descriptor.digest.hex();
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
    // As another engine compresses it: of its points, only the first is at a member.
    Layer foreign(Layer layer, const std::vector<std::string>& argv) {
        base::write_file_atomic(path("tar"), layer.tar);
        base::ProcessOptions options;
        options.argv = argv;
        options.argv.push_back(path("tar").string());
        layer.blob = base::run_and_capture(options, {}, std::size_t{1} << 30).out;
        layer.descriptor.digest = base::Digest::of(layer.blob);
        layer.descriptor.size = layer.blob.size();
        return layer;
    }
    // Some megabytes in files of many sizes.
    static Layer large_layer() {
        std::mt19937 random(2);
        std::vector<std::pair<std::string, std::string>> files;
        for (int i = 0; i < 300; ++i) {
            std::string data(random() % (i % 50 == 0 ? 8'000'000 : 30'000), '\0');
            for (char& c : data) c = static_cast<char>('a' + random() % 8);
            files.emplace_back(fmt::format("file{:03}", i), std::move(data));
        }
        return make_layer(files);
    }
    // Every file, last first, compared with the bytes of the tar.
    void expect_contents(const Layer& layer) {
        auto delta = layers().delta_of(layer.diff_id, Os::Windows, {});
        for (auto change = delta->changes.rbegin(); change != delta->changes.rend(); ++change) {
            const tree::Content* content = std::get<tree::Upsert>(*change).node->content.get();
            if (content == nullptr) continue;
            std::uint64_t offset = std::get<tree::LayerRange>(content->location()).offset;
            EXPECT_TRUE(layers().contents().open(*content, {})->read_all(8 << 20, "file") ==
                        std::string_view(layer.tar).substr(offset, content->size()))
                << std::get<tree::Upsert>(*change).path;
        }
    }

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
        layers().read(layer_.diff_id, other.descriptor, {.os = Os::Windows}, {});
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
    layers().read(layer_.diff_id, layer_.descriptor, {.os = Os::Windows}, {});
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

TEST_F(LayerStoreTest, FilesOfCompressedBlobsAreReadWithoutACopy) {
    MULLION_NEEDS_HOST_TOOLS();
    Layer ours = large_layer();
    for (const Layer& layer : {ours, foreign(ours, {"gzip", "-nc"})}) {
        opened_.reset();
        opened_ = std::make_unique<State>(path("state-" + layer.descriptor.digest.hex()));
        put(*opened_, layer);
        expect_contents(layer);
        EXPECT_GT(layers().seek_table(layer.descriptor.digest)->points().size(), 2u);
    }
    EXPECT_FALSE(fs::exists(tar(ours)));
}

TEST_F(LayerStoreTest, OneLargeFrameIsCopied) {
    MULLION_NEEDS_HOST_TOOLS();
    Layer layer = foreign(large_layer(), {"zstd", "-qc"});
    ASSERT_GT(layer.tar.size(), std::size_t{16} << 20);
    put(*opened_, layer);
    expect_contents(layer);
    EXPECT_EQ(fs::file_size(tar(layer)), layer.tar.size());
    Layer small = foreign(layer_, {"zstd", "-qc"});
    put(*opened_, small);
    expect_contents(small);
    EXPECT_FALSE(fs::exists(tar(small)));
}

TEST_F(LayerStoreTest, SeekTableIsMadeByReading) {
    EXPECT_EQ(layers().seek_table(layer_.descriptor.digest), nullptr);
    put(*opened_, layer_);
    layers().delta_of(layer_.diff_id, Os::Windows, {});
    auto table = layers().seek_table(layer_.descriptor.digest);
    ASSERT_NE(table, nullptr);
    EXPECT_EQ(table->size(), layer_.tar.size());
    EXPECT_EQ(layers().seek_table(layer_.descriptor.digest), table);
    opened_->content().remove(layer_.descriptor.digest);
    reopen();
    EXPECT_EQ(*layers().seek_table(layer_.descriptor.digest), *table);
}

TEST_F(LayerStoreTest, AbsentAndDamagedSeekTablesAreMadeAgain) {
    put(*opened_, layer_);
    files(layer_);
    std::string good = base::read_file(seek(layer_), 1 << 20);
    std::string flipped = good;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    for (const std::string& bad :
         {std::string(), good.substr(0, 10), good.substr(0, good.size() - 1), flipped}) {
        base::write_file_atomic(seek(layer_), bad);
        reopen();
        EXPECT_EQ(layers().seek_table(layer_.descriptor.digest), nullptr);
        EXPECT_THAT(files(layer_), ElementsAre("a.txt=first", b_));
        EXPECT_EQ(base::read_file(seek(layer_), 1 << 20), good);
    }
    fs::remove(seek(layer_));
    reopen();
    EXPECT_THAT(files(layer_), ElementsAre("a.txt=first", b_));
    EXPECT_EQ(base::read_file(seek(layer_), 1 << 20), good);
}

TEST_F(LayerStoreTest, SeekTableThatLiesDoesNotStay) {
    Layer other = make_layer({{"a.txt", "other"}, {"b.txt", std::string(5000, 'c')}});
    put(*opened_, layer_);
    layers().delta_of(layer_.diff_id, Os::Windows, {});
    oci::SeekTable table = *layers().seek_table(layer_.descriptor.digest);
    std::string lie = table.serialise();
    std::size_t sizes = oci::kSeekTableFormat.size() + 1;
    ASSERT_EQ(layer_.tar.size() % 128, 0u);
    lie[sizes + 1] = static_cast<char>(lie[sizes + 1] + 4);  // the layer's size: half a kilobyte more
    layers().put_seek_table(layer_.descriptor.digest, oci::SeekTable::parse(lie));
    EXPECT_EQ(code_of([&] { files(layer_); }), ErrorCode::Corrupt);
    EXPECT_FALSE(fs::exists(seek(layer_)));
    EXPECT_THAT(files(layer_), ElementsAre("a.txt=first", b_));
    EXPECT_EQ(*layers().seek_table(layer_.descriptor.digest), table);
}

// Within a deflate stream nothing but the digest of the file tells that a byte is another one.
TEST_F(LayerStoreTest, BytesOfAFileAreComparedWithItsDigest) {
    MULLION_NEEDS_HOST_TOOLS();
    std::string noise(7 << 20, '\0');
    std::mt19937 random(4);
    for (char& c : noise) c = static_cast<char>(random());
    Layer layer = foreign(make_layer({{"noise", noise}}), {"gzip", "-nc"});
    put(*opened_, layer);
    auto delta = layers().delta_of(layer.diff_id, Os::Windows, {});
    std::string damaged = layer.blob;
    char& byte = damaged[damaged.size() / 4 * 3];  // in a stored block behind the first point
    byte = static_cast<char>(byte ^ 1);
    base::write_file_atomic(blob(layer), damaged);
    EXPECT_EQ(code_of([&] { expect_contents(layer); }), ErrorCode::Corrupt);
    EXPECT_FALSE(fs::exists(blob(layer)));
    put(*opened_, layer);
    expect_contents(layer);
}

TEST_F(LayerStoreTest, ABlobThatStreamsByIsIndexed) {
    base::MemorySource bytes(layer_.blob);
    auto delta = layers().read(layer_.diff_id, layer_.descriptor, bytes, {.os = Os::Windows}, {});
    reopen();
    EXPECT_EQ(layers().stored_delta(layer_.diff_id, Os::Windows, {})->changes.size(), delta->changes.size());
    EXPECT_EQ(layers().seek_table(layer_.descriptor.digest)->blob_size(), layer_.blob.size());
    EXPECT_TRUE(layers().is_known(layer_.diff_id, layer_.descriptor.digest));
    EXPECT_FALSE(layers().blob_of(layer_.diff_id));
}

TEST_F(LayerStoreTest, ABlobThatStreamsByIsVerified) {
    Layer other = make_layer({{"c.txt", "other"}});
    auto read = [&](const base::DiffId& diff_id, const oci::Descriptor& blob, std::string_view bytes) {
        base::MemorySource source(bytes);
        return code_of([&] { layers().read(diff_id, blob, source, {.os = Os::Windows}, {}); });
    };
    oci::Descriptor longer = layer_.descriptor, shorter = layer_.descriptor;
    ++longer.size;
    --shorter.size;
    EXPECT_EQ(read(layer_.diff_id, other.descriptor, layer_.blob), ErrorCode::Corrupt);
    EXPECT_EQ(read(layer_.diff_id, other.descriptor, other.blob), ErrorCode::Corrupt);
    EXPECT_EQ(read(layer_.diff_id, longer, layer_.blob), ErrorCode::Corrupt);
    EXPECT_EQ(read(layer_.diff_id, shorter, layer_.blob), ErrorCode::Corrupt);
    EXPECT_EQ(read(layer_.diff_id, layer_.descriptor, layer_.blob.substr(0, layer_.blob.size() / 2)),
              ErrorCode::Corrupt);
    for (const Layer& layer : {layer_, other}) {
        EXPECT_FALSE(fs::exists(index(layer)));
        EXPECT_FALSE(fs::exists(seek(layer)));
        EXPECT_FALSE(layers().is_known(layer_.diff_id, layer.descriptor.digest));
    }
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
