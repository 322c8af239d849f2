#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using testing::Contains;
using testing::Not;

class BuildCache : public test::ContainerTest {
  protected:
    // Names of the steps ("FROM ...", "RUN ...", "COPY ...") by whether they came from the cache, from the
    // rawjson stream.
    struct Steps {
        std::set<std::string> cached;
        std::set<std::string> executed;
    };

    Steps steps_of(const base::ProcessOutput& output) {
        std::map<std::string, nlohmann::json> latest;
        std::istringstream lines(output.err);
        for (std::string line; std::getline(lines, line);) {
            for (const auto& vertex :
                 nlohmann::json::parse(line).value("vertexes", nlohmann::json::array())) {
                latest[vertex["digest"]].update(vertex);
            }
        }
        Steps steps;
        for (const auto& [digest, vertex] : latest) {
            std::string name = vertex["name"];
            std::size_t bracket = name.find("] ");
            if (name.rfind("[internal]", 0) == 0 || bracket == std::string::npos) continue;
            (vertex.value("cached", false) ? steps.cached : steps.executed).insert(name.substr(bracket + 2));
        }
        return steps;
    }

    base::ProcessOutput build_json(std::vector<std::string> more = {}) {
        more.insert(more.end(), {"--progress", "rawjson"});
        return build(kDockerfile, more);
    }

    static constexpr const char* kDockerfile =
        "FROM base AS tools\n"
        "COPY tool.txt C:/tools/\n"
        "RUN type C:\\tools\\tool.txt > C:\\tools\\made.txt\n"
        "FROM base\n"
        "COPY app.txt C:/app/\n"
        "COPY --from=tools C:/tools/made.txt C:/app/\n"
        "RUN type C:\\app\\made.txt C:\\app\\app.txt > C:\\all.txt\n";

    void SetUp() override {
        ContainerTest::SetUp();
        workspace.write("context/tool.txt", "tool\r\n");
        workspace.write("context/app.txt", "app\r\n");
    }
};

TEST_F(BuildCache, NothingChangedIsAllCachedAndTouchesNoLayer) {
    auto first = build_json({"-t", "app", "--iidfile", "first"});
    ASSERT_EQ(first.exit_code, 0) << first.err;
    EXPECT_EQ(steps_of(first).executed.size(), 6u);
    auto unpacked =
        workspace.tool({"find", (workspace.state() / "layers").string(), "-printf", "%p %T@ %C@\n"});
    auto second = build_json({"-t", "app", "--iidfile", "second"});
    ASSERT_EQ(second.exit_code, 0) << second.err;
    EXPECT_THAT(steps_of(second).executed, testing::IsEmpty()) << second.err;
    EXPECT_EQ(steps_of(second).cached.size(), 6u) << second.err;
    EXPECT_EQ(workspace.read("first"), workspace.read("second"));
    EXPECT_EQ(
        workspace.tool({"find", (workspace.state() / "layers").string(), "-printf", "%p %T@ %C@\n"}).out,
        unpacked.out);
}

TEST_F(BuildCache, AChangedFileRunsOnlyWhatReadsIt) {
    ASSERT_EQ(build_json().exit_code, 0);
    workspace.write("context/app.txt", "another app\r\n");
    auto second = build_json();
    ASSERT_EQ(second.exit_code, 0) << second.err;
    Steps steps = steps_of(second);
    EXPECT_THAT(steps.executed, Contains("COPY app.txt C:/app/"));
    EXPECT_THAT(steps.executed, Contains("RUN type C:\\app\\made.txt C:\\app\\app.txt > C:\\all.txt"));
    EXPECT_THAT(steps.cached, Contains("RUN type C:\\tools\\tool.txt > C:\\tools\\made.txt"));
    EXPECT_THAT(steps.executed, Not(Contains("COPY tool.txt C:/tools/")));
}

TEST_F(BuildCache, ATouchedFileWithTheSameBytesIsStillCached) {
    ASSERT_EQ(build_json().exit_code, 0);
    workspace.write("context/app.txt", "app\r\n");
    auto second = build_json();
    ASSERT_EQ(second.exit_code, 0) << second.err;
    EXPECT_THAT(steps_of(second).executed, testing::IsEmpty()) << second.err;
}

TEST_F(BuildCache, ARebuiltButIdenticalInputStopsTheRebuild) {
    ASSERT_EQ(build_json().exit_code, 0);
    // tool.txt changes, what the step makes of it does not: made.txt keeps its bytes.
    workspace.write("context/Dockerfile", kDockerfile);
    std::string changed = kDockerfile;
    changed.replace(changed.find("RUN type C:\\tools\\tool.txt"), 26, "RUN  type C:\\tools\\tool.txt");
    auto second = build(changed, {"--progress", "rawjson"});
    ASSERT_EQ(second.exit_code, 0) << second.err;
    Steps steps = steps_of(second);
    EXPECT_THAT(steps.cached, Contains("COPY --from=tools C:/tools/made.txt C:/app/")) << second.err;
    EXPECT_THAT(steps.cached, Contains("RUN type C:\\app\\made.txt C:\\app\\app.txt > C:\\all.txt"));
}

TEST_F(BuildCache, NoCacheRunsEveryStepOnTheBase) {
    ASSERT_EQ(build_json().exit_code, 0);
    auto second = build_json({"--no-cache"});
    ASSERT_EQ(second.exit_code, 0) << second.err;
    EXPECT_THAT(steps_of(second).cached, testing::Each(testing::StartsWith("FROM "))) << second.err;
    EXPECT_EQ(steps_of(second).executed.size(), 5u) << second.err;
}

}  // namespace
}  // namespace mullion
