#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Wrong input a user may bring: exit code 1, a message that names the culprit, nothing built. No containers
// needed.
class BadInput : public test::ContainerTest {
  protected:
    void SetUp() override {}

    void expect_failure(std::string_view dockerfile, const testing::Matcher<std::string>& message) {
        auto built = build(dockerfile, {"-t", "never"});
        EXPECT_EQ(built.exit_code, 1) << built.err;
        EXPECT_THAT(built.err, message);
        EXPECT_EQ(workspace.run({"images", "-q"}).out, "");
    }
};

TEST_F(BadInput, MissingBase) {
    expect_failure("FROM nowhere.example/none:1\n",
                   AllOf(HasSubstr("nowhere.example/none:1"), HasSubstr("check the host's name"),
                         HasSubstr("   1 | >>> FROM")));
}

TEST_F(BadInput, NamesNoFileSystemTakes) {
    auto built = build("FROM a\n", {"--build-context", "a=oci-layout://" + std::string(300, 'x') + ":t"});
    EXPECT_EQ(built.exit_code, 1);
    EXPECT_THAT(built.err, HasSubstr("xxx"));
}

TEST_F(BadInput, AnEpochThatNoDateCanSay) {
    workspace.set_environment("SOURCE_DATE_EPOCH", "260000000000");
    expect_failure("FROM base\n", HasSubstr("invalid SOURCE_DATE_EPOCH: 260000000000"));
}

TEST_F(BadInput, MissingCopySource) {
    expect_failure("FROM base\nCOPY missing.txt C:/\n",
                   AllOf(HasSubstr("missing.txt"), HasSubstr("not found"),
                         HasSubstr("   2 | >>> COPY missing.txt C:/\n"
                                   "      |          ^~~~~~~~~~~\n")));
}

TEST_F(BadInput, SyntaxError) {
    expect_failure("FROM base\nRUMBLE x\n",
                   AllOf(HasSubstr("unknown instruction: RUMBLE"), HasSubstr("   2 | >>> RUMBLE x")));
}

TEST_F(BadInput, NothingOfAFileDrivesTheTerminal) {
    expect_failure("FROM base\nFOO\x1b]0;title\x07\n",
                   AllOf(HasSubstr("unknown instruction"), testing::Not(HasSubstr("\x1b"))));
}

TEST_F(BadInput, UnterminatedHeredoc) {
    expect_failure("FROM base\nRUN <<EOF\necho x\n", HasSubstr("unterminated heredoc"));
}

TEST_F(BadInput, UnknownInstructionFlag) {
    expect_failure("FROM base\nCOPY --colour=blue a C:/\n", HasSubstr("unknown flag: --colour"));
}

TEST_F(BadInput, DotDotCannotLeaveTheContext) {
    workspace.write("secret.txt", "secret");
    expect_failure("FROM base\nCOPY ../secret.txt C:/\n", HasSubstr("secret.txt"));
}

TEST_F(BadInput, SymlinksCannotLeaveTheContext) {
    workspace.write("secret/secret.txt", "secret");
    std::filesystem::create_directories(workspace.path("context"));
    std::filesystem::create_symlink(workspace.path("secret"), workspace.path("context/escape"));
    expect_failure("FROM base\nCOPY escape/secret.txt C:/\n", HasSubstr("escape"));
}

TEST_F(BadInput, NamesThatClashByCase) {
    workspace.write("context/Readme.txt", "a");
    workspace.write("context/README.TXT", "b");
    expect_failure("FROM base\nCOPY . C:/\n", AllOf(HasSubstr("Readme.txt"), HasSubstr("README.TXT")));
}

TEST_F(BadInput, NamesWindowsReserves) {
    workspace.write("context/aux.txt", "a");
    expect_failure("FROM base\nCOPY . C:/\n", AllOf(HasSubstr("aux.txt"), HasSubstr("reserved")));
}

TEST_F(BadInput, OtherDrives) {
    workspace.write("context/a.txt", "a");
    expect_failure("FROM base\nCOPY a.txt D:/\n",
                   HasSubstr("The specified path is not on the system drive (C:)"));
}

TEST_F(BadInput, MissingDockerfileAndContext) {
    auto no_file = workspace.run({"build", workspace.path().string()});
    EXPECT_EQ(no_file.exit_code, 1);
    EXPECT_THAT(no_file.err, HasSubstr("Dockerfile"));
    auto no_context = workspace.run({"build", "nothing-here"});
    EXPECT_EQ(no_context.exit_code, 1);
    EXPECT_THAT(no_context.err, HasSubstr("nothing-here"));
}

TEST_F(BadInput, ALowerCaseDockerfileIsTakenIfThereIsNoOther) {
    workspace.write("lower/dockerfile", "FROM scratch\nRUM lower\n");
    EXPECT_THAT(workspace.run({"build", "lower"}).err, HasSubstr("RUM lower"));
    workspace.write("lower/Dockerfile", "FROM scratch\nRUM upper\n");
    EXPECT_THAT(workspace.run({"build", "lower"}).err, HasSubstr("RUM upper"));
}

TEST_F(BadInput, UnknownTarget) {
    auto built = build("FROM base AS one\nFROM base AS two\n", {"--target", "three"});
    EXPECT_EQ(built.exit_code, 1);
    EXPECT_THAT(built.err, HasSubstr("target stage \"three\" could not be found"));
}

TEST_F(BadInput, ALayerWithDotDotIsRefused) {
    // An OCI layout made by hand (python's tarfile) whose only layer climbs out.
    auto made = workspace.tool(
        {"python3", "-c",
         "import tarfile, io, json, hashlib, os\n"
         "b = io.BytesIO(); t = tarfile.open(fileobj=b, mode='w', format=tarfile.PAX_FORMAT)\n"
         "for n, d in (('Files', None), ('Files/../../evil.txt', b'x')):\n"
         "  i = tarfile.TarInfo(n); i.type = tarfile.DIRTYPE if d is None else tarfile.REGTYPE; i.size = "
         "len(d or b'')\n"
         "  t.addfile(i, io.BytesIO(d or b''))\n"
         "t.close(); layer = b.getvalue(); os.makedirs('evil/blobs/sha256')\n"
         "def put(x, m):\n"
         "  h = hashlib.sha256(x).hexdigest(); open('evil/blobs/sha256/' + h, 'wb').write(x)\n"
         "  return {'mediaType': m, 'digest': 'sha256:' + h, 'size': len(x)}\n"
         "l = put(layer, 'application/vnd.oci.image.layer.v1.tar')\n"
         "c = put(json.dumps({'os': 'windows', 'architecture': 'amd64', 'os.version': '10.0.20348.1', "
         "'config': {},\n"
         "  'rootfs': {'type': 'layers', 'diff_ids': [l['digest']]}}).encode(), "
         "'application/vnd.oci.image.config.v1+json')\n"
         "m = put(json.dumps({'schemaVersion': 2, 'mediaType': "
         "'application/vnd.oci.image.manifest.v1+json',\n"
         "  'config': c, 'layers': [l]}).encode(), 'application/vnd.oci.image.manifest.v1+json')\n"
         "open('evil/oci-layout', 'w').write('{\"imageLayoutVersion\": \"1.0.0\"}')\n"
         "open('evil/index.json', 'w').write(json.dumps({'schemaVersion': 2, 'manifests': [m]}))\n"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    workspace.write("context/a.txt", "a");
    workspace.write("context/Dockerfile", "FROM evil\nCOPY a.txt C:/\n");
    auto built =
        workspace.run({"build", "-t", "never", "--build-context", "evil=oci-layout://evil", "context"});
    EXPECT_EQ(built.exit_code, 1);
    EXPECT_THAT(built.err, HasSubstr(".."));
    EXPECT_FALSE(std::filesystem::exists(workspace.path("evil.txt")));
    auto verified = workspace.run({"image", "verify", "evil"});
    EXPECT_EQ(verified.exit_code, 1);
}

TEST_F(BadInput, DiskFullIsNamedAndLosesNothing) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small file system";
    std::string base = workspace.base_context();
    workspace.tool({"sh", "-c", "mkdir -p context && head -c 20000000 /dev/urandom > context/big.bin"});
    workspace.write("context/Dockerfile", "FROM base\nCOPY big.bin C:/\n");
    auto output = workspace.tool(
        {"unshare", "-m", "sh", "-c",
         "mkdir small && mount -t tmpfs -o size=8m none small && export MULLION_STATE=$PWD/small/state && "
         "\"$0\" build -t never --build-context \"$1\" context; echo code $?; "
         "\"$0\" images -q; rm -r small/state/tmp; find small/state -name '*.tmp'; "
         "\"$0\" base create -t base",
         MULLION_BINARY_PATH, base});
    EXPECT_THAT(output.out, HasSubstr("code 1\n"));
    EXPECT_THAT(output.err, HasSubstr("No space left on device"));
    EXPECT_EQ(output.exit_code, 0) << output.err;
}

}  // namespace
}  // namespace mullion
