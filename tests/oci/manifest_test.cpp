#include "oci/manifest.hpp"

#include <gtest/gtest.h>

#include "oci/compress.hpp"
#include "support.hpp"

namespace mullion::oci {
namespace {

using test::failure;

const std::string kOne = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const std::string kTwo = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

// Member order: image-spec's Manifest and Descriptor; members we have no field for come last, sorted.
const std::string kManifest =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
    R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
    kOne +
    R"(","size":7},)"
    R"("layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":")" +
    kTwo +
    R"(","size":5368709120,"urls":["https://example.com/l"],"annotations":{"a":"b"},"data":"e30="}],)"
    R"("annotations":{"k":"<v>"},"artifactType":"x/y","subject":{"size":1}})";

const std::string kIndexText =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)"
    R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
    kOne +
    R"(","size":7,)"
    R"("platform":{"architecture":"amd64","os":"windows","os.version":"10.0.20348.2700","os.features":["win32k"],"features":["sse4"]}},)"
    R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
    kTwo + R"(","size":8,"platform":{"architecture":"arm64","os":"linux","variant":"v8"}}]})";

TEST(Manifest, WritesWhatItReadByteForByte) {
    Manifest manifest = Manifest::parse(kManifest);
    EXPECT_EQ(manifest.layers.at(0).size, 5368709120u);
    EXPECT_EQ(manifest.layers.at(0).urls.at(0), "https://example.com/l");
    EXPECT_EQ(manifest.config.digest.string(), kOne);
    EXPECT_EQ(manifest.json(), kManifest);
    EXPECT_EQ(Manifest::parse(manifest.json()), manifest);
}

TEST(Manifest, ReadsDockerSchema2) {
    std::string text =
        R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",)"
        R"("config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":")" +
        kOne + R"(","size":7},"layers":[]})";
    EXPECT_EQ(Manifest::parse(text).json(), text);
}

TEST(Manifest, WithoutMediaTypeIsOci) {
    std::string text = R"({"schemaVersion":2,"config":{"digest":")" + kOne + R"(","size":7},"layers":null})";
    EXPECT_EQ(Manifest::parse(text).media_type, media_type::kManifest);
}

TEST(Manifest, RefusesBadDocuments) {
    std::string config = R"("config":{"digest":")" + kOne + R"(","size":7})";
    struct Case {
        std::string json;
        std::string part;
    };
    for (const Case& c : std::vector<Case>{
             {"{}", "$.schemaVersion: missing"},
             {R"({"schemaVersion":1,)" + config + "}", "schemaVersion: 1 is not supported"},
             {R"({"schemaVersion":2})", "$.config: missing"},
             {R"({"schemaVersion":2,"manifests":[],)" + config + "}",
              "$.manifests: not a member of a manifest"},
             {R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",)" + config + "}",
              "mediaType: unexpected"},
             {R"({"schemaVersion":2,"config":{"digest":"sha512:00","size":7}})", "$.config.digest"},
             {R"({"schemaVersion":2,"config":{"digest":")" + kOne + R"(","size":-7}})", "$.config.size"},
             {R"({"schemaVersion":2,"config":{"digest":")" + kOne + R"(","size":18446744073709551615}})",
              "$.config.size"},
             {R"({"schemaVersion":2,"config":{"digest":")" + kOne + R"(","size":"7"}})", "$.config.size"},
             {R"({"schemaVersion":2,"layers":[1],)" + config + "}", "$.layers[0]"},
             {R"({"schemaVersion":2,"annotations":{"a":2},)" + config + "}", "$.annotations.a"},
             {R"({"schemaVersion":2,"config":{"mediaType":")" + std::string(300, 'x') + R"(","digest":")" +
                  kOne + R"(","size":7}})",
              "$.config.mediaType"}}) {
        test::Failure error = failure([&] { Manifest::parse(c.json); });
        EXPECT_NE(error.text.find(c.part), std::string::npos) << error.text;
    }
    EXPECT_EQ(failure([] { Manifest::parse(std::string(5 << 20, ' ')); }).code, base::ErrorCode::Invalid);
    std::string many = R"({"schemaVersion":2,)" + config + R"(,"layers":[{})";
    for (int i = 0; i < 5000; ++i) many += ",{}";
    EXPECT_NE(failure([&] { Manifest::parse(many + "]}"); }).text.find("5001 items"), std::string::npos);
}

TEST(Index, WritesWhatItReadByteForByte) {
    Index index = Index::parse(kIndexText);
    EXPECT_EQ(index.manifests.at(0).platform->os_version, "10.0.20348.2700");
    EXPECT_EQ(index.manifests.at(1).platform->string(), "linux/arm64/v8");
    EXPECT_EQ(index.json(), kIndexText);
}

TEST(Index, RefusesAManifestInDisguise) {
    EXPECT_NE(failure([] { Index::parse(kManifest); }).text.find("not a member of an index"),
              std::string::npos);
    EXPECT_EQ(failure([] { Manifest::parse(kIndexText); }).code, base::ErrorCode::Invalid);
}

TEST(MediaType, KnowsLayersAndTheirCompression) {
    EXPECT_EQ(compression_of(media_type::kLayer), Compression::None);
    EXPECT_EQ(compression_of(media_type::kLayerGzip), Compression::Gzip);
    EXPECT_EQ(compression_of(media_type::kLayerZstd), Compression::Zstd);
    EXPECT_EQ(compression_of(media_type::kDockerLayer), Compression::None);
    EXPECT_EQ(compression_of(media_type::kDockerLayerGzip), Compression::Gzip);
    EXPECT_EQ(compression_of("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"),
              Compression::Zstd);
    EXPECT_EQ(compression_of("application/vnd.docker.image.rootfs.foreign.diff.tar"), Compression::None);
    for (const char* type :
         {"", "application/vnd.in-toto+json", "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
          "application/vnd.oci.image.layer.nondistributable.v1.tar+lz4"}) {
        EXPECT_EQ(failure([&] { compression_of(type); }).code, base::ErrorCode::Unsupported) << type;
    }
    EXPECT_TRUE(media_type::is_foreign_layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
    EXPECT_FALSE(media_type::is_foreign_layer(media_type::kDockerLayerGzip));
    for (Compression compression : {Compression::None, Compression::Gzip, Compression::Zstd}) {
        EXPECT_EQ(compression_of(layer_media_type(compression)), compression);
    }
}

}  // namespace
}  // namespace mullion::oci
