#include <unistd.h>

#include <thread>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

class Determinism : public test::ContainerTest {
  protected:
    void SetUp() override {
        ContainerTest::SetUp();
        workspace.write("context/hello.txt", "Hello World!\r\n");
    }

    static constexpr const char* kDockerfile =
        "FROM base\n"
        "USER ContainerAdministrator\n"
        "WORKDIR C:\\app\n"
        "COPY hello.txt .\n"
        "RUN echo one> made.txt && md sub && echo two> sub\\Two.txt && del hello.txt\n"
        "CMD [\"cmd\"]\n";
};

TEST_F(Determinism, FreshStatesAnotherClockAndThreadCountGiveTheSameImage) {
    workspace.use_state(workspace.make_state("first"));
    auto first = build(kDockerfile, {"--iidfile", "first.id", "-o", "type=oci,dest=first.tar"});
    ASSERT_EQ(first.exit_code, 0) << first.err;
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    workspace.use_state(workspace.make_state("second"));
    workspace.set_environment("MULLION_THREADS", "1");
    auto second = build(kDockerfile, {"--iidfile", "second.id", "-o", "type=oci,dest=second.tar"});
    ASSERT_EQ(second.exit_code, 0) << second.err;
    EXPECT_EQ(workspace.read("first.id"), workspace.read("second.id"));
    EXPECT_EQ(workspace.read("first.tar"), workspace.read("second.tar"));
}

TEST_F(Determinism, AnOrdinaryUserMakesTheSameImageAsRoot) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to change the user";
    auto first = build(kDockerfile, {"--iidfile", "root.id", "-o", "type=oci,dest=root.tar"});
    ASSERT_EQ(first.exit_code, 0) << first.err;
    auto given = workspace.tool(
        {"sh", "-c", "mkdir user && cp -a context base user && chown -R 65534:65534 user . && ls -d user"});
    ASSERT_EQ(given.exit_code, 0) << given.err;
    auto second = workspace.run({"--state", workspace.path("user/state").string(), "build", "--build-context",
                                 "base=oci-layout://" + workspace.path("user/base").string(), "--iidfile",
                                 "user/user.id", "-o", "type=oci,dest=user/user.tar", "user/context"},
                                {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"});
    ASSERT_EQ(second.exit_code, 0) << second.err;
    EXPECT_EQ(workspace.read("root.id"), workspace.read("user/user.id"));
}

}  // namespace
}  // namespace mullion
