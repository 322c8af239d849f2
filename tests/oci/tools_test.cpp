// What other people's tools think of our archives, and we of theirs.
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "oci/layout.hpp"
#include "oci/validate.hpp"
#include "support.hpp"

namespace mullion::oci {
namespace {

using test::add_image;
using test::layer_tar;
using test::MemoryBlobs;
using test::TestImage;

constexpr const char* kName = "mcr.microsoft.com/windows/nanoserver:ltsc2022";

class ToolsTest : public test::ScratchTest {
  protected:
    ToolsTest() {
        image_ = add_image(blobs_, {layer_tar("a", "1"), layer_tar("b", std::string(100'000, 'b'))});
        {
            base::AtomicFile file(path("oci.tar"));
            test::write_image(*write_oci_archive(file), blobs_, *image_, kName);
            file.finish();
        }
        {
            base::AtomicFile file(path("docker.tar"));
            test::write_image(*write_docker_archive(file), blobs_, *image_, kName);
            file.finish();
        }
        test::write_image(*write_oci_layout(path("layout")), blobs_, *image_, kName);
    }

    std::string skopeo(std::vector<std::string> arguments) {
        std::vector<std::string> argv = {
            "skopeo",        "--insecure-policy", "--tmpdir",        scratch_.path().string(),
            "--override-os", "windows",           "--override-arch", "amd64"};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        return run(argv);
    }

    void expect_inspected(const std::string& location, bool same_digest) {
        base::Json result = base::parse_json(skopeo({"inspect", location}), location);
        EXPECT_EQ(result.at("Os"), "windows");
        EXPECT_EQ(result.at("Architecture"), "amd64");
        EXPECT_EQ(result.at("Layers").size(), 2u);
        EXPECT_EQ(result.at("Env"), base::Json({"PATH=C:\\Windows"}));
        EXPECT_EQ(result.at("Digest") == image_->root.digest.string(), same_digest);
    }

    MemoryBlobs blobs_;
    std::optional<TestImage> image_;
};

TEST_F(ToolsTest, SkopeoReadsWhatWeWrite) {
    expect_inspected("oci-archive:" + path("oci.tar").string(), true);
    expect_inspected("oci:" + path("layout").string() + ":ltsc2022", true);
    expect_inspected("oci-archive:" + path("docker.tar").string(), true);
    // A docker archive has no manifests; skopeo makes its own.
    expect_inspected("docker-archive:" + path("docker.tar").string(), false);
    expect_inspected("docker-archive:" + path("docker.tar").string() + ":" + kName, false);
}

TEST_F(ToolsTest, SkopeoCopiesOurArchivesUnchanged) {
    skopeo({"copy", "oci-archive:" + path("oci.tar").string(), "oci:" + path("copy").string() + ":x"});
    auto copy = ImageArchive::open_path(path("copy"), none_);
    ASSERT_EQ(copy->roots().size(), 1u);
    EXPECT_EQ(copy->roots()[0].name, "x");
    EXPECT_EQ(copy->roots()[0].descriptor.digest, image_->root.digest);
    EXPECT_EQ(validate_image(*copy, copy->roots()[0].descriptor, nullptr, none_), std::vector<Finding>{});
}

TEST_F(ToolsTest, WeReadSkopeosDockerArchives) {
    skopeo({"copy", "docker-archive:" + path("docker.tar").string(),
            "docker-archive:" + path("theirs.tar").string() + ":" + kName});
    auto theirs = ImageArchive::open_path(path("theirs.tar"), none_);
    ASSERT_EQ(theirs->roots().size(), 1u);
    EXPECT_EQ(theirs->roots()[0].name, kName);
    EXPECT_EQ(validate_image(*theirs, theirs->roots()[0].descriptor, nullptr, none_), std::vector<Finding>{});
    Manifest manifest = Manifest::parse(read_blob(*theirs, theirs->roots()[0].descriptor, 1 << 20, none_));
    EXPECT_EQ(manifest.config.digest, image_->manifest.config.digest);
}

TEST_F(ToolsTest, WeReadSkopeosOciArchives) {
    skopeo({"copy", "oci:" + path("layout").string() + ":ltsc2022",
            "oci-archive:" + path("theirs.tar").string() + ":y"});
    auto theirs = ImageArchive::open_path(path("theirs.tar"), none_);
    ASSERT_EQ(theirs->roots().size(), 1u);
    EXPECT_EQ(theirs->roots()[0].descriptor.digest, image_->root.digest);
}

TEST_F(ToolsTest, UmociReadsOurLayout) {
    base::Json result = base::parse_json(
        run({"umoci", "stat", "--image", path("layout").string() + ":ltsc2022", "--json"}), "umoci");
    ASSERT_EQ(result.at("history").size(), 3u);
    EXPECT_EQ(result.at("history")[0].at("layer").at("digest"), image_->manifest.layers[0].digest.string());
    EXPECT_EQ(result.at("history")[0].at("diff_id"), image_->config.diff_ids[0].digest.string());
    EXPECT_TRUE(result.at("history")[2].at("empty_layer").get<bool>());
}

TEST_F(ToolsTest, WeAddToALayoutThatUmociMade) {
    run({"umoci", "init", "--layout", path("u").string()});
    run({"umoci", "new", "--image", path("u").string() + ":theirs"});
    test::write_image(*write_oci_layout(path("u")), blobs_, *image_, kName);
    EXPECT_EQ(run({"umoci", "list", "--layout", path("u").string()}), "theirs\nltsc2022\n");
}

}  // namespace
}  // namespace mullion::oci
