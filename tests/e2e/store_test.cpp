#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class LocalStore : public test::ContainerTest {
  protected:
    void SetUp() override {
        workspace.write("context/hello.txt", "Hello World!\r\n");
        auto built = build("FROM base\nCOPY hello.txt C:/\n", {"-t", "app:1"});
        ASSERT_EQ(built.exit_code, 0) << built.err;
    }
};

TEST_F(LocalStore, ListsTagsAndRemoves) {
    EXPECT_THAT(workspace.run({"images"}).out, HasSubstr("windows(10.0.20348.2700)/amd64"));
    EXPECT_EQ(workspace.run({"tag", "app:1", "other"}).exit_code, 0);
    EXPECT_EQ(workspace.run({"rmi", "app:1"}).exit_code, 0);
    EXPECT_THAT(workspace.run({"images"}).out, Not(HasSubstr("app ")));
    EXPECT_EQ(workspace.run({"inspect", "other:latest"}).exit_code, 0);
}

TEST_F(LocalStore, SaveAndLoadGiveTheSameImage) {
    for (const char* format : {"docker", "oci"}) {
        ASSERT_EQ(workspace.run({"save", "--format", format, "-o", "saved.tar", "app:1"}).exit_code, 0);
        workspace.use_state(workspace.make_state(std::string("loaded-") + format));
        auto loaded = workspace.run({"load", "-i", "saved.tar"});
        ASSERT_EQ(loaded.exit_code, 0) << loaded.err;
        EXPECT_EQ(loaded.out, "Loaded image: app:1\n");
        auto verified = workspace.run({"image", "verify", "app:1"});
        EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
        workspace.use_state(workspace.path("state"));
    }
}

TEST_F(LocalStore, UnknownImageIsAFailureWithAHint) {
    auto output = workspace.run({"rmi", "nothing"});
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_THAT(output.err, HasSubstr("no image \"nothing\" in the local store"));
}

TEST_F(LocalStore, EveryIdThatIsPrintedIsAccepted) {
    std::string short_id = workspace.run({"images", "-q"}).out;
    short_id.pop_back();
    auto inspected = workspace.run({"inspect", short_id});
    EXPECT_EQ(inspected.exit_code, 0);
    std::size_t at = inspected.out.find("sha256:");
    ASSERT_NE(at, std::string::npos);
    std::string id = inspected.out.substr(at, 71);
    EXPECT_EQ(id.substr(7, 12), short_id);
    EXPECT_EQ(workspace.run({"tag", id, "app:2"}).exit_code, 0);
    auto ambiguous = workspace.run({"rmi", short_id});
    EXPECT_EQ(ambiguous.exit_code, 1);
    EXPECT_THAT(ambiguous.err, HasSubstr("2 names"));
    EXPECT_EQ(workspace.run({"rmi", "-f", short_id}).exit_code, 0);
    EXPECT_EQ(workspace.run({"images", "-q"}).out, "");
}

TEST_F(LocalStore, ADigestSaysWhichImageIsMeant) {
    std::string id = workspace.run({"images", "-q", "--no-trunc"}).out;
    id.pop_back();
    EXPECT_EQ(build("FROM app@" + id + "\nLABEL a=b\n", {"-t", "derived"}).exit_code, 0);
    std::string other = "sha256:" + std::string(64, '0');
    EXPECT_THAT(build("FROM app@" + other + "\nLABEL a=b\n").err, HasSubstr("127.0.0.1"));
    auto tagged = workspace.run({"tag", "app:1", "app@" + other});
    EXPECT_EQ(tagged.exit_code, 1);
    EXPECT_THAT(tagged.err, HasSubstr("digest"));
}

TEST_F(LocalStore, ALayoutThatNamesOnlyTagsNeedsAName) {
    ASSERT_EQ(workspace.run({"save", "--format", "oci", "-o", "saved.tar", "app:1"}).exit_code, 0);
    auto copied = workspace.tool({"skopeo", "--insecure-policy", "copy", "-q",
                                  "oci-archive:" + workspace.path("saved.tar").string(),
                                  "oci:" + workspace.path("tagged").string() + ":LTSC"});
    ASSERT_EQ(copied.exit_code, 0) << copied.err;
    auto refused = workspace.run({"load", "-i", "tagged"});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("only the tag \"LTSC\""), HasSubstr("--name")));
    EXPECT_EQ(workspace.run({"load", "-i", "tagged", "--name", "server"}).out, "Loaded image: server:LTSC\n");
}

TEST_F(LocalStore, CorruptAndTruncatedArchivesAreRefused) {
    ASSERT_EQ(workspace.run({"save", "--format", "oci", "-o", "saved.tar", "app:1"}).exit_code, 0);
    std::string archive = workspace.read("saved.tar");
    workspace.use_state(workspace.make_state("other"));
    workspace.write("short.tar", archive.substr(0, archive.size() / 2));
    auto truncated = workspace.run({"load", "-i", "short.tar"});
    EXPECT_EQ(truncated.exit_code, 1);
    EXPECT_THAT(truncated.err, HasSubstr("short.tar"));
    // One byte of one blob.
    std::size_t blob = archive.find("\x1f\x8b");
    ASSERT_NE(blob, std::string::npos);
    archive[blob + 200] ^= 1;
    workspace.write("corrupt.tar", archive);
    auto corrupt = workspace.run({"load", "-i", "corrupt.tar"});
    EXPECT_EQ(corrupt.exit_code, 1);
    EXPECT_THAT(corrupt.err, HasSubstr("sha256:"));
    EXPECT_THAT(workspace.run({"images", "-q"}).out, testing::IsEmpty());
}

TEST_F(LocalStore, VerifyNamesWhatIsWrong) {
    ASSERT_EQ(workspace.run({"save", "--format", "oci", "-o", "saved.tar", "app:1"}).exit_code, 0);
    std::string archive = workspace.read("saved.tar");
    std::size_t blob = archive.find("\x1f\x8b");
    archive[blob + 200] ^= 1;
    workspace.write("corrupt.tar", archive);
    auto verified = workspace.run({"image", "verify", "--format", "json", "corrupt.tar"});
    EXPECT_EQ(verified.exit_code, 1);
    EXPECT_THAT(verified.out, HasSubstr("digest"));
}

TEST_F(LocalStore, ReadOnlyStateIsNamedWithAWayOut) {
    // Root ignores mode bits; /proc refuses everybody.
    auto output = workspace.run({"--state", "/proc/mullion", "images"});
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_THAT(output.err, HasSubstr("/proc/mullion"));
    EXPECT_THAT(output.err, HasSubstr("--state"));
}

TEST_F(LocalStore, HalfWrittenStateRecovers) {
    // What a crash may leave: a temporary blob, a damaged cache database, no oci-layout file.
    workspace.write("state/tmp/ingest-1-1-1", "half");
    workspace.write("state/mullion.db", "not a database");
    std::filesystem::remove(workspace.state() / "oci-layout");
    auto built = build("FROM base\nCOPY hello.txt C:/\n", {"-t", "app:2"});
    EXPECT_EQ(built.exit_code, 0) << built.err;
    EXPECT_EQ(workspace.run({"image", "verify", "app:2"}).exit_code, 0);
}

// The index entry says that the image is for Windows; the rest is checked as if the config had said so.
TEST_F(LocalStore, VerifyNamesABrokenConfigAndGoesOn) {
    workspace.base_context();
    auto index = json::parse(workspace.read("base/index.json"));
    auto blob = [](const json& descriptor) {
        return "base/blobs/sha256/" + descriptor["digest"].get<std::string>().substr(7);
    };
    auto manifest = json::parse(workspace.read(blob(index["manifests"][0])));
    std::string config = blob(manifest["config"]);
    workspace.write(config, std::string(workspace.read(config).size(), ' '));
    auto verified = workspace.run({"image", "verify", "--format", "json", "base"});
    EXPECT_EQ(verified.exit_code, 1) << verified.err;
    auto findings = json::parse(verified.out)["findings"];
    ASSERT_EQ(findings.size(), 1u) << verified.out;
    EXPECT_EQ(findings[0]["rule"], "digest-mismatch");
}

}  // namespace
}  // namespace mullion
