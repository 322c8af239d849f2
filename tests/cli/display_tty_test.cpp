#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/display_renderer.hpp"
#include "tests/cli/display_events.hpp"
#include "tests/cli/fake_terminal.hpp"

namespace mullion::cli {
namespace {

using test::announced;
using test::at;
using test::cached;
using test::completed;
using test::log;
using test::started;
using test::status;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using Lines = std::vector<std::string>;

class TtyDisplay : public testing::Test {
  protected:
    void use(int columns, int rows) {
        size = {columns, rows};
        terminal.emplace(static_cast<std::size_t>(columns), static_cast<std::size_t>(rows));
    }
    Lines render(const std::vector<base::ProgressEvent>& events, double now) {
        terminal->write(renderer->render(events, at(now)));
        EXPECT_TRUE(terminal->cursor_shown());
        EXPECT_TRUE(terminal->at_line_start());
        EXPECT_FALSE(terminal->wrapped());
        EXPECT_THAT(terminal->below_cursor(), Each(""));
        return terminal->lines();
    }
    Lines finish(double now) {
        terminal->write(renderer->finish(at(now)));
        EXPECT_TRUE(terminal->cursor_shown());
        return terminal->lines();
    }

    TerminalSize size{40, 10};
    std::unique_ptr<DisplayRenderer> renderer = make_tty_renderer([this] { return size; });
    std::optional<test::FakeTerminal> terminal{test::FakeTerminal(40, 10)};
};

TEST_F(TtyDisplay, ShowsNothingBeforeSomethingRuns) {
    EXPECT_EQ(renderer->render({}, at(0)), "");
    EXPECT_EQ(renderer->render({announced("a")}, at(0)), "");
    EXPECT_EQ(renderer->finish(at(0)), "");
}

TEST_F(TtyDisplay, OneStepFromStartToEnd) {
    EXPECT_THAT(render({announced("a"), announced("b"), started("a", 0)}, 0),
                ElementsAre("[+] Building 0.0s (0/2)", " => a                              0.0s"));
    EXPECT_THAT(render({log("a", 1, "one\ntwo\nthr")}, 1.5),
                ElementsAre("[+] Building 1.5s (0/2)", " => a                              1.5s",
                            " => => # one", " => => # two", " => => # thr"));
    EXPECT_THAT(render({completed("a", 0, 2), started("b", 2)}, 2.1),
                ElementsAre(" => a                              2.0s", "[+] Building 2.1s (1/2)",
                            " => b                              0.1s"));
    EXPECT_THAT(render({completed("b", 2, 3)}, 3), ElementsAre(" => a                              2.0s",
                                                               " => b                              1.0s"));
    EXPECT_THAT(finish(3),
                ElementsAre(" => a                              2.0s",
                            " => b                              1.0s", "[+] Building 3.0s (2/2) FINISHED"));
}

TEST_F(TtyDisplay, EndsAreMarked) {
    base::VertexEvent never = announced("never");
    never.completed = at(1);
    never.error = "canceled";
    EXPECT_THAT(
        render({cached("a", 0), started("b", 0), completed("b", 0, 1, "broken"), started("c", 0),
                completed("c", 0, 1, "canceled"), never},
               1),
        ElementsAre(" => CACHED a                       0.0s", " => ERROR b                        1.0s",
                    " => CANCELED c                     1.0s"));
}

TEST_F(TtyDisplay, OnlyTheLastLinesOfOutputStay) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "line " + std::to_string(i) + "\n";
    Lines lines = render({started("a", 0), log("a", 0, text)}, 0);
    ASSERT_EQ(lines.size(), 8u);
    EXPECT_EQ(lines[2], " => => # line 94");
    EXPECT_EQ(lines[7], " => => # line 99");
}

TEST_F(TtyDisplay, TransfersHaveBars) {
    use(70, 10);
    Lines lines = render({started("a", 0), status("a", "layer", 1, 1'000'000, 2'000'000)}, 1);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[2], " => => layer  [#####     ]  1.00MB / 2.00MB  1.00MB/s            1.0s");
    lines = render({status("a", "layer", 2, 2'000'000, 2'000'000, true)}, 5);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[2], " => => layer  done                                               2.0s");
    EXPECT_EQ(render({completed("a", 0, 5)}, 5).size(), 1u);
}

TEST_F(TtyDisplay, TransfersFitIntoTheirTerminal) {
    use(54, 10);
    const auto event = status("a", "layer", 1, 1'000'000, 2'000'000);
    EXPECT_EQ(render({started("a", 0), event}, 1)[2],
              " => => layer  [#####     ]  1.00MB / 2.00MB  1.00MB/s");
    renderer = make_tty_renderer([this] { return size; });
    use(53, 10);
    EXPECT_EQ(render({started("a", 0), event}, 1)[2], " => => layer  1.00MB / 2.00MB  1.00MB/s         1.0s");
    renderer = make_tty_renderer([this] { return size; });
    use(20, 10);
    EXPECT_EQ(render({started("a", 0), event}, 1)[2], " => => layer  1....");
}

TEST_F(TtyDisplay, WhatMovesNoBytesIsShownWhileItLasts) {
    EXPECT_EQ(render({started("a", 0), status("a", "resolving", 1, 0, 0)}, 1).back(),
              " => => resolving                   1.0s");
    EXPECT_EQ(render({status("a", "resolving", 2, 0, 0, true)}, 2).size(), 2u);
}

TEST_F(TtyDisplay, TransfersThatEndedGiveWayToThoseThatRun) {
    use(40, 6);
    std::vector<base::ProgressEvent> events = {started("a", 0)};
    for (const char* id : {"one", "two", "three"}) events.push_back(status("a", id, 1, 5, 5, true));
    for (const char* id : {"four", "five"}) events.push_back(status("a", id, 1, 1, 5));
    Lines lines = render(events, 1);
    ASSERT_EQ(lines.size(), 5u);
    EXPECT_THAT(lines[2], testing::HasSubstr("three  done"));
    EXPECT_THAT(lines[3], testing::HasSubstr("four  "));
    EXPECT_THAT(lines[4], testing::HasSubstr("five  "));
    lines = render({status("a", "six", 2, 1, 5), status("a", "seven", 2, 1, 5)}, 2);
    ASSERT_EQ(lines.size(), 5u);
    EXPECT_THAT(lines[2], testing::HasSubstr("five  "));
    EXPECT_THAT(lines[4], testing::HasSubstr("seven  "));
}

TEST_F(TtyDisplay, NeverTallerThanTheTerminal) {
    for (int rows : {2, 3, 4, 5, 8, 24}) {
        renderer = make_tty_renderer([this] { return size; });
        use(40, rows);
        std::vector<base::ProgressEvent> events;
        for (int i = 0; i < 30; ++i) {
            events.push_back(started("step " + std::to_string(i), 0));
            events.push_back(log("step " + std::to_string(i), 0, "1\n2\n3\n4\n5\n6\n7\n"));
        }
        for (int tick = 0; tick < 5; ++tick) {
            Lines lines = render(tick == 0 ? events : std::vector<base::ProgressEvent>{}, tick);
            EXPECT_LT(lines.size(), static_cast<std::size_t>(rows)) << "nothing has scrolled away";
            EXPECT_EQ(lines[0], "[+] Building " + std::to_string(tick) + ".0s (0/30)");
        }
    }
}

TEST_F(TtyDisplay, EveryEndScrollsAwayOnceHoweverSmallTheTerminal) {
    use(40, 3);
    Lines wanted;
    for (int i = 0; i < 50; ++i) {
        std::string name = "step " + std::to_string(i);
        render({started(name, i)}, i);
        render({log(name, i, "output\n")}, i + 0.5);
        render({completed(name, i, i + 1)}, i + 1);
        wanted.push_back(" => " + name + std::string(28 - name.size(), ' ') + "   1.0s");
    }
    wanted.push_back("[+] Building 50.0s (50/50) FINISHED");
    EXPECT_EQ(finish(50), wanted);
}

TEST_F(TtyDisplay, LongNamesAreCut) {
    for (int columns : {1, 2, 5, 12, 13, 20, 40}) {
        renderer = make_tty_renderer([this] { return size; });
        use(std::max(2, columns), 10);
        size.columns = columns;
        render(
            {started(std::string(200, 'x'), 0), log(std::string(200, 'x'), 0, std::string(500, 'y') + "\n")},
            0);
        render({}, 100000);
    }
}

TEST_F(TtyDisplay, NarrowedTerminalIsPaintedOverCompletely) {
    render({started("a", 0), log("a", 0, "output that is thirty wide...\n")}, 0);
    // At 20 columns the terminal has re-wrapped the three lines of 23, 39 and 38 columns to 2 rows each.
    size.columns = 20;
    std::string bytes = renderer->render({}, at(1));
    EXPECT_NE(bytes.find("\x1b[6A"), std::string::npos) << bytes;
}

TEST_F(TtyDisplay, OutputCannotControlTheTerminal) {
    // FakeTerminal throws for anything the painter itself does not use.
    std::string evil =
        "\x1b[2J\x1b[1;1H\x1b]0;x\x07\x1b[99A\b\b\v\f\x0e\x1b"
        "c\xc2\x9b"
        "5A\n";
    EXPECT_NO_THROW(
        render({started("a" + evil, 0), log("a" + evil, 0, evil + evil), log("a" + evil, 0, "\x1b[2J")}, 0));
    EXPECT_NO_THROW(render({completed("a" + evil, 0, 1, evil)}, 1));
    EXPECT_NO_THROW(render({base::WarningEvent{{}, 1, evil, "", "", {}}}, 1));
}

TEST_F(TtyDisplay, RandomLivesKeepTheScreenWhole) {
    std::uint32_t seed = 99;
    auto random = [&](std::uint32_t below) {
        seed = seed * 1664525 + 1013904223;
        return (seed >> 8) % below;
    };
    for (int round = 0; round < 15; ++round) {
        renderer = make_tty_renderer([this] { return size; });
        use(10 + static_cast<int>(random(80)), 2 + static_cast<int>(random(20)));
        std::vector<double> begins(20, -1);
        std::size_t ended = 0;
        for (int tick = 0; tick < 100; ++tick) {
            std::uint32_t i = random(20);
            std::string name = "step " + std::to_string(i);
            if (begins[i] < 0) {
                begins[i] = tick;
                render({started(name, tick)}, tick);
            } else if (random(3) != 0) {
                render({log(name, tick, std::string(random(100), 'z') + "\n")}, tick);
            } else {
                render({completed(name, begins[i], tick)}, tick);
                begins[i] = -1;
                ++ended;
            }
        }
        EXPECT_EQ(finish(100).size(), ended + 1);
    }
}

}  // namespace
}  // namespace mullion::cli
