#include "worker/layer_writer.hpp"

#include <sys/mount.h>

#include <cstring>
#include <random>

#include "base/error.hpp"
#include "tests/worker/worker_test.hpp"
#include "tree/layer_tar.hpp"
#include "tree/scan.hpp"

namespace mullion::test {
namespace {

class LayerWriterTest : public WorkerTest {
  protected:
    worker::LayerRef context_layer() {
        tree::Tree files = tree::scan(path("context"), {}, cancel);
        auto delta = std::make_shared<const tree::Delta>(tree::diff(tree::Tree(tree::Os::Windows), files));
        return std::make_shared<worker::Layer>(std::move(delta));
    }
    worker::LayerWriter& writer() { return worker().parts().writer; }
};

TEST_F(LayerWriterTest, DiffIdIsTheDigestOfTheTarInTheBlob) {
    for (int i = 0; i < 300; ++i)
        write("d" + std::to_string(i % 7) + "/f" + std::to_string(i), std::string(i, 'x'));
    write("large", std::string(5 << 20, 'y'));
    worker::WrittenLayer written = writer().write(*context_layer(), cancel);
    EXPECT_EQ(state->content().size_of(written.blob.digest), written.blob.size);
    auto raw = state->content().open(written.blob, cancel);
    auto tar = oci::decompress(*raw, 1 << 30);
    base::HashSink hash;
    base::copy(*tar, hash);
    EXPECT_EQ(hash.digest(), written.diff_id.digest);
}

TEST_F(LayerWriterTest, ContentsCanBeReadBackFromTheBlob) {
    for (int i = 0; i < 50; ++i) write("f" + std::to_string(i), "data " + std::to_string(i));
    auto layer = context_layer();
    writer().write(*layer, cancel);
    std::filesystem::remove_all(path("context"));
    auto delta = layer->delta(tree::Os::Windows, cancel);
    ASSERT_EQ(delta->changes.size(), 50U);
    for (const auto& change : delta->changes) {
        const auto& upsert = std::get<tree::Upsert>(change);
        auto bytes = worker().parts().blobs.contents().open(*upsert.node->content, cancel);
        EXPECT_EQ(bytes->read_all(100, "file"), "data " + upsert.path.substr(1));
    }
}

TEST_F(LayerWriterTest, SameFilesGiveTheSameLayer) {
    for (int i = 0; i < 100; ++i) write("f" + std::to_string(i), std::string(50'000, static_cast<char>(i)));
    auto first = writer().write(*context_layer(), cancel);
    auto second = writer().write(*context_layer(), cancel);
    EXPECT_EQ(first, second);
}

TEST_F(LayerWriterTest, FileThatChangedSinceItWasSeenIsAnError) {
    for (int i = 0; i < 40; ++i) write("f" + std::to_string(i), "before");
    auto layer = context_layer();
    write("f17", "after, and longer");
    try {
        writer().write(*layer, cancel);
        FAIL() << "no error";
    } catch (const base::Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("f17"));
    }
    EXPECT_FALSE(layer->written());
    EXPECT_TRUE(state->content().list().empty());
}

TEST_F(LayerWriterTest, WritingIsDoneOnce) {
    write("f", "1");
    auto layer = context_layer();
    auto first = writer().write(*layer, cancel);
    std::filesystem::remove_all(path("context"));
    EXPECT_EQ(writer().write(*layer, cancel), first);
}

TEST_F(LayerWriterTest, RecompressedLayersHoldTheSameTar) {
    write("f", std::string(100'000, 'z'));
    auto written = writer().write(*context_layer(), cancel);
    EXPECT_EQ(writer().recompress(written, oci::Compression::Gzip, {}, cancel), written.blob);
    auto plain = writer().recompress(written, oci::Compression::None, {}, cancel);
    EXPECT_EQ(plain.digest, written.diff_id.digest);
    EXPECT_EQ(plain.media_type, oci::media_type::kLayer);
    auto zstd = writer().recompress(written, oci::Compression::Zstd, 5, cancel);
    EXPECT_EQ(zstd.media_type, oci::media_type::kLayerZstd);
    auto raw = state->content().open(zstd, cancel);
    auto tar = oci::decompress(*raw, 1 << 30);
    base::HashSink hash;
    base::copy(*tar, hash);
    EXPECT_EQ(hash.digest(), written.diff_id.digest);
    EXPECT_EQ(writer().recompress(written, oci::Compression::Zstd, 5, cancel), zstd);
}

TEST_F(LayerWriterTest, RecompressedLayerIsRemembered) {
    write("f", std::string(100'000, 'z'));
    auto written = writer().write(*context_layer(), cancel);
    auto zstd = writer().recompress(written, oci::Compression::Zstd, 5, cancel);
    restart();
    // Without the layer it could not be made again.
    state->content().remove(written.blob.digest);
    EXPECT_EQ(writer().recompress(written, oci::Compression::Zstd, 5, cancel), zstd);
    EXPECT_THROW(writer().recompress(written, oci::Compression::Zstd, 6, cancel), base::Error);
    state->content().remove(zstd.digest);
    EXPECT_THROW(writer().recompress(written, oci::Compression::Zstd, 5, cancel), base::Error);
}

TEST_F(LayerWriterTest, RecompressedLayersAreCollectedWithTheirImages) {
    write("f", std::string(100'000, 'z'));
    auto written = writer().write(*context_layer(), cancel);
    auto zstd = writer().recompress(written, oci::Compression::Zstd, 5, cancel);
    restart();
    state->images().collect_garbage();
    EXPECT_FALSE(state->content().size_of(zstd.digest));
    EXPECT_FALSE(state->layers().is_known(written.diff_id, zstd.digest));
}

TEST_F(LayerWriterTest, RecompressingCanBeCanceled) {
    write("f", std::string(100'000, 'z'));
    auto written = writer().write(*context_layer(), cancel);
    base::CancelSource source;
    source.cancel();
    try {
        writer().recompress(written, oci::Compression::Zstd, {}, source.token());
        FAIL() << "no error";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Canceled);
    }
}

TEST_F(LayerWriterTest, BlobThatIsNotTheLayerIsCorrupt) {
    write("f", "1");
    auto written = writer().write(*context_layer(), cancel);
    write("f", "22");
    auto other = writer().write(*context_layer(), cancel);
    worker::WrittenLayer mixed{written.diff_id, other.blob};
    try {
        writer().recompress(mixed, oci::Compression::Zstd, {}, cancel);
        FAIL() << "no error";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Corrupt);
    }
}

// A small file system for the state; unmounted when the test is over.
class SmallDisk {
  public:
    explicit SmallDisk(std::filesystem::path at) : at_(std::move(at)) {
        std::filesystem::create_directory(at_);
        mounted_ = ::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=4m") == 0;
    }
    ~SmallDisk() {
        if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
    }
    bool mounted() const { return mounted_; }

  private:
    std::filesystem::path at_;
    bool mounted_ = false;
};

TEST_F(LayerWriterTest, FullDiskIsReportedAndLeavesNothing) {
    SmallDisk disk(path("small"));
    if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount";
    std::mt19937_64 random(1);
    std::string noise(16 << 20, '\0');
    for (std::size_t i = 0; i < noise.size(); i += 8) {
        std::uint64_t value = random();
        std::memcpy(noise.data() + i, &value, 8);
    }
    write("noise", noise);
    state = std::make_unique<cache::State>(path("small/state"));
    try {
        writer().write(*context_layer(), cancel);
        ADD_FAILURE() << "no error";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Exhausted) << error.what();
    }
    EXPECT_TRUE(state->content().list().empty());
    write("noise", "little");
    EXPECT_NO_THROW(writer().write(*context_layer(), cancel));
    restart();
}

TEST_F(LayerWriterTest, CanceledWriterLeavesNothing) {
    for (int i = 0; i < 40; ++i) write("f" + std::to_string(i), "x");
    base::CancelSource source;
    source.cancel();
    EXPECT_THROW(writer().write(*context_layer(), source.token()), base::Error);
    EXPECT_TRUE(state->content().list().empty());
}

}  // namespace
}  // namespace mullion::test
