#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// What other tools make of our output. None of these builds starts a container.
class Export : public test::ContainerTest {
  protected:
    void SetUp() override {
        workspace.write("context/hello.txt", "Hello World!\r\n");
        workspace.write("context/Sub/Other.txt", "other\r\n");
    }

    void build_to(std::vector<std::string> outputs) {
        std::vector<std::string> args;
        for (const std::string& output : outputs) args.insert(args.end(), {"-o", output});
        auto built = build("FROM base\nCOPY . C:/app/\nENV GREETING=hello\nCMD [\"cmd\"]\n", args);
        ASSERT_EQ(built.exit_code, 0) << built.err;
    }

    json skopeo_inspect(const std::string& image, bool config = false) {
        std::vector<std::string> argv = {"skopeo", "--insecure-policy", "inspect", image};
        if (config) argv.push_back("--config");
        auto output = workspace.tool(argv);
        EXPECT_EQ(output.exit_code, 0) << output.err;
        return output.exit_code == 0 ? json::parse(output.out) : json();
    }
};

TEST_F(Export, SkopeoReadsTheOciArchive) {
    build_to({"type=oci,dest=out.tar,name=example.com/app:1"});
    json info = skopeo_inspect("oci-archive:out.tar");
    EXPECT_EQ(info["Os"], "windows");
    EXPECT_EQ(info["Architecture"], "amd64");
    EXPECT_EQ(info["Layers"].size(), 2u);
    EXPECT_EQ(skopeo_inspect("oci-archive:out.tar", true)["os.version"], "10.0.20348.2700");
}

TEST_F(Export, SkopeoReadsTheDockerArchiveAndCopiesIt) {
    build_to({"type=docker,dest=out.tar,name=example.com/app:1"});
    json info = skopeo_inspect("docker-archive:out.tar:example.com/app:1");
    EXPECT_EQ(info["Os"], "windows");
    auto copied = workspace.tool({"skopeo", "--insecure-policy", "copy",
                                  "docker-archive:out.tar:example.com/app:1", "oci:copied:app"});
    EXPECT_EQ(copied.exit_code, 0) << copied.err;
}

TEST_F(Export, UmociUnpacksAndStatsTheLayout) {
    build_to({"type=oci,tar=false,dest=layout,name=app:1"});
    auto stat = workspace.tool({"umoci", "stat", "--image", "layout:1", "--json"});
    ASSERT_EQ(stat.exit_code, 0) << stat.err;
    EXPECT_THAT(stat.out, HasSubstr("COPY . C:/app/"));
    // `umoci unpack` also wants to make a runtime configuration and knows none for Windows; `raw unpack` is
    // the rest of it.
    auto unpacked = workspace.tool({"umoci", "raw", "unpack", "--rootless", "--image", "layout:1", "rootfs"});
    ASSERT_EQ(unpacked.exit_code, 0) << unpacked.err;
    EXPECT_EQ(workspace.read("rootfs/Files/app/Sub/Other.txt"), "other\r\n");
}

TEST_F(Export, LocalAndTarHoldTheFilesOfTheImage) {
    build_to({"type=local,dest=files", "type=tar,dest=files.tar"});
    EXPECT_EQ(workspace.read("files/app/hello.txt"), "Hello World!\r\n");
    auto listed = workspace.tool({"tar", "-tf", "files.tar"});
    ASSERT_EQ(listed.exit_code, 0) << listed.err;
    EXPECT_THAT(listed.out, HasSubstr("app/Sub/Other.txt\n"));
}

TEST_F(Export, SeveralOutputsOfOneBuildAgree) {
    build_to({"type=oci,dest=a.tar,name=app:1", "type=oci,dest=b.tar,name=app:1", "type=image,name=app:1"});
    EXPECT_EQ(workspace.read("a.tar"), workspace.read("b.tar"));
    auto inspected = workspace.run({"inspect", "app:1"});
    ASSERT_EQ(inspected.exit_code, 0) << inspected.err;
    json info = skopeo_inspect("oci-archive:a.tar");
    EXPECT_EQ(json::parse(inspected.out)[0]["Descriptor"]["digest"], info["Digest"]);
}

TEST_F(Export, WhatWeWritePassesOurVerifier) {
    build_to({"type=oci,dest=out.tar,name=app:1"});
    auto verified = workspace.run({"image", "verify", "out.tar"});
    EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
}

TEST_F(Export, TheStoreItselfIsAnOciLayout) {
    build_to({"type=image,name=app:1"});
    json info = skopeo_inspect("oci:" + workspace.state().string() + ":docker.io/library/app:1");
    EXPECT_EQ(info["Os"], "windows");
}

TEST_F(Export, MetadataFileAndIidfileNameTheImage) {
    auto built = build("FROM base\nCOPY hello.txt C:/\n",
                       {"-t", "app", "--metadata-file", "m.json", "--iidfile", "iid"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    json metadata = json::parse(workspace.read("m.json"));
    EXPECT_EQ(metadata["image.name"], "docker.io/library/app:latest");
    auto inspected = workspace.run({"inspect", "app"});
    json image = json::parse(inspected.out)[0];
    EXPECT_EQ(metadata["containerimage.digest"], image["Descriptor"]["digest"]);
    EXPECT_EQ(metadata["containerimage.digest"], image["Id"]);
    auto manifest = workspace.tool({"skopeo", "inspect", "--raw",
                                    "oci:" + workspace.state().string() + ":docker.io/library/app:latest"});
    EXPECT_EQ(metadata["containerimage.config.digest"], json::parse(manifest.out)["config"]["digest"]);
    EXPECT_EQ(workspace.read("iid"), metadata["containerimage.digest"]);
}

}  // namespace
}  // namespace mullion
