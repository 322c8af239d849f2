// Named pipes of the emulation: a socket of the host behind a pipe of the container.
#include "hcs/emulated_pipe.hpp"

#include <gmock/gmock.h>

#include <future>

#include "tests/hcs/emulated_backend.hpp"
#include "tests/support/unix_server.hpp"

namespace mullion::test {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

class PipeTest : public HcsConformance {
  protected:
    std::string socket_path() const { return (directory_->path() / "agent").string(); }

    // A container whose pipe \\.\pipe\agent leads to the socket.
    CommandResult ask(std::string_view arguments) {
        return run_with_pipe("C:\\ask.exe " + std::string(arguments));
    }
    CommandResult run_with_pipe(std::string_view line) {
        write("ask.exe", base::read_file(fs::path(MULLION_TEST_PROGRAMS) / "ask.exe", 1 << 20));
        hcs::ComputeSystemDocument with_pipe = document();
        with_pipe.Container.MappedPipes = {{socket_path(), "agent"}};
        auto system = backend_.compute->create("asks", with_pipe, {});
        system->start({});
        base::StringSink out, err;
        auto process = system->create_process(command(line), {nullptr, &out, &err}, {});
        std::uint32_t code = process->wait(std::nullopt, {}).ExitCode;
        process.reset();
        system->shut_down({});
        return {code, out.take(), err.take(), {}};
    }
};
INSTANTIATE_TEST_SUITE_P(Emulated, PipeTest, testing::Values(emulated_backend()),
                         [](const auto& parameter) { return parameter.param.name; });

TEST_P(PipeTest, EachOpeningIsAConnectionToTheSocket) {
    UnixServer server(socket_path(), [](const std::string& line) { return "answer to " + line + "\n"; });
    CommandResult result = ask("\\\\.\\pipe\\agent one two three");
    EXPECT_EQ(result.exit_code, 0u);
    EXPECT_THAT(lines(result.out), ElementsAre("answer to one", "answer to two", "answer to three"));
    EXPECT_EQ(server.connections(), 3);
}

TEST_P(PipeTest, ConnectionsAreOpenAtTheSameTime) {
    std::promise<void> second;
    auto seen = second.get_future().share();
    UnixServer server(socket_path(), [&](const std::string& line) {
        if (line == "second") second.set_value();
        return seen.wait_for(std::chrono::seconds(60)) == std::future_status::ready ? line + "\n" : "";
    });
    CommandResult result = run_with_pipe(
        "cmd /S /C \"start /b C:\\ask.exe \\\\.\\pipe\\agent first & "
        "C:\\ask.exe \\\\.\\pipe\\agent second\"");
    EXPECT_THAT(lines(result.out), UnorderedElementsAre("first", "second"));
}

TEST_P(PipeTest, LongAnswersArriveWhole) {
    std::string answer(60000, 'x');
    UnixServer server(socket_path(), [&](const std::string&) { return answer + "\n"; });
    EXPECT_THAT(lines(ask("\\\\.\\pipe\\agent request").out), ElementsAre(answer));
}

TEST_P(PipeTest, AServerThatClosesIsSeenByTheProgram) {
    UnixServer server(socket_path(), [](const std::string&) { return ""; });
    EXPECT_EQ(ask("\\\\.\\pipe\\agent request").exit_code, 4u);
}

TEST_P(PipeTest, NobodyBehindTheSocketClosesTheConnection) {
    EXPECT_EQ(ask("\\\\.\\pipe\\agent request").exit_code, 4u);
}

TEST_P(PipeTest, OtherPipesAreNotThere) {
    UnixServer server(socket_path(), [](const std::string& line) { return line + "\n"; });
    EXPECT_EQ(ask("\\\\.\\pipe\\other request").exit_code, 3u);
    EXPECT_EQ(server.connections(), 0);
}

}  // namespace
}  // namespace mullion::test
