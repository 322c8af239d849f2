#include "oci/validate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::oci {
namespace {

using test::add_image;
using test::layer_tar;
using test::MemoryBlobs;
using test::TestImage;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ValidateTest : public ::testing::Test {
  protected:
    // Rule and the first word of the place, in order.
    std::vector<std::string> rules(const Descriptor& root, const LayerCheck& on_layer = nullptr) {
        std::vector<std::string> result;
        for (const Finding& finding : validate_image(blobs_, root, on_layer, none_)) {
            EXPECT_FALSE(finding.text.empty());
            result.push_back(finding.rule + " @" + finding.where.substr(0, finding.where.find(" sha256:")));
        }
        return result;
    }
    std::vector<std::string> sealed() {
        test::seal(blobs_, image_);
        return rules(image_.root);
    }
    std::string& bytes(const Descriptor& descriptor) { return blobs_.bytes.at(descriptor.digest); }

    MemoryBlobs blobs_;
    TestImage image_ = add_image(blobs_, {layer_tar("a", "1"), layer_tar("b", std::string(100'000, 'b'))});
    base::CancelToken none_;
};

TEST_F(ValidateTest, AGoodImageHasNoFindings) {
    for (Compression compression : {Compression::None, Compression::Gzip, Compression::Zstd}) {
        EXPECT_THAT(rules(add_image(blobs_, {layer_tar("a", "1")}, compression).root), IsEmpty());
    }
    EXPECT_THAT(rules(add_image(blobs_, {}).root), IsEmpty());
}

TEST_F(ValidateTest, MissingBlobs) {
    Descriptor root = image_.root;
    blobs_.bytes.erase(image_.manifest.config.digest);
    blobs_.bytes.erase(image_.manifest.layers[1].digest);
    EXPECT_THAT(rules(root), ElementsAre("blob-missing @config", "blob-missing @layer 1 of manifest"));
    blobs_.bytes.erase(root.digest);
    EXPECT_THAT(rules(root), ElementsAre("blob-missing @manifest"));
}

TEST_F(ValidateTest, WrongSizeAndDigest) {
    bytes(image_.manifest.config) += " ";
    EXPECT_THAT(rules(image_.root), ElementsAre("size-mismatch @config"));
    bytes(image_.manifest.config).pop_back();
    bytes(image_.manifest.config)[5] ^= 1;
    EXPECT_THAT(rules(image_.root), ElementsAre("digest-mismatch @config"));
    bytes(image_.root) = std::string(image_.root.size, ' ');
    EXPECT_THAT(rules(image_.root), ElementsAre("digest-mismatch @manifest"));
}

TEST_F(ValidateTest, ADamagedLayerIsCorruptAndHasAnotherDigest) {
    std::string& layer = bytes(image_.manifest.layers[1]);
    layer[layer.size() / 2] ^= 0x40;
    EXPECT_THAT(rules(image_.root),
                ElementsAre("layer-corrupt @layer 1 of manifest", "digest-mismatch @layer 1 of manifest"));
    layer.resize(layer.size() - 3);
    EXPECT_THAT(rules(image_.root),
                ElementsAre("layer-corrupt @layer 1 of manifest", "size-mismatch @layer 1 of manifest"));
}

TEST_F(ValidateTest, TrailingGarbageOfALayer) {
    bytes(image_.manifest.layers[0]) += "x";
    EXPECT_THAT(rules(image_.root),
                ElementsAre("layer-corrupt @layer 0 of manifest", "size-mismatch @layer 0 of manifest"));
}

TEST_F(ValidateTest, WrongDiffId) {
    std::swap(image_.config.diff_ids[0], image_.config.diff_ids[1]);
    EXPECT_THAT(sealed(), ElementsAre("diff-id-mismatch @layer 0 of manifest",
                                      "diff-id-mismatch @layer 1 of manifest"));
}

TEST_F(ValidateTest, CountsOfLayersAndHistory) {
    image_.config.diff_ids.pop_back();
    EXPECT_THAT(sealed(), ElementsAre("layer-count @config"));
    image_.config.history[0].empty_layer = true;
    EXPECT_THAT(sealed(), ElementsAre("layer-count @config", "history-count @config"));
    image_.config.history.clear();
    EXPECT_THAT(sealed(), ElementsAre("layer-count @config"));
}

TEST_F(ValidateTest, MediaTypes) {
    image_.manifest.layers[0].media_type = "text/plain";
    EXPECT_THAT(sealed(), ElementsAre("media-type @layer 0 of manifest"));
    image_.manifest.layers[0].media_type = media_type::kLayer;
    EXPECT_THAT(sealed(), ElementsAre("layer-compression @layer 0 of manifest"));
    image_.manifest.layers[0].media_type = media_type::kLayerGzip;
    test::seal(blobs_, image_);
    image_.root.media_type = media_type::kDockerManifest;
    EXPECT_THAT(rules(image_.root), ElementsAre("media-type @manifest"));
    image_.root.media_type = "text/plain";
    EXPECT_THAT(rules(image_.root), ElementsAre("media-type @" + image_.root.digest.string()));
}

TEST_F(ValidateTest, ConfigMediaType) {
    image_.config.created.reset();
    Descriptor config = blobs_.add("application/json", image_.config.json());
    image_.manifest.config = config;
    Descriptor root = blobs_.add(media_type::kManifest, image_.manifest.json());
    EXPECT_THAT(rules(root), ElementsAre("media-type @config"));
}

TEST_F(ValidateTest, PlatformOfTheConfig) {
    image_.config.platform.os_version = "10.0.20348";
    EXPECT_THAT(sealed(), ElementsAre("os-version @config"));
    image_.config.platform.os_version = "";
    EXPECT_THAT(sealed(), ElementsAre("os-version @config"));
    image_.config.platform.os = "linux";
    EXPECT_THAT(sealed(), IsEmpty());
    image_.config.platform.architecture = "";
    EXPECT_THAT(sealed(), ElementsAre("platform-missing @config"));
}

TEST_F(ValidateTest, PlatformOfTheIndexEntry) {
    Index index;
    index.manifests = {image_.root};
    EXPECT_THAT(rules(blobs_.add(media_type::kIndex, index.json())), IsEmpty());
    index.manifests[0].platform->os_version = "10.0.17763.1";
    EXPECT_THAT(rules(blobs_.add(media_type::kIndex, index.json())),
                ElementsAre("platform-mismatch @config"));
    index.manifests[0].platform = Platform::parse("windows/arm64");
    EXPECT_THAT(rules(blobs_.add(media_type::kIndex, index.json())),
                ElementsAre("platform-mismatch @config"));
    index.manifests[0].platform.reset();
    EXPECT_THAT(rules(blobs_.add(media_type::kIndex, index.json())), IsEmpty());
}

TEST_F(ValidateTest, Environment) {
    image_.config.config.env = {"A=1", "B", "=C:=C:\\", "D="};
    EXPECT_THAT(sealed(), ElementsAre("env @config", "env @config"));
}

TEST_F(ValidateTest, DocumentsThatCannotBeParsed) {
    EXPECT_THAT(rules(blobs_.add(media_type::kManifest, "{")), ElementsAre("document-invalid @manifest"));
    EXPECT_THAT(rules(blobs_.add(media_type::kIndex, "[]")), ElementsAre("document-invalid @index"));
    image_.manifest.config = blobs_.add(media_type::kConfig, "{}");
    EXPECT_THAT(rules(blobs_.add(media_type::kManifest, image_.manifest.json())),
                ElementsAre("document-invalid @config"));
    image_.root.size = std::uint64_t{1} << 60;
    EXPECT_THAT(rules(image_.root), ElementsAre("document-invalid @manifest"));
}

TEST_F(ValidateTest, IndexBombsEnd) {
    Descriptor root = image_.root;
    for (int i = 0; i < 8; ++i) {
        Index index;
        index.manifests.assign(1000, root);
        root = blobs_.add(media_type::kIndex, index.json());
    }
    EXPECT_THAT(rules(root), ElementsAre("index-depth @index"));
    Index wide;
    for (int i = 0; i < 1500; ++i) {
        Descriptor entry = image_.root;
        entry.digest = base::Digest::of(std::to_string(i));
        wide.manifests.push_back(entry);
    }
    std::vector<std::string> found = rules(blobs_.add(media_type::kIndex, wide.json()));
    EXPECT_EQ(std::count(found.begin(), found.end(), "blob-missing @manifest"), 999);
    EXPECT_EQ(found.size(), 1000u);
    EXPECT_THAT(rules(blobs_.add(media_type::kIndex, Index{}.json())), ElementsAre("index-empty @index"));
}

TEST_F(ValidateTest, AttestationsAreCheckedForTheirBlobsOnly) {
    Manifest attestation{.config = blobs_.add(media_type::kConfig, "{}"),
                         .layers = {blobs_.add("application/vnd.in-toto+json", "{}")}};
    attestation.layers[0].size = 2;
    Index index;
    index.manifests = {image_.root, blobs_.add(media_type::kManifest, attestation.json())};
    index.manifests[1].platform = Platform::parse("unknown/unknown");
    Descriptor root = blobs_.add(media_type::kIndex, index.json());
    EXPECT_THAT(rules(root), IsEmpty());
    bytes(attestation.layers[0]) = "[]";
    EXPECT_EQ(rules(root).size(), 2u);  // the config has the same bytes
}

TEST_F(ValidateTest, ForeignLayersMayBeAbsent) {
    Descriptor& layer = image_.manifest.layers[0];
    layer.media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    layer.urls = {"https://example.com/layer"};
    EXPECT_THAT(sealed(), IsEmpty());
    blobs_.bytes.erase(layer.digest);
    EXPECT_THAT(sealed(), IsEmpty());
    layer.urls.clear();
    EXPECT_THAT(sealed(), ElementsAre("blob-missing @layer 0 of manifest"));
}

TEST_F(ValidateTest, TheLayerCheckSeesEachLayerAndAddsFindings) {
    std::vector<std::string> seen;
    LayerCheck check = [&](const LayerContext& context, base::Source& source) -> std::vector<Finding> {
        EXPECT_EQ(context.platform->os, "windows");
        seen.push_back(fmt::format("{}:{}", context.index, source.read_all(1 << 20, "layer").size()));
        if (context.index == 0) return {};
        return {{context.where, "mine", "a text"}};
    };
    EXPECT_THAT(rules(image_.root, check), ElementsAre("mine @layer 1 of manifest"));
    // Header, directory and end marker, and the content in blocks of 512.
    EXPECT_THAT(seen, ElementsAre("0:2560", "1:102400"));
}

TEST_F(ValidateTest, TheIndexEntryTellsTheOsOfAnUnreadableConfig) {
    std::vector<std::string> seen;
    LayerCheck check = [&](const LayerContext& context, base::Source&) -> std::vector<Finding> {
        seen.push_back(context.platform == nullptr ? "none" : context.platform->os);
        return {};
    };
    image_.manifest.config = blobs_.add(media_type::kConfig, "{}");
    Descriptor root = blobs_.add(media_type::kManifest, image_.manifest.json());
    EXPECT_THAT(rules(root, check), ElementsAre("document-invalid @config"));
    EXPECT_THAT(seen, ElementsAre("none", "none"));
    seen.clear();
    root.platform = Platform::parse("linux/amd64");
    EXPECT_THAT(rules(root, check), ElementsAre("document-invalid @config"));
    EXPECT_THAT(seen, ElementsAre("linux", "linux"));
}

TEST_F(ValidateTest, EveryEntryOfASharedManifestIsCheckedForItsPlatform) {
    Index index;
    index.manifests = {image_.root, image_.root, image_.root};
    index.manifests[1].platform = Platform::parse("windows/arm64");
    index.manifests[2].size += 1;
    EXPECT_THAT(rules(blobs_.add(media_type::kIndex, index.json())),
                ElementsAre("platform-mismatch @config", "size-mismatch @manifest"));
}

TEST_F(ValidateTest, ASharedLayerIsCheckedUnderEachOfItsDescriptions) {
    TestImage other = image_;
    other.manifest.layers[0].size += 1;
    other.manifest.layers[1].media_type = media_type::kLayer;
    test::seal(blobs_, other);
    Index index;
    index.manifests = {image_.root, other.root};
    EXPECT_THAT(rules(blobs_.add(media_type::kIndex, index.json())),
                ElementsAre("size-mismatch @layer 0 of manifest", "layer-compression @layer 1 of manifest"));
    // The rules of an OS are those of the image that has the layer.
    std::vector<std::string> seen;
    LayerCheck check = [&](const LayerContext& context, base::Source&) -> std::vector<Finding> {
        seen.push_back(context.platform->os);
        return {};
    };
    TestImage linux = image_;
    linux.config.platform.os = "linux";
    test::seal(blobs_, linux);
    index.manifests = {image_.root, linux.root};
    EXPECT_THAT(rules(blobs_.add(media_type::kIndex, index.json()), check), IsEmpty());
    EXPECT_THAT(seen, ElementsAre("windows", "windows", "linux", "linux"));
}

TEST_F(ValidateTest, FindingsAreBounded) {
    image_.config.config.env.assign(20'000, "B");
    std::vector<std::string> found = sealed();
    ASSERT_EQ(found.size(), 10'001u);
    EXPECT_EQ(found.back(), "finding-count @config");
}

TEST_F(ValidateTest, ALayerCheckThatStopsEarlyDoesNotHideTheDiffId) {
    LayerCheck check = [](const LayerContext&, base::Source& source) -> std::vector<Finding> {
        char byte = 0;
        source.read(&byte, 1);
        throw base::fail(base::ErrorCode::Invalid, "no tar");
    };
    image_.config.diff_ids[0] = image_.config.diff_ids[1];
    test::seal(blobs_, image_);
    EXPECT_THAT(rules(image_.root, check),
                ElementsAre("layer-format @layer 0 of manifest", "diff-id-mismatch @layer 0 of manifest",
                            "layer-format @layer 1 of manifest"));
}

TEST_F(ValidateTest, ASharedLayerIsReadOnce) {
    int reads = 0;
    LayerCheck check = [&](const LayerContext&, base::Source&) -> std::vector<Finding> {
        ++reads;
        return {};
    };
    TestImage other = image_;
    other.config.author = "somebody else";
    test::seal(blobs_, other);
    Index index;
    index.manifests = {image_.root, other.root};
    EXPECT_THAT(rules(blobs_.add(media_type::kIndex, index.json()), check), IsEmpty());
    EXPECT_EQ(reads, 2);
}

TEST_F(ValidateTest, CancelingIsNotAFinding) {
    base::CancelSource cancel;
    cancel.cancel();
    EXPECT_EQ(test::failure([&] { validate_image(blobs_, image_.root, nullptr, cancel.token()); }).code,
              base::ErrorCode::Canceled);
}

}  // namespace
}  // namespace mullion::oci
