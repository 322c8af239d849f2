// The emulation's command interpreter (hcs/guest/cmd). What is expected here is what Windows 10 and Server
// 2022 are documented to do.
#include <gmock/gmock.h>

#include "tests/hcs/emulated_backend.hpp"

namespace mullion::test {
namespace {

using testing::HasSubstr;

class CmdTest : public HcsConformance {
  protected:
    void SetUp() override {
        HcsConformance::SetUp();
        if (IsSkipped()) return;
        write("w/a.txt", "one\r\ntwo\r\nthree\r\n");
        write("w/b.txt", "bee\r\n");
        write("w/fields.txt", "; not this\r\nk1=v1,x\r\nk2=v2,y\r\n\r\nk3=v3\r\n");
        write("w/dir/c.txt", "c");
        write("w/dir/sub/d.txt", "d");
        write("w/ret.cmd", "@exit /b %1\r\n");
        write("w/my tool.cmd", "@echo tool %*\r\n");
    }

    struct Output {
        std::string out, err;
        std::uint32_t code = 0;
    };

    Output in(hcs::ComputeSystem& system, const std::string& line, base::Source* input = nullptr) {
        hcs::ProcessParameters parameters = command(line);
        parameters.WorkingDirectory = "C:\\w";
        parameters.CreateStdInPipe = input != nullptr;
        base::StringSink out, err;
        auto process = system.create_process(parameters, {input, &out, &err}, {});
        std::uint32_t code = process->wait(std::nullopt, {}).ExitCode;
        process.reset();
        return {out.take(), err.take(), code};
    }
};
INSTANTIATE_TEST_SUITE_P(Emulated, CmdTest, testing::Values(emulated_backend()),
                         [](const auto& parameter) { return parameter.param.name; });

constexpr const char* kNotFound =
    "'nosuch' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n";

// Each line is a process of its own.
TEST_P(CmdTest, CommandLines) {
    struct Case {
        const char* line;
        std::uint32_t code;
        std::string out;
        std::string err = "";
    };
    const Case cases[] = {
        // What stands behind an operator depends on the code of the command in front of it.
        {"cmd /S /C \"nosuch && echo yes\"", 1, "", kNotFound},
        {"cmd /S /C \"nosuch || echo no\"", 0, "no\r\n", kNotFound},
        {"cmd /S /C \"ret 300 && echo yes\"", 300, ""},
        {"cmd /S /C \"cmd /c exit 5 || echo no\"", 0, "no\r\n"},
        {"cmd /S /C \"echo a&& echo b|| echo c\"", 0, "a\r\nb\r\n"},
        {"cmd /S /C \"rd missing && echo yes\"", 2, "", "The system cannot find the file specified.\r\n"},
        {"cmd /S /C \"ren missing x || echo no\"", 0, "no\r\n",
         "The system cannot find the file specified.\r\n"},
        {"cmd /S /C \"move missing x\"", 1, "", "The system cannot find the file specified.\r\n"},
        {"cmd /S /C \"echo x>missing\\file\"", 1, "", "The system cannot find the path specified.\r\n"},
        {"cmd /S /C \"type missing\"", 1, "", "The system cannot find the file specified.\r\n"},
        {"cmd /S /C \"cd missing\"", 1, "", "The system cannot find the path specified.\r\n"},
        {"cmd /S /C \"md dir\"", 1, "", "A subdirectory or file dir already exists.\r\n"},
        {"cmd /S /C \"rd dir\"", 145, "", "The directory is not empty.\r\n"},
        {"cmd /S /C \"dir /b *.nothing\"", 1, "", "File Not Found\r\n"},
        {"cmd /S /C \"del missing\"", 0, "", "Could Not Find C:\\w\\missing\r\n"},
        {"cmd /S /C \"mklink l a.txt\"", 1, "",
         "mklink: only hard links (/H) can be made here, no symbolic links and junctions.\r\n"},
        // All 32 bits.
        {"cmd /S /C \"exit 3221225477\"", 3221225477u, ""},
        {"cmd /S /C \"exit -1\"", 4294967295u, ""},
        {"cmd /S /C \"ret.cmd 70000\"", 70000, ""},
        {"cmd /S /C \"call ret 9 & exit\"", 9, ""},
        // Pipes.
        {"cmd /S /C \"echo a|find \"a\"\"", 0, "a\r\n"},
        {"cmd /S /C \"type a.txt|find \"t\"|find \"w\"\"", 0, "two\r\n"},
        {"cmd /S /C \"echo a|find \"b\"\"", 1, ""},
        {"cmd /S /C \"(echo a& echo b)>f& type f\"", 0, "a\r\nb\r\n"},
        {"cmd /S /C \"nosuch|more& echo never\"", 255, "", kNotFound},
        // Errors of the line itself.
        {"cmd /S /C \"echo a && && echo b\"", 255, "", "&& was unexpected at this time.\r\n"},
        {"cmd /S /C \"if\"", 255, "", "The syntax of the command is incorrect.\r\n"},
        {"cmd /S /C \"(echo a\"", 255, "", "The syntax of the command is incorrect.\r\n"},
        // Quotes and switches of the interpreter.
        {"cmd /c \"my tool.cmd\" 1 2", 0, "tool 1 2\r\n"},
        {"cmd /c \"\"my tool.cmd\" \"x y\"\"", 0, "tool \"x y\"\r\n"},
        {"cmd /c echo \"Line\"", 0, "\"Line\"\r\n"},
        {"cmd /cecho joined", 0, "joined\r\n"},
        {"CMD /v:on/q/d/s/C\"set x=1& echo !x! %x%\"", 0, "1 %x%\r\n"},
        {"cmd /s /c \"set x=1& echo !x! %x%\"", 0, "!x! %x%\r\n"},
        {"cmd /U /C echo a", 0, std::string("a\0\r\0\n\0", 6)},
        // What is not defined stays on the command line.
        {"cmd /S /C \"echo %nothing% 100% %1 %%\"", 0, "%nothing% 100% %1 %%\r\n"},
        {"cmd /S /C \"echo x & echo y\"", 0, "x \r\ny\r\n"},
        {"cmd /S /C \"for %i in (1 2) do @echo %i\"", 0, "1\r\n2\r\n"},
        {"cmd /S /C \"set /a 7*(2+1), 0x10+010\"", 0, "24"},
        {"cmd /S /C \"set /a 1/0\"", 1073750993, "", "Divide by zero error.\r\n"},
        {"cmd /S /C \"start /wait /b cmd /c exit 7\"", 7, ""},
        {"cmd /S /C \"start /wait cmd /c exit 7\"", 7, ""},
        {"cmd /S /C \"start /frob x\"", 1, "", "Invalid switch - \"/frob\".\r\n"},
    };
    auto system = start_system();
    for (const Case& each : cases) {
        Output output = in(*system, each.line);
        EXPECT_EQ(output.out, each.out) << each.line;
        EXPECT_EQ(output.err, each.err) << each.line;
        EXPECT_EQ(output.code, each.code) << each.line;
    }
}

}  // namespace
}  // namespace mullion::test
