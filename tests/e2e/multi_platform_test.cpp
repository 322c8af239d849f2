// One build for several versions of Windows, as other tools see it.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kOld = "windows(10.0.17763.6189)/amd64";
constexpr const char* kNew = "windows(10.0.20348.2700)/amd64";

class MultiPlatform : public test::ContainerTest {
  protected:
    void SetUp() override {
        ContainerTest::SetUp();
        workspace.write("context/app/hello.txt", "Hello World!\r\n");
        auto made = workspace.run({"base", "create", "--os-version", "10.0.17763.6189", "--os-version",
                                   "10.0.20348.2700", "--dest", "versions"});
        ASSERT_EQ(made.exit_code, 0) << made.err;
    }

    base::ProcessOutput build_all(std::string_view dockerfile, std::vector<std::string> more = {},
                                  std::vector<std::string> platforms = {kOld, kNew}) {
        workspace.write("context/Dockerfile", dockerfile);
        std::vector<std::string> args = {"build", "--progress", "plain", "--build-context",
                                         "base=oci-layout://" + workspace.path("versions").string()};
        for (const std::string& platform : platforms) args.insert(args.end(), {"--platform", platform});
        args.insert(args.end(), more.begin(), more.end());
        args.push_back("context");
        return workspace.run(std::move(args));
    }

    json read_json(const std::string& name) { return json::parse(workspace.read(name)); }
    json blob(const std::string& layout, const std::string& digest) {
        return read_json(layout + "/blobs/sha256/" + digest.substr(7));
    }
    // The layers of each image of the only index in a layout, base first.
    std::vector<std::vector<std::string>> layers(const std::string& layout) {
        std::vector<std::vector<std::string>> all;
        json root = read_json(layout + "/index.json");
        json index = blob(layout, root["manifests"][0]["digest"]);
        for (const json& entry : index["manifests"]) {
            json manifest = blob(layout, entry["digest"]);
            auto& digests = all.emplace_back();
            for (const json& layer : manifest["layers"]) digests.push_back(layer["digest"]);
        }
        return all;
    }
};

TEST_F(MultiPlatform, SkopeoReadsTheIndex) {
    auto built =
        build_all("FROM base\nCOPY app C:/app/\n", {"-o", "type=oci,dest=out.tar,name=example.com/app:1",
                                                    "--metadata-file", "meta.json", "--iidfile", "id"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    auto raw = workspace.tool({"skopeo", "--insecure-policy", "inspect", "--raw", "oci-archive:out.tar"});
    ASSERT_EQ(raw.exit_code, 0) << raw.err;
    json index = json::parse(raw.out);
    ASSERT_EQ(index["manifests"].size(), 2u);
    EXPECT_EQ(index["manifests"][0]["platform"]["os.version"], "10.0.17763.6189");
    EXPECT_EQ(index["manifests"][1]["platform"]["os.version"], "10.0.20348.2700");
    EXPECT_EQ(index["manifests"][1]["platform"]["os"], "windows");
    auto copied = workspace.tool(
        {"skopeo", "--insecure-policy", "copy", "--all", "oci-archive:out.tar", "oci:copied:1"});
    EXPECT_EQ(copied.exit_code, 0) << copied.err;

    json meta = read_json("meta.json");
    EXPECT_EQ(meta["containerimage.descriptor"]["mediaType"], "application/vnd.oci.image.index.v1+json");
    EXPECT_EQ(meta["containerimage.digest"], meta["containerimage.descriptor"]["digest"]);
    EXPECT_FALSE(meta.contains("containerimage.config.digest")) << "an index has no config";
    EXPECT_EQ(meta["image.name"], "example.com/app:1");
    EXPECT_EQ(workspace.read("id"), meta["containerimage.digest"]);
}

TEST_F(MultiPlatform, VersionsShareTheLayersOfTheApplication) {
    auto built = build_all(
        "FROM --platform=windows(10.0.20348.2700)/amd64 base AS build\nCOPY app C:/out/\n"
        "FROM base\nWORKDIR C:/srv/app\nCOPY --from=build [\"C:/out/\", \"C:/Program Files/App/\"]\n"
        "COPY <<EOF C:/srv/note.txt\nhi\nEOF\n",
        {"-o", "type=oci,tar=false,dest=out"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    auto images = layers("out");
    ASSERT_EQ(images.size(), 2u);
    ASSERT_EQ(images[0].size(), 4u);
    EXPECT_NE(images[0][0], images[1][0]) << "the bases differ";
    for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(images[0][i], images[1][i]) << i;
    auto verified = workspace.run({"image", "verify", "out"});
    EXPECT_EQ(verified.exit_code, 0) << verified.out;
}

// Real bases were made at different times, and so were the directories in them.
TEST_F(MultiPlatform, BasesOfAnotherAgeDoNotMatter) {
    const std::vector<std::pair<std::string, std::string>> bases = {{"10.0.17763.1", "1600000000"},
                                                                    {"10.0.20348.1", "1700000000"}};
    std::vector<std::string> contexts;
    for (const auto& [version, epoch] : bases) {
        workspace.write("old/Dockerfile",
                        "FROM scratch\nWORKDIR C:/Program Files\nWORKDIR C:/Windows/Temp\n");
        auto made = workspace.run({"build", "--platform", "windows(" + version + ")/amd64", "--build-arg",
                                   "SOURCE_DATE_EPOCH=" + epoch, "-t", "base:" + version, "old"});
        ASSERT_EQ(made.exit_code, 0) << made.err;
        contexts.insert(contexts.end(), {"--build-context", "aged::windows(" + version +
                                                                ")/amd64=docker-image://base:" + version});
    }
    contexts.insert(contexts.end(), {"-o", "type=oci,tar=false,dest=aged"});
    auto built =
        build_all("FROM aged\nCOPY [\"app\", \"C:/Program Files/App/\"]\nCOPY app C:/Windows/Temp/\n",
                  contexts, {"windows(10.0.17763.1)/amd64,windows(10.0.20348.1)/amd64"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    auto images = layers("aged");
    ASSERT_EQ(images.size(), 2u);
    ASSERT_EQ(images[0].size(), 4u);
    EXPECT_NE(images[0][0], images[1][0]);
    EXPECT_EQ(images[0][2], images[1][2]);
    EXPECT_EQ(images[0][3], images[1][3]);
}

TEST_F(MultiPlatform, StepsRunOnceForEachVersion) {
    auto built = build_all("FROM base\nRUN echo made> C:\\made.txt\nCOPY app C:/app/\n",
                           {"-o", "type=oci,tar=false,dest=out"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_THAT(built.err, HasSubstr("[windows(10.0.17763.6189)/amd64 2/3] RUN echo made"));
    EXPECT_THAT(built.err, HasSubstr("[windows(10.0.20348.2700)/amd64 3/3] COPY app C:/app/"));
    EXPECT_THAT(built.err, HasSubstr("[windows(10.0.20348.2700)/amd64 internal] load metadata for"));
    auto images = layers("out");
    EXPECT_EQ(images[0][1], images[1][1]);
    EXPECT_EQ(images[0][2], images[1][2]);
    auto again = build_all("FROM base\nRUN echo made> C:\\made.txt\nCOPY app C:/app/\n",
                           {"-o", "type=oci,tar=false,dest=again"});
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(workspace.read("out/index.json"), workspace.read("again/index.json"));
}

TEST_F(MultiPlatform, FilesGoToADirectoryPerPlatform) {
    auto built = build_all("FROM base\nCOPY app C:/app/\n", {"-o", "type=local,dest=files"},
                           {std::string(kOld) + "," + kNew});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    for (const char* name : {"windows(10.0.17763.6189)_amd64", "windows(10.0.20348.2700)_amd64"}) {
        EXPECT_EQ(workspace.read(std::string("files/") + name + "/app/hello.txt"), "Hello World!\r\n");
    }
}

TEST_F(MultiPlatform, AVersionTheBaseDoesNotHaveIsRefused) {
    for (const char* version : {"10.0.14393.1", "10.0.20348.1", "10.0.26100.1"}) {
        auto built = build_all("FROM base\nCOPY app C:/app/\n", {"-o", "type=oci,dest=out.tar"},
                               {std::string("windows(") + version + ")/amd64"});
        EXPECT_EQ(built.exit_code, 1) << version;
        EXPECT_THAT(built.err, HasSubstr(version));
        EXPECT_THAT(built.err, HasSubstr(kOld));
        EXPECT_THAT(built.err, HasSubstr(kNew));
        EXPECT_THAT(built.err, HasSubstr("Dockerfile:1"));
    }
    auto any = build_all("FROM base\nCOPY app C:/app/\n", {"-o", "type=oci,tar=false,dest=any"},
                         {"windows(10.0.20348)/amd64"});
    EXPECT_EQ(any.exit_code, 0) << any.err;
}

TEST_F(MultiPlatform, FilesMayComeFromAnotherRevision) {
    auto made = workspace.run({"base", "create", "--os-version", "10.0.20348.1", "-t", "tools"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    auto built = build_all("FROM tools AS t\nCOPY app C:/out/\nFROM base\nCOPY --from=t C:/out/ C:/app/\n",
                           {"-o", "type=oci,tar=false,dest=out"}, {kNew});
    EXPECT_EQ(built.exit_code, 0) << built.err;
    auto refused = build_all("FROM tools\nCOPY app C:/out/\n", {"-t", "x"}, {kNew});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, HasSubstr("it offers windows(10.0.20348.1)/amd64"));
}

TEST_F(MultiPlatform, DockerArchivesHoldOnePlatform) {
    auto built = build_all("FROM base\nCOPY app C:/app/\n", {"-o", "type=docker,dest=out.tar"});
    EXPECT_EQ(built.exit_code, 1);
    EXPECT_THAT(built.err, HasSubstr("manifest lists"));
    EXPECT_FALSE(std::filesystem::exists(workspace.path("out.tar")));
}

TEST_F(MultiPlatform, TheStoreWorksWithAnIndex) {
    auto built =
        build_all("FROM base\nCOPY app C:/app/\nCMD [\"cmd\", \"/c\", \"type C:\\\\app\\\\hello.txt\"]\n",
                  {"-t", "app:1", "--iidfile", "iid"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    std::string digest = workspace.read("iid");
    auto images = workspace.run({"images", "--no-trunc"});
    EXPECT_THAT(images.out, HasSubstr(kOld));
    EXPECT_THAT(images.out, HasSubstr(kNew));
    EXPECT_EQ(workspace.run({"images", "-q", "--no-trunc"}).out, digest + "\n");

    json inspected = json::parse(workspace.run({"inspect", digest}).out);
    ASSERT_EQ(inspected.size(), 2u);
    EXPECT_EQ(inspected[0]["OsVersion"], "10.0.17763.6189");
    EXPECT_EQ(inspected[1]["Index"], digest);
    EXPECT_EQ(workspace.run({"image", "verify", "app:1"}).exit_code, 0);

    auto whole = workspace.run({"save", "-o", "whole.tar", "app:1"});
    EXPECT_EQ(whole.exit_code, 1) << "docker archives hold one image";
    ASSERT_EQ(workspace.run({"save", "--platform", kOld, "-o", "one.tar", "app:1"}).exit_code, 0);
    ASSERT_EQ(workspace.run({"save", "--format", "oci", "-o", "both.tar", "app:1"}).exit_code, 0);
    auto refused = workspace.run({"run", "--platform", "windows(10.0.14393.1)/amd64", "app:1"});
    EXPECT_EQ(refused.exit_code, 125);
    EXPECT_THAT(refused.err, HasSubstr(kOld));
    auto ran = workspace.run({"run", "--platform", kOld, "app:1"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("Hello World!"));

    workspace.use_state(workspace.make_state("loaded"));
    EXPECT_EQ(workspace.run({"load", "-i", "both.tar"}).exit_code, 0);
    EXPECT_EQ(workspace.run({"images", "-q", "--no-trunc"}).out, digest + "\n");
    EXPECT_EQ(workspace.run({"rmi", digest}).exit_code, 0);
    EXPECT_EQ(workspace.run({"images", "-q"}).out, "");
    std::size_t blobs = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(workspace.path("loaded/blobs"))) {
        blobs += entry.is_regular_file() ? 1 : 0;
    }
    EXPECT_EQ(blobs, 0u) << "everything below the index went with it";
}

TEST_F(MultiPlatform, TheExampleRunsItsBuildStageOnce) {
    auto built = workspace.run({"build", "--progress", "rawjson", "--build-context",
                                "base=oci-layout://" + workspace.path("versions").string(), "--platform",
                                std::string(kOld) + "," + kNew, "-o", "type=oci,tar=false,dest=out",
                                std::string(MULLION_EXAMPLES) + "/versions"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    std::set<std::string> runs;
    std::istringstream lines(built.err);
    for (std::string line; std::getline(lines, line);) {
        json event = json::parse(line);
        for (const json& vertex : event.value("vertexes", json::array())) {
            std::string name = vertex.value("name", "");
            if (name.find("RUN echo built") != std::string::npos) runs.insert(vertex["digest"]);
        }
    }
    EXPECT_EQ(runs.size(), 1u);
    auto images = layers("out");
    ASSERT_EQ(images.size(), 2u);
    EXPECT_EQ(std::vector(images[0].begin() + 1, images[0].end()),
              std::vector(images[1].begin() + 1, images[1].end()));
}

TEST_F(MultiPlatform, OnePlatformCanBeAnIndex) {
    auto built = build_all("FROM base\nCOPY app C:/app/\n",
                           {"-o", "type=oci,tar=false,dest=one", "--build-arg",
                            "BUILDKIT_MULTI_PLATFORM=true", "--annotation", "index,manifest:a=b"},
                           {kNew});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    json index = blob("one", read_json("one/index.json")["manifests"][0]["digest"]);
    EXPECT_EQ(index["annotations"]["a"], "b");
    ASSERT_EQ(index["manifests"].size(), 1u);
    EXPECT_EQ(blob("one", index["manifests"][0]["digest"])["annotations"]["a"], "b");
    auto docker =
        build_all("FROM base\nCOPY app C:/app/\n",
                  {"-o", "type=docker,dest=one.tar,name=example.com/app:1", "--multi-platform=true"}, {kNew});
    ASSERT_EQ(docker.exit_code, 0) << docker.err;
    auto read = workspace.tool({"skopeo", "--insecure-policy", "inspect", "docker-archive:one.tar"});
    EXPECT_EQ(read.exit_code, 0) << read.err;
}

}  // namespace
}  // namespace mullion
