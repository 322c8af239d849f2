// SOURCE_DATE_EPOCH and rewrite-timestamp (dockerfile.md §20) on the built program.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Epoch : public test::ContainerTest {
  protected:
    void SetUp() override {
        ContainerTest::SetUp();
        workspace.write("context/hello.txt", "Hello World!\r\n");
    }

    // The manifest of an image built into a layout.
    json manifest(const std::string& layout) {
        json index = json::parse(workspace.read(layout + "/index.json"));
        return blob(layout, index["manifests"][0]["digest"]);
    }
    json blob(const std::string& layout, const std::string& digest) {
        return json::parse(workspace.read(layout + "/blobs/sha256/" + digest.substr(7)));
    }
    json built(const std::string& layout, std::vector<std::string> more = {},
               const std::string& attributes = "") {
        more.insert(more.end(), {"-o", "type=oci,tar=false,dest=" + layout + attributes});
        auto output = build("FROM base\nCOPY hello.txt C:/\nENV A=1\n", more);
        EXPECT_EQ(output.exit_code, 0) << output.err;
        return output.exit_code == 0 ? manifest(layout) : json();
    }
};

TEST_F(Epoch, EnvironmentIsABuildArgumentNobodyGave) {
    workspace.set_environment("SOURCE_DATE_EPOCH", "1700000000");
    json image = built("out");
    json config = blob("out", image["config"]["digest"]);
    EXPECT_EQ(config["created"], "2023-11-14T22:13:20Z");
    EXPECT_EQ(config["history"].back()["created"], "2023-11-14T22:13:20Z");
    EXPECT_EQ(config["history"][0]["created"], "2024-01-01T00:00:00Z") << "the base keeps its own";
    json root = json::parse(workspace.read("out/index.json"))["manifests"][0];
    EXPECT_EQ(root["annotations"]["org.opencontainers.image.created"], "2023-11-14T22:13:20Z");
    json given = built("given", {"--build-arg", "SOURCE_DATE_EPOCH=1600000000"});
    EXPECT_EQ(blob("given", given["config"]["digest"])["created"], "2020-09-13T12:26:40Z");
}

TEST_F(Epoch, LayersChangeOnlyWithRewriteTimestamp) {
    json first = built("a", {"--build-arg", "SOURCE_DATE_EPOCH=1600000000"});
    json second = built("b", {"--build-arg", "SOURCE_DATE_EPOCH=1650000000"});
    EXPECT_EQ(first["layers"], second["layers"]);
    json rewritten = built("c", {"--build-arg", "SOURCE_DATE_EPOCH=1600000000"}, ",rewrite-timestamp=true");
    EXPECT_EQ(rewritten["layers"][0], first["layers"][0]) << "the base's layer";
    EXPECT_NE(rewritten["layers"][1], first["layers"][1]);
    EXPECT_EQ(workspace.run({"image", "verify", "c"}).exit_code, 0);
}

// CI sets it to the time of the commit.
TEST_F(Epoch, AnotherOneRunsNothingAgain) {
    for (const char* epoch : {"1600000000", "1650000000"}) {
        auto output = build("FROM base\nCOPY hello.txt C:/\nRUN copy hello.txt other.txt\n",
                            {"--build-arg", std::string("SOURCE_DATE_EPOCH=") + epoch, "-t", "app"});
        ASSERT_EQ(output.exit_code, 0) << output.err;
        EXPECT_EQ(output.err.find("CACHED") != std::string::npos, std::string(epoch) == "1650000000")
            << output.err;
    }
}

TEST_F(Epoch, SameInputSameBytesWhateverTheClockOfTheFiles) {
    std::vector<std::string> archives;
    for (const char* name : {"one", "two"}) {
        workspace.use_state(workspace.make_state(std::string("state-") + name));
        // A checkout gives files the time of the checkout; these are years apart.
        timespec times[2] = {{}, {.tv_sec = *name == 'o' ? 1'690'000'000 : 1'740'000'000, .tv_nsec = 5}};
        ASSERT_EQ(::utimensat(AT_FDCWD, workspace.path("context/hello.txt").c_str(), times, 0), 0);
        std::string archive = std::string(name) + ".tar";
        auto output = build("FROM base\nCOPY hello.txt C:/\nWORKDIR C:/w\n",
                            {"--build-arg", "SOURCE_DATE_EPOCH=1600000000", "-o",
                             "type=oci,rewrite-timestamp=true,dest=" + archive});
        ASSERT_EQ(output.exit_code, 0) << output.err;
        archives.push_back(workspace.read(archive));
    }
    EXPECT_EQ(archives[0], archives[1]);
}

TEST_F(Epoch, RewritingNeedsOne) {
    auto output =
        build("FROM base\nCOPY hello.txt C:/\n", {"-o", "type=oci,rewrite-timestamp=true,dest=x.tar"});
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_THAT(output.err, HasSubstr("there is no SOURCE_DATE_EPOCH"));
    auto bad = build("FROM base\n", {"--build-arg", "SOURCE_DATE_EPOCH=soon", "-t", "x"});
    EXPECT_EQ(bad.exit_code, 1);
    EXPECT_THAT(bad.err, HasSubstr("invalid SOURCE_DATE_EPOCH: soon"));
}

TEST_F(Epoch, FilesWrittenOutHaveIt) {
    auto output = build("FROM base\nCOPY hello.txt C:/\n",
                        {"--build-arg", "SOURCE_DATE_EPOCH=1600000000", "-o", "type=local,dest=files"});
    ASSERT_EQ(output.exit_code, 0) << output.err;
    struct stat seen {};
    ASSERT_EQ(::stat(workspace.path("files/hello.txt").c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mtime, 1'600'000'000);
}

}  // namespace
}  // namespace mullion
