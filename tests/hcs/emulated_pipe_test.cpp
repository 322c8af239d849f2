// Named pipes of the emulation: a socket of the host behind a pipe of the container.
#include "hcs/emulated_pipe.hpp"

#include <gmock/gmock.h>

#include "tests/hcs/emulated_backend.hpp"
#include "tests/support/unix_server.hpp"

namespace mullion::test {
namespace {

using testing::ElementsAre;
namespace fs = std::filesystem;

class PipeTest : public HcsConformance {
  protected:
    std::string socket_path() const { return (directory_->path() / "agent").string(); }

    // A container whose pipe \\.\pipe\agent leads to the socket.
    CommandResult ask(std::string_view arguments) {
        write("ask.exe", base::read_file(fs::path(MULLION_TEST_PROGRAMS) / "ask.exe", 1 << 20));
        hcs::ComputeSystemDocument with_pipe = document();
        with_pipe.Container.MappedPipes = {{socket_path(), "agent"}};
        auto system = backend_.compute->create("asks", with_pipe, {});
        system->start({});
        base::StringSink out, err;
        auto process = system->create_process(command("C:\\ask.exe " + std::string(arguments)),
                                              {nullptr, &out, &err}, {});
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
