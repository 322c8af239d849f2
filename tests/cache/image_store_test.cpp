#include "cache/image_store.hpp"

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/process.hpp"
#include "oci/manifest.hpp"
#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using base::ErrorCode;
using oci::Descriptor;

class ImageStoreTest : public StateFixture {
  protected:
    State opened_{state()};
    ImageStore& images_ = opened_.images();

    Descriptor manifest(const std::string& text) {
        return descriptor(opened_.content().put_bytes(text), text.size(),
                          std::string(oci::media_type::kManifest));
    }
    base::Json index() const {
        return base::parse_json(base::read_file(state() / "index.json", 1 << 20), "index");
    }
};

const std::string kName = "docker.io/library/app:latest";

TEST_F(ImageStoreTest, FindsWhatWasPut) {
    Descriptor target = manifest("{}");
    target.annotations["own"] = "kept";
    images_.put(kName, target);
    ASSERT_TRUE(images_.find(kName));
    EXPECT_EQ(images_.find(kName)->target, target);
    EXPECT_FALSE(images_.find("docker.io/library/app:other"));
    EXPECT_EQ(images_.list().size(), 1u);
}

TEST_F(ImageStoreTest, NameMovesToTheNewTarget) {
    images_.put(kName, manifest("{}"));
    images_.put(kName, manifest("{ }"));
    EXPECT_EQ(images_.list().size(), 1u);
    EXPECT_EQ(images_.find(kName)->target.digest, base::Digest::of("{ }"));
}

TEST_F(ImageStoreTest, WhatIsNotThereCannotBeNamed) {
    EXPECT_EQ(code_of([&] { images_.put(kName, descriptor(base::Digest::of("absent"), 6)); }),
              ErrorCode::NotFound);
    EXPECT_TRUE(images_.list().empty());
}

TEST_F(ImageStoreTest, OneTargetMayHaveManyNames) {
    images_.put(kName, manifest("{}"));
    images_.put("ghcr.io/x/y:1", manifest("{}"));
    EXPECT_TRUE(images_.remove(kName));
    EXPECT_FALSE(images_.remove(kName));
    EXPECT_FALSE(images_.find(kName));
    EXPECT_TRUE(images_.find("ghcr.io/x/y:1"));
}

TEST_F(ImageStoreTest, BothAnnotationsHoldTheFullName) {
    images_.put(kName, manifest("{}"));
    base::Json annotations = index()["manifests"][0]["annotations"];
    EXPECT_EQ(annotations["io.containerd.image.name"], kName);
    EXPECT_EQ(annotations["org.opencontainers.image.ref.name"], kName);
}

TEST_F(ImageStoreTest, PuttingTheSameAgainWritesNothing) {
#ifdef _WIN32
    GTEST_SKIP() << "the C++ library knows no number of links there";
#endif
    images_.put(kName, manifest("{}"));
    fs::file_time_type before = fs::last_write_time(state() / "index.json");
    auto inode = [&] { return fs::hard_link_count(state() / "index.json"); };
    auto links = inode();
    fs::create_hard_link(state() / "index.json", path("witness"));
    images_.put(kName, manifest("{}"));
    EXPECT_EQ(fs::last_write_time(state() / "index.json"), before);
    EXPECT_EQ(inode(), links + 1);  // a rewritten file would be another one, with a single link
}

TEST_F(ImageStoreTest, WhatOtherToolsWroteIsKept) {
    base::write_file_atomic(state() / "index.json", R"({"schemaVersion":2,"x-unknown":{"a":1},"manifests":[
        {"mediaType":"application/vnd.oci.image.manifest.v1+json","size":2,"artifactType":"foreign",
         "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
         "annotations":{"org.opencontainers.image.ref.name":"other"}}]})");
    images_.put(kName, manifest("{ }"));
    EXPECT_EQ(index()["x-unknown"]["a"], 1);
    EXPECT_EQ(index()["manifests"][0]["artifactType"], "foreign");
    EXPECT_TRUE(images_.find("other"));
    EXPECT_TRUE(images_.find(kName));
}

TEST_F(ImageStoreTest, DamagedIndexIsAnErrorAndNeverOverwritten) {
    for (const char* text : {"", "{", "[]", R"({"schemaVersion":2,"manifests":[{"digest":"../../x"}]})"}) {
        base::write_file_atomic(state() / "index.json", text);
        try {
            images_.list();
            FAIL() << text;
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Corrupt);
            EXPECT_THAT(error.what(), ::testing::HasSubstr((state() / "index.json").string()));
            EXPECT_FALSE(error.hint().empty());
        }
        EXPECT_EQ(code_of([&] { images_.put(kName, manifest("{}")); }), ErrorCode::Corrupt);
        EXPECT_EQ(code_of([&] { images_.collect_garbage(); }), ErrorCode::Corrupt);
        EXPECT_EQ(base::read_file(state() / "index.json", 1000), text);
    }
}

// skopeo is an independent reader of OCI layouts.
TEST_F(ImageStoreTest, SkopeoFindsAnImageByItsName) {
    auto skopeo = [&](std::vector<std::string> argv) {
        argv.insert(argv.begin(), {"skopeo", "--insecure-policy", "--override-os", "windows"});
        base::ProcessOptions options;
        options.argv = std::move(argv);
        return base::run_and_capture(std::move(options), {});
    };
    try {
        skopeo({"--version"});
    } catch (const base::Error&) {
        GTEST_SKIP() << "skopeo is not installed";
    }
    ContentStore& content = opened_.content();
    std::string layer = "layer";
    std::string config =
        R"({"architecture":"amd64","os":"windows","os.version":"10.0.20348.2700","config":{},)"
        R"("rootfs":{"type":"layers","diff_ids":[")" +
        content.put_bytes(layer).string() + "\"]}}";
    oci::Manifest image{
        .config = descriptor(content.put_bytes(config), config.size(), std::string(oci::media_type::kConfig)),
        .layers = {descriptor(content.put_bytes(layer), layer.size(), std::string(oci::media_type::kLayer))}};
    images_.put(kName, manifest(image.json()));
    images_.put("docker.io/library/other:latest", manifest("{}"));
    base::ProcessOutput output = skopeo({"inspect", "oci:" + state().string() + ":" + kName});
    EXPECT_EQ(output.exit_code, 0) << output.err;
    base::Json seen = base::parse_json(output.out, "skopeo");
    EXPECT_EQ(seen["Os"], "windows");
    EXPECT_EQ(seen["Digest"], base::Digest::of(image.json()).string());
    EXPECT_NE(skopeo({"inspect", "oci:" + state().string() + ":nothing"}).exit_code, 0);
}

}  // namespace
}  // namespace mullion::cache
