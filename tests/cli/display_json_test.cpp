#include <gtest/gtest.h>

#include "cli/display_renderer.hpp"
#include "tests/cli/display_events.hpp"

namespace mullion::cli {
namespace {

std::string render(const base::ProgressEvent& event) {
    return make_json_renderer()->render({event}, test::at(0));
}

const base::Digest kDigest = base::Digest::of("");
const std::string kText = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const base::FileTime kTime = base::FileTime::parse_rfc3339("2024-05-06T07:08:09.5Z");

// The expected lines are what Go's encoding/json makes of BuildKit's client.SolveStatus.

TEST(JsonDisplay, Vertex) {
    base::VertexEvent event{kDigest, {}, "[1/2] RUN x", false, {}, {}, {}};
    EXPECT_EQ(render(event), R"({"vertexes":[{"digest":")" + kText + R"(","name":"[1/2] RUN x"}]})" + "\n");
    event.inputs = {kDigest, kDigest};
    event.started = event.completed = kTime;
    event.cached = true;
    event.error = "broken";
    EXPECT_EQ(render(event), R"({"vertexes":[{"digest":")" + kText + R"(","inputs":[")" + kText + R"(",")" +
                                 kText +
                                 R"("],"name":"[1/2] RUN x","started":"2024-05-06T07:08:09.5Z",)"
                                 R"("completed":"2024-05-06T07:08:09.5Z","cached":true,"error":"broken"}]})" +
                                 "\n");
}

TEST(JsonDisplay, Status) {
    base::StatusEvent event{kDigest, "exporting", 0, 0, kTime, {}, {}};
    EXPECT_EQ(render(event), R"({"statuses":[{"id":"exporting","vertex":")" + kText +
                                 R"(","current":0,"timestamp":"2024-05-06T07:08:09.5Z"}]})" + "\n");
    event.current = 1;
    event.total = 2;
    event.started = event.completed = kTime;
    event.name = "exists";
    EXPECT_EQ(render(event),
              R"({"statuses":[{"id":"exporting","vertex":")" + kText +
                  R"(","name":"exists","total":2,"current":1,"timestamp":"2024-05-06T07:08:09.5Z",)"
                  R"("started":"2024-05-06T07:08:09.5Z","completed":"2024-05-06T07:08:09.5Z"}]})" +
                  "\n");
}

TEST(JsonDisplay, LogIsBase64) {
    base::LogEvent event{kDigest, 2, std::string("\x00\xff\n", 3), kTime};
    EXPECT_EQ(render(event), R"({"logs":[{"vertex":")" + kText +
                                 R"(","stream":2,"data":"AP8K","timestamp":"2024-05-06T07:08:09.5Z"}]})" +
                                 "\n");
}

TEST(JsonDisplay, Warning) {
    base::WarningEvent event{{}, 1, "foo", "", "", {}};
    EXPECT_EQ(render(event), R"({"warnings":[{"level":1,"short":"Zm9v"}]})"
                             "\n");
    event = {kDigest, 1, "foo", "foobar", "http://x", base::SourceRange{"Dockerfile", 2, 3, 0, 4}};
    EXPECT_EQ(render(event), R"({"warnings":[{"vertex":")" + kText +
                                 R"(","level":1,"short":"Zm9v","detail":["Zm9vYmFy"],"url":"http://x",)"
                                 R"("sourceInfo":{"filename":"Dockerfile"},)"
                                 R"("range":[{"start":{"line":2},"end":{"line":3,"character":4}}]}]})" +
                                 "\n");
}

// The names are those of BuildKit's resource samples; what is not known is left out.
TEST(JsonDisplay, Usage) {
    base::UsageEvent event{kDigest, {std::chrono::nanoseconds(1500), 4096, 0, 7}, kTime};
    EXPECT_EQ(render(event), R"({"usages":[{"vertex":")" + kText +
                                 R"(","timestamp":"2024-05-06T07:08:09.5Z","cpuStat":{"usageNanos":1500},)"
                                 R"("memoryStat":{"peak":4096},"ioStat":{"writeBytes":7}}]})" +
                                 "\n");
}

TEST(JsonDisplay, OneLineForEachEventInOrder) {
    std::string text = make_json_renderer()->render(
        {test::started("a\nb", 0), test::log("a", 0, "x"), test::completed("a\nb", 0, 1)}, test::at(0));
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
    EXPECT_LT(text.find("\"logs\""), text.find("\"completed\""));
}

TEST(JsonDisplay, NamesThatAreNotUtf8AreReplacedNotThrown) {
    base::VertexEvent event{kDigest, {}, "\xff", false, {}, {}, {}};
    EXPECT_NE(render(event).find("\xef\xbf\xbd"), std::string::npos);
}

}  // namespace
}  // namespace mullion::cli
