#include "oci/registry_blobs.hpp"

#include <gmock/gmock.h>

#include <atomic>

#include "oci/image.hpp"
#include "oci/push.hpp"
#include "oci/side_by_side.hpp"
#include "registry_test.hpp"

namespace mullion::oci::test {
namespace {

using base::ErrorCode;
using mullion::test::DockerRegistry;
using mullion::test::RegistryProxy;
using testing::HasSubstr;

TEST(SideBySide, RunsEverythingAFewAtATime) {
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    std::atomic<int> done{0};
    run_side_by_side(20, 3, {}, [&](std::size_t, const base::CancelToken&) {
        most = std::max(most.load(), ++running);
        ++done;
        --running;
    });
    EXPECT_EQ(done, 20);
    EXPECT_LE(most, 3);
}

TEST(SideBySide, TheFirstFailureStopsTheRest) {
    std::atomic<int> begun{0};
    Failure failed = failure([&] {
        run_side_by_side(100, 2, {}, [&](std::size_t i, const base::CancelToken& token) {
            ++begun;
            if (i == 0) throw base::fail(ErrorCode::Io, "broken");
            token.wait_for(std::chrono::hours(1));
            token.check();
        });
    });
    EXPECT_EQ(failed.code, ErrorCode::Io);
    EXPECT_LE(begun, 2);
}

class RegistryBlobsTest : public ScratchTest {
  protected:
    static std::string megabytes() {
        std::string bytes(5 << 20, '\0');
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
        return bytes;
    }
    Reference named(const std::string& name) const { return reference(proxy.host(), name); }

    DockerRegistry registry;
    RegistryProxy proxy{registry};
    MemoryBlobs blobs;
    Descriptor layer = blobs.add(media_type::kLayer, megabytes());
    FixedKeychain nobody;
    RegistryClient client{hasty(), nobody};
    RegistryBlobs remote{client, named("app")};
};

TEST_F(RegistryBlobsTest, StreamsWhatIsRead) {
    client.put_blob(named("app"), blobs, layer, {}, none_);
    base::StringSink sink;
    copy_blob(remote, layer, sink, none_);
    EXPECT_EQ(base::Digest::of(sink.data()), layer.digest);
}

// A server that cannot go on sends everything again; the reader does not notice.
TEST_F(RegistryBlobsTest, ARestartGoesUnnoticed) {
    client.put_blob(named("app"), blobs, layer, {}, none_);
    proxy.set(R"({"rules":[{"method":"GET","path":"/blobs/","times":1,"do":"cut","bytes":3000000},
                           {"method":"GET","path":"/blobs/","do":"whole"}]})");
    base::StringSink sink;
    copy_blob(remote, layer, sink, none_);
    EXPECT_EQ(base::Digest::of(sink.data()), layer.digest);
}

TEST_F(RegistryBlobsTest, WhoeverStopsReadingEndsTheTransfer) {
    client.put_blob(named("app"), blobs, layer, {}, none_);
    char some[100];
    auto source = remote.open(layer, none_);
    EXPECT_GT(source->read(some, sizeof some), 0u);
    source.reset();
    base::CancelSource cancel;
    source = remote.open(layer, cancel.token());
    EXPECT_GT(source->read(some, sizeof some), 0u);
    cancel.cancel();
    EXPECT_EQ(failure([&] {
                  for (char buffer[4096]; source->read(buffer, sizeof buffer) > 0;) continue;
              }).code,
              ErrorCode::Canceled);
}

TEST_F(RegistryBlobsTest, FailuresReachTheReader) {
    auto source = remote.open(layer, none_);
    char some[100];
    EXPECT_EQ(failure([&] { source->read(some, sizeof some); }).code, ErrorCode::NotFound);
}

TEST_F(RegistryBlobsTest, AnIndexThatNamesAnotherMediaTypeIsWrong) {
    TestImage image = add_image(blobs, {layer_tar("a", "1")});
    store(client, blobs, image, named("app:1"));
    Descriptor wrong = image.root;
    wrong.media_type = media_type::kIndex;
    Failure failed = failure([&] { remote.open(wrong, none_); });
    EXPECT_EQ(failed.code, ErrorCode::Corrupt);
    EXPECT_THAT(failed.text, HasSubstr("manifest.v1+json"));
}

class NoProgress {
  public:
    TransferReport report() { return {progress_, base::Digest::of("test")}; }

  private:
    base::NullProgress progress_;
};

TEST_F(RegistryBlobsTest, PushesAnIndexWithAllItsImages) {
    TestImage one = add_image(blobs, {layer_tar("a", "1")}, Compression::Gzip, "10.0.17763.1");
    TestImage two = add_image(blobs, {layer_tar("a", "1"), layer_tar("b", "2")});
    Index index;
    index.manifests = {one.root, two.root};
    std::string bytes = index.json();
    Descriptor root = blobs.add(media_type::kIndex, bytes);
    NoProgress none;
    std::vector<Reference> names = {named("app:1"), named("app:2")};
    PushCounts counts = push_image(client, blobs, root, names, {}, none.report(), none_);
    EXPECT_EQ(counts.uploaded, 4u);  // one layer is in both
    for (const Reference& name : names) EXPECT_EQ(client.get_manifest(name, none_).bytes, bytes);
    PushCounts again = push_image(client, blobs, root, names, {}, none.report(), none_);
    EXPECT_EQ(again.present, 4u);
    EXPECT_EQ(load_images(remote, root, none_).size(), 2u);
}

// Names are the last thing to be pushed.
TEST_F(RegistryBlobsTest, APushThatFailsNamesNothing) {
    TestImage image = add_image(blobs, {layer_tar("a", "1"), layer_tar("b", "2")});
    blobs.bytes.erase(image.manifest.layers[1].digest);
    NoProgress none;
    EXPECT_THROW(push_image(client, blobs, image.root, {named("app:1")}, {}, none.report(), none_),
                 base::Error);
    EXPECT_EQ(client.find_manifest(named("app:1"), none_), std::nullopt);
}

}  // namespace
}  // namespace mullion::oci::test
