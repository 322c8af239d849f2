#include <gtest/gtest.h>

#include "cli/display_renderer.hpp"
#include "tests/cli/display_events.hpp"

namespace mullion::cli {
namespace {

using test::announced;
using test::at;
using test::cached;
using test::completed;
using test::log;
using test::started;
using test::status;

class PlainDisplay : public testing::Test {
  protected:
    std::string render(std::vector<base::ProgressEvent> events, double now) {
        return renderer->render(events, at(now));
    }
    std::unique_ptr<DisplayRenderer> renderer = make_plain_renderer();
};

TEST_F(PlainDisplay, OneStepFromStartToEnd) {
    EXPECT_EQ(render({announced("[1/1] RUN x")}, 0), "");
    EXPECT_EQ(render({started("[1/1] RUN x", 0)}, 0), "#1 [1/1] RUN x\n");
    EXPECT_EQ(render({log("[1/1] RUN x", 0.1234, "hello\nwor")}, 0.2), "#1 0.123 hello\n");
    EXPECT_EQ(render({log("[1/1] RUN x", 0.5, "ld\n", 1)}, 0.5), "#1 0.500 world\n");
    EXPECT_EQ(render({completed("[1/1] RUN x", 0, 1.24)}, 1.3), "#1 DONE 1.2s\n");
    EXPECT_EQ(renderer->finish(at(2)), "");
}

TEST_F(PlainDisplay, WhatAStepUsedIsALineOfIt) {
    base::UsageEvent usage{
        base::Digest::of("a"), {std::chrono::milliseconds(1234), 34'500'000, 0, 1500}, at(1)};
    EXPECT_EQ(render({started("a", 0), log("a", 0.5, "no end"), usage, completed("a", 0, 1)}, 1),
              "#1 a\n#1 1.000 no end\n#1 used 1.23s of processor time, 34.5MB of memory at most, 1.5kB "
              "written\n#1 DONE 1.0s\n");
    usage.usage = {};
    usage.vertex = base::Digest::of("b");
    EXPECT_EQ(render({started("b", 1), usage, completed("b", 1, 2)}, 2), "\n#2 b\n#2 DONE 1.0s\n");
}

TEST_F(PlainDisplay, StepsAreSeparatedAndNumberedInOrder) {
    EXPECT_EQ(render({cached("a", 0), cached("b", 0), started("c", 0), completed("c", 0, 0)}, 0),
              "#1 a\n#1 CACHED\n\n#2 b\n#2 CACHED\n\n#3 c\n#3 DONE 0.0s\n");
}

TEST_F(PlainDisplay, FailureShowsItsMessage) {
    EXPECT_EQ(render({started("a", 0), completed("a", 0, 1, "exit code 1\nmore")}, 1),
              "#1 a\n#1 ERROR: exit code 1\n#1 more\n");
}

TEST_F(PlainDisplay, FailureBeforeTheStartIsShown) {
    base::VertexEvent failed = announced("a");
    failed.completed = at(1);
    failed.error = "no such image";
    EXPECT_EQ(render({announced("a"), failed}, 1), "#1 a\n#1 ERROR: no such image\n");
}

TEST_F(PlainDisplay, CanceledStepsAreShownOnlyIfTheyBegan) {
    base::VertexEvent never = announced("never");
    never.completed = at(1);
    never.error = "canceled";
    EXPECT_EQ(render({announced("never"), started("a", 0), completed("a", 0, 1, "canceled"), never}, 1),
              "#1 a\n#1 CANCELED\n");
}

TEST_F(PlainDisplay, UnfinishedLineAppearsWithTheEnd) {
    EXPECT_EQ(render({started("a", 0), log("a", 0.1, "no newline")}, 0.2), "#1 a\n");
    EXPECT_EQ(render({completed("a", 0, 1)}, 1), "#1 1.000 no newline\n#1 DONE 1.0s\n");
}

TEST_F(PlainDisplay, StreamsDoNotMixWithinALine) {
    EXPECT_EQ(
        render({started("a", 0), log("a", 0, "out", 1), log("a", 0, "err\n", 2), log("a", 0, "put\n", 1)}, 0),
        "#1 a\n#1 0.000 err\n#1 0.000 output\n");
}

TEST_F(PlainDisplay, AnotherStepWaitsForItsTurn) {
    EXPECT_EQ(render({started("a", 0), started("b", 0)}, 0), "#1 a\n");
    EXPECT_EQ(render({log("b", 0.1, "b1\n"), log("a", 0.2, "a1\n")}, 0.2), "#1 0.200 a1\n");
    EXPECT_EQ(render({}, 0.9), "") << "a has been silent for less than a second";
    EXPECT_EQ(render({}, 1.3), "#1 ...\n\n#2 b\n#2 0.100 b1\n");
    EXPECT_EQ(render({completed("a", 0, 1.4)}, 1.4), "#2 ...\n\n#1 a\n#1 DONE 1.4s\n");
    EXPECT_EQ(render({log("b", 1.5, "b2\n")}, 1.5), "\n#2 b\n#2 1.500 b2\n");
}

TEST_F(PlainDisplay, ChattyStepCannotKeepTheWord) {
    render({started("a", 0), started("b", 0), log("b", 0, "b\n")}, 0);
    std::string out;
    for (int second = 1; second < 30; ++second) {
        out += render({log("a", second / 2.0, "x\n")}, second / 2.0);
    }
    EXPECT_NE(out.find("#1 ...\n\n#2 b\n#2 0.000 b\n"), std::string::npos) << out;
}

TEST_F(PlainDisplay, NothingIsLostAtTheEnd) {
    render({started("a", 0), started("b", 0)}, 0);
    render({log("b", 0.1, "b1\nb2")}, 0.1);
    EXPECT_EQ(renderer->finish(at(0.2)), "#1 ...\n\n#2 b\n#2 0.100 b1\n#2 0.200 b2\n");
}

TEST_F(PlainDisplay, StatusesShowTransfersSparingly) {
    EXPECT_EQ(render({started("a", 0), status("a", "layer", 0, 0, 2'000'000)}, 0),
              "#1 a\n#1 layer 0B / 2.00MB\n");
    EXPECT_EQ(render({status("a", "layer", 0.1, 1000, 2'000'000)}, 0.1), "") << "too little news";
    EXPECT_EQ(render({status("a", "layer", 0.5, 1'500'000, 2'000'000)}, 0.5),
              "#1 layer 1.50MB / 2.00MB 3.00MB/s 0.5s\n");
    EXPECT_EQ(render({status("a", "layer", 6, 1'500'001, 2'000'000)}, 6),
              "#1 layer 1.50MB / 2.00MB 250.00kB/s 6.0s\n");
    EXPECT_EQ(render({status("a", "layer", 7, 2'000'000, 2'000'000, true)}, 7),
              "#1 layer 2.00MB / 2.00MB 285.71kB/s 7.0s done\n");
    EXPECT_EQ(render({status("a", "layer", 7, 2'000'000, 2'000'000, true)}, 7), "") << "said already";
    EXPECT_EQ(render({status("a", "exporting", 8, 0, 0, true)}, 8), "#1 exporting 8.0s done\n");
    base::StatusEvent pushed = status("a", "pushing", 9, 0, 2'000'000, true);
    pushed.name = "mounted";
    EXPECT_EQ(render({pushed}, 9), "#1 pushing mounted\n");
    EXPECT_EQ(render({status("a", "broken", 10, 500'000, 2'000'000, true)}, 10),
              "#1 broken 500.00kB / 2.00MB 50.00kB/s 10.0s stopped\n");
}

TEST_F(PlainDisplay, WarningsAreShown) {
    base::WarningEvent warning{
        base::Digest::of("a"), 1, "careful", "", "", base::SourceRange{"Dockerfile", 3, 3, 0, 0}};
    EXPECT_EQ(render({started("a", 0), warning}, 0), "#1 a\n#1 WARN: careful (Dockerfile:3)\n");
    warning.vertex.reset();
    EXPECT_EQ(render({warning}, 0), "#1 ...\n\nWARN: careful (Dockerfile:3)\n");
}

TEST_F(PlainDisplay, OutputCannotControlTheTerminal) {
    EXPECT_EQ(
        render({started("n\x1b[2Jame\n", 0), log("n\x1b[2Jame\n", 0, "\x1b[31mred\x1b[m\x07\xff\n")}, 0),
        "#1 name\xef\xbf\xbd\n#1 0.000 red\xef\xbf\xbd\xef\xbf\xbd\n");
}

TEST_F(PlainDisplay, EventsOfUnknownVerticesAreDropped) {
    EXPECT_EQ(render({log("nobody", 0, "x\n"), status("nobody", "x", 0, 1, 2)}, 0), "");
    EXPECT_EQ(renderer->finish(at(0)), "");
}

TEST_F(PlainDisplay, CachedStepThatRunsAfterAllIsShownAgain) {
    EXPECT_EQ(render({cached("a", 0)}, 0), "#1 a\n#1 CACHED\n");
    EXPECT_EQ(render({started("a", 1), completed("a", 1, 2)}, 2), "\n#1 a\n#1 DONE 1.0s\n");
}

}  // namespace
}  // namespace mullion::cli
