#include <gmock/gmock.h>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using testing::HasSubstr;

// examples/multistage: a real Windows program (esbuild) works in a build stage, the final stage takes what it
// made.
class MultistageExample : public test::ContainerTest {};

TEST_F(MultistageExample, BundlesUnderRunAndRunsTheResult) {
    workspace.base_context();
    auto copied = workspace.tool({"cp", "-r", std::string(MULLION_EXAMPLES) + "/multistage", "example"});
    ASSERT_EQ(copied.exit_code, 0) << copied.err;
    workspace.set_environment("MULLION", MULLION_BINARY_PATH);
    auto ran = workspace.tool({"example/run", workspace.path("base").string()});
    if (!std::filesystem::exists(workspace.path("example/tools/esbuild.exe"))) {
        GTEST_SKIP() << "esbuild cannot be had from the npm registry here: " << ran.err;
    }
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("app.js\r\nindex.html\r\n"));
    // The module was inlined: that is what bundling means.
    EXPECT_THAT(ran.out, HasSubstr("A mullion joins the ${"));
    EXPECT_THAT(ran.out, testing::Not(HasSubstr("import")));
}

}  // namespace
}  // namespace mullion
