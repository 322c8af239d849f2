#include "oci/image.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::oci {
namespace {

using test::add_image;
using test::failure;
using test::layer_tar;
using test::MemoryBlobs;
using test::TestImage;

TEST(LoadImage, FollowsNestedIndexesToTheWantedPlatform) {
    MemoryBlobs blobs;
    TestImage old = add_image(blobs, {layer_tar("a", "1")}, Compression::Gzip, "10.0.17763.1");
    TestImage current = add_image(blobs, {layer_tar("b", "2")}, Compression::Gzip, "10.0.20348.2700");
    Index inner;
    inner.manifests = {old.root, current.root};
    Index outer;
    outer.manifests = {blobs.add(media_type::kIndex, inner.json())};
    Descriptor root = blobs.add(media_type::kIndex, outer.json());
    EXPECT_EQ(load_image(blobs, root, Platform::parse("windows/amd64"), {}).descriptor.digest,
              current.root.digest);
    Image image = load_image(blobs, root, Platform::parse("windows(10.0.17763)/amd64"), {});
    EXPECT_EQ(image.manifest, old.manifest);
    EXPECT_EQ(image.config, old.config);
    test::Failure error = failure([&] { load_image(blobs, root, Platform::parse("linux/amd64"), {}); });
    EXPECT_EQ(error.code, base::ErrorCode::NotFound);
    EXPECT_NE(error.text.find("10.0.17763.1"), std::string::npos) << error.text;
}

TEST(LoadImage, BoundsTheDepth) {
    MemoryBlobs blobs;
    Descriptor root = add_image(blobs, {}).root;
    for (int i = 0; i < 5; ++i) {
        Index index;
        index.manifests = {root};
        index.manifests[0].platform.reset();
        root = blobs.add(media_type::kIndex, index.json());
    }
    EXPECT_NE(failure([&] { load_image(blobs, root, Platform{}, {}); }).text.find("nested deeper"),
              std::string::npos);
}

TEST(LoadImages, GivesEachImageOnceAndEndsOnBombs) {
    MemoryBlobs blobs;
    TestImage first = add_image(blobs, {layer_tar("a", "1")}, Compression::Gzip, "10.0.17763.1");
    TestImage second = add_image(blobs, {layer_tar("b", "2")});
    Descriptor root = first.root;
    for (int i = 0; i < 3; ++i) {
        Index index;
        index.manifests.assign(2000, root);
        index.manifests.push_back(second.root);
        root = blobs.add(media_type::kIndex, index.json());
    }
    std::vector<Image> images = load_images(blobs, root, {});
    ASSERT_EQ(images.size(), 2u);
    EXPECT_EQ(images[0].config, first.config);
    EXPECT_EQ(images[1].config, second.config);
    Index wide;
    for (int i = 0; i < 1001; ++i) {
        TestImage image = second;
        image.config.author = std::to_string(i);
        test::seal(blobs, image);
        wide.manifests.push_back(image.root);
    }
    Descriptor bomb = blobs.add(media_type::kIndex, wide.json());
    EXPECT_EQ(failure([&] { load_images(blobs, bomb, {}); }).code, base::ErrorCode::Invalid);
}

TEST(LoadImage, RefusesLayersThatDoNotMatchTheConfig) {
    MemoryBlobs blobs;
    TestImage image = add_image(blobs, {layer_tar("a", "1")});
    image.config.diff_ids.clear();
    test::seal(blobs, image);
    EXPECT_EQ(failure([&] { load_image(blobs, image.root, Platform{}, {}); }).code, base::ErrorCode::Corrupt);
}

TEST(LoadImage, RefusesWhatIsNoImage) {
    MemoryBlobs blobs;
    Descriptor layer = blobs.add(media_type::kLayer, "x");
    EXPECT_EQ(failure([&] { load_image(blobs, layer, Platform{}, {}); }).code, base::ErrorCode::Invalid);
}

}  // namespace
}  // namespace mullion::oci
