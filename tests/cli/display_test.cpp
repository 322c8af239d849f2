#include "cli/display.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/cli/display_events.hpp"

namespace mullion::cli {
namespace {

using test::completed;
using test::log;
using test::started;

struct Pipe {
    Pipe() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
        read = base::UniqueFd(ends[0]);
        write = base::UniqueFd(ends[1]);
    }
    // Everything, after closing our writing end.
    std::string drain() {
        write.reset();
        std::string text;
        char buffer[4096];
        for (ssize_t n; (n = ::read(read.get(), buffer, sizeof buffer)) > 0;) {
            text.append(buffer, static_cast<std::size_t>(n));
        }
        return text;
    }
    base::UniqueFd read;
    base::UniqueFd write;
};

TEST(Display, ModesHaveNames) {
    EXPECT_EQ(parse_display_mode("auto"), DisplayMode::Auto);
    EXPECT_EQ(parse_display_mode("tty"), DisplayMode::Tty);
    EXPECT_EQ(parse_display_mode("plain"), DisplayMode::Plain);
    EXPECT_EQ(parse_display_mode("rawjson"), DisplayMode::RawJson);
    EXPECT_EQ(parse_display_mode("quiet"), DisplayMode::Quiet);
    for (const char* bad : {"", "TTY", "json", "plain "})
        EXPECT_THROW(parse_display_mode(bad), base::Error) << bad;
}

TEST(Display, AutoIsPlainOnAPipe) {
    Pipe pipe;
    {
        auto display = make_display(DisplayMode::Auto, pipe.write.get());
        display->emit(started("a", 0));
        display->emit(completed("a", 0, 1));
    }
    EXPECT_EQ(pipe.drain(), "#1 a\n#1 DONE 1.0s\n");
}

TEST(Display, TtyNeedsATerminal) {
    Pipe pipe;
    EXPECT_THROW(make_display(DisplayMode::Tty, pipe.write.get()), base::Error);
}

TEST(Display, QuietWritesNothing) {
    Pipe pipe;
    auto display = make_display(DisplayMode::Quiet, pipe.write.get());
    display->emit(started("a", 0));
    display->finish();
    EXPECT_EQ(pipe.drain(), "");
}

TEST(Display, FinishShowsEverythingAndMayBeRepeated) {
    Pipe pipe;
    auto display = make_display(DisplayMode::RawJson, pipe.write.get());
    for (int i = 0; i < 100; ++i) display->emit(log("a", i, "x"));
    display->finish();
    display->finish();
    display->emit(log("a", 0, "too late"));
    std::string text = pipe.drain();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 100);
}

TEST(Display, ManyThreadsMayEmit) {
    Pipe pipe;
    std::string text;
    std::thread reader([&] {
        char buffer[4096];
        for (ssize_t n; (n = ::read(pipe.read.get(), buffer, sizeof buffer)) > 0;) {
            text.append(buffer, static_cast<std::size_t>(n));
        }
    });
    {
        auto display = make_display(DisplayMode::RawJson, pipe.write.get());
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 500; ++i) display->emit(log("a", i, "x"));
            });
        }
        for (std::thread& thread : threads) thread.join();
    }
    pipe.write.reset();
    reader.join();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2000);
}

TEST(Display, EmitDoesNotWaitForAStuckReader) {
    // Far more than a pipe holds, and nobody reads until everything is emitted.
    Pipe pipe;
    auto display = make_display(DisplayMode::RawJson, pipe.write.get());
    for (int i = 0; i < 1000; ++i) display->emit(log("a", i, std::string(1000, 'x')));
    std::string text;
    std::thread reader([&] {
        char buffer[65536];
        for (ssize_t n; (n = ::read(pipe.read.get(), buffer, sizeof buffer)) > 0;) {
            text.append(buffer, static_cast<std::size_t>(n));
        }
    });
    display->finish();
    pipe.write.reset();
    reader.join();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1000);
}

TEST(Display, ClosedReaderDoesNotDisturbTheBuild) {
    auto before = std::signal(SIGPIPE, SIG_IGN);
    Pipe pipe;
    pipe.read.reset();
    auto display = make_display(DisplayMode::Plain, pipe.write.get());
    for (int i = 0; i < 100; ++i) display->emit(started("a" + std::to_string(i), 0));
    display->finish();
    std::signal(SIGPIPE, before);
}

TEST(Display, AutoPaintsOnATerminal) {
    ::setenv("TERM", "xterm", 1);
    int master = -1;
    int slave = -1;
    winsize size{24, 80, 0, 0};
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, &size), 0);
    base::UniqueFd controller(master);
    base::UniqueFd terminal(slave);
    auto display = make_display(DisplayMode::Auto, terminal.get());
    display->emit(started("a", 0));
    display->emit(completed("a", 0, 1));
    display->finish();
    ::setenv("TERM", "dumb", 1);
    EXPECT_THROW(make_display(DisplayMode::Tty, terminal.get()), base::Error);
    // Frames may come one by one: only where nobody can write any more is the end.
    terminal.reset();
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::read(controller.get(), buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(n));
    }
    EXPECT_NE(text.find("=> a"), std::string::npos);
    EXPECT_NE(text.find("FINISHED"), std::string::npos);
    EXPECT_NE(text.rfind("\x1b[?25h"), std::string::npos);
    EXPECT_GT(text.rfind("\x1b[?25h"), text.rfind("\x1b[?25l"));
}

}  // namespace
}  // namespace mullion::cli
