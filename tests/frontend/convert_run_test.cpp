// RUN as an exec operation (dockerfile.md §9, §11).
#include <gtest/gtest.h>

#include "frontend/convert.hpp"
#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::Case;
using test::conversion_error;
using test::described;
using test::operation_of;
using Words = std::vector<std::string>;

solver::ExecOperation exec_of(const Conversion& conversion) {
    return std::get<solver::ExecOperation>(operation_of(conversion.target));
}
solver::ExecOperation exec_of(std::string_view text) {
    return exec_of(Case().convert(text));
}

TEST(ConvertRun, ShellFormGoesToTheShellVerbatim) {
    EXPECT_EQ(exec_of("FROM base\nRUN echo \"$X\"  C:\\new & dir").arguments,
              (Words{"cmd", "/S", "/C", "echo \"$X\"  C:\\new & dir"}));
    EXPECT_EQ(exec_of("FROM base\nSHELL [\"powershell\", \"-Command\"]\nRUN Get-Date").arguments,
              (Words{"powershell", "-Command", "Get-Date"}));
    EXPECT_EQ(exec_of("FROM base\nRUN [\"a.exe\", \"b c\"]").arguments, (Words{"a.exe", "b c"}));
}

TEST(ConvertRun, SeesArgsVariablesDirectoryAndUser) {
    const auto exec = exec_of("FROM base\nARG A=1\nENV B=2\nWORKDIR C:/w\nUSER me\nRUN x");
    EXPECT_EQ(exec.environment, (Words{"A=1", "B=2"}));
    EXPECT_EQ(exec.working_directory, "w");
    EXPECT_EQ(exec.user, "me");
    EXPECT_EQ(exec.network, solver::NetworkMode::Default);
    EXPECT_EQ(exec.epoch_ticks, base::FileTime::parse_rfc3339("2024-08-10T03:04:05Z").ticks);
}

TEST(ConvertRun, HistoryNamesDeclaredArguments) {
    const auto created_by = [](std::string_view text) {
        return Case().convert(text).config.history.back().created_by;
    };
    EXPECT_EQ(created_by("FROM base\nRUN x y"), "RUN cmd /S /C x y # buildkit");
    EXPECT_EQ(created_by("FROM base\nARG A=1 B\nENV A=2\nRUN [\"x\",\"y\"]"), "RUN |2 A=2 B= x y # buildkit");
}

TEST(ConvertRun, AHeredocForCmdBecomesAScript) {
    const auto conversion = Case().convert("FROM base\nRUN <<-EOF\n\techo one\n\techo two\nEOF\n");
    const auto exec = exec_of(conversion);
    EXPECT_EQ(exec.arguments, (Words{"cmd", "/S", "/C", "{file-0}"}));
    ASSERT_EQ(exec.files.size(), 1u);
    EXPECT_EQ(exec.files[0].mark, "{file-0}");
    EXPECT_EQ(exec.files[0].data, "@echo off\r\necho one\r\necho two\r\n");
    EXPECT_EQ(exec.files[0].extension, ".cmd");
    EXPECT_EQ(conversion.config.history.back().created_by, "RUN cmd /S /C echo one\necho two\n # buildkit");
    EXPECT_EQ(conversion.target.vertex->options().name, "[2/2] RUN <<-EOF (echo one...)");
}

TEST(ConvertRun, AHeredocForPowershellBecomesAScript) {
    const auto exec = exec_of(
        "FROM base\nSHELL [\"C:\\\\x\\\\PowerShell.exe\", \"-Command\", "
        "\"$ErrorActionPreference='Stop';\"]\nRUN <<E\na\r\n\"b\"\nE\n");
    EXPECT_EQ(exec.arguments,
              (Words{"C:\\x\\PowerShell.exe", "-Command", "$ErrorActionPreference='Stop';", "& '{file-0}'"}));
    ASSERT_EQ(exec.files.size(), 1u);
    EXPECT_EQ(exec.files[0].data,
              "\xEF\xBB\xBF"
              "a\r\n\"b\"\r\n");
    EXPECT_EQ(exec.files[0].extension, ".ps1");
}

TEST(ConvertRun, OtherShellsGetTheBodyAsTheirArgument) {
    const auto exec = exec_of("FROM base\nSHELL [\"busybox\", \"sh\", \"-c\"]\nRUN <<E\na\nb\nE\n");
    EXPECT_EQ(exec.arguments, (Words{"busybox", "sh", "-c", "a\nb\n"}));
    EXPECT_TRUE(exec.files.empty());
}

TEST(ConvertRun, HeredocsWithinACommandBecomeInputForCmd) {
    const auto conversion =
        Case().convert("FROM base\nRUN sort <<A >x & python 0<<-\"B C\" -\n1\r\nA\n\t2\nB C\n");
    const auto exec = exec_of(conversion);
    EXPECT_EQ(exec.arguments.back(), "sort <{file-0} >x & python 0<{file-1} -");
    ASSERT_EQ(exec.files.size(), 2u);
    EXPECT_EQ(exec.files[0].data, "1\r\n");
    EXPECT_EQ(exec.files[1].data, "2\n");
    EXPECT_EQ(exec.files[1].mark, "{file-1}");
    ASSERT_EQ(conversion.warnings.size(), 1u);
    EXPECT_EQ(conversion.warnings[0].rule, &rules::HeredocLineEnds);
    EXPECT_EQ(conversion.config.history.back().created_by,
              "RUN cmd /S /C sort <<A >x & python 0<<-\"B C\" -\n1\r\nA\n\t2\nB C # buildkit");
}

TEST(ConvertRun, MarksOfFilesOccurNowhereElse) {
    const auto exec = exec_of("FROM base\nRUN echo {file-0} & more <<A\n1\nA\n");
    EXPECT_EQ(exec.arguments.back(), "echo {file-0} & more <{file-0-}");
    EXPECT_EQ(exec.files.at(0).mark, "{file-0-}");
}

TEST(ConvertRun, HeredocsWithinACommandGoToOtherShellsAsTheyAre) {
    const auto powershell =
        Case().convert("FROM base\nSHELL [\"pwsh\", \"-c\"]\nRUN python <<A <<-B\n1\nA\n\t2\nB\n");
    EXPECT_EQ(exec_of(powershell).arguments.back(), "python <<A <<-B\n1\nA\n\t2\nB");
    ASSERT_EQ(powershell.warnings.size(), 1u);
    EXPECT_EQ(powershell.warnings[0].rule, &rules::HeredocNotAScript);
    EXPECT_EQ(powershell.warnings[0].range.first_line, 3);
    const auto other = Case().convert("FROM base\nSHELL [\"sh\", \"-c\"]\nRUN cat <<A\n1\nA\n");
    EXPECT_EQ(exec_of(other).arguments.back(), "cat <<A\n1\nA");
    EXPECT_TRUE(other.warnings.empty());
}

TEST(ConvertRun, AScriptForCmdMayNameItsInterpreter) {
    const auto python = exec_of("FROM base\nRUN <<E\n#!/usr/bin/env python3 -u\nprint(1)\nE\n");
    EXPECT_EQ(python.arguments, (Words{"python3", "-u", "{file-0}"}));
    EXPECT_EQ(python.files.at(0).data, "#!/usr/bin/env python3 -u\nprint(1)\n");
    EXPECT_EQ(python.files.at(0).extension, ".py");
    const auto powershell = exec_of("FROM base\nRUN <<E\n#!powershell -NoProfile\r\nGet-Date\r\nE\n");
    EXPECT_EQ(powershell.arguments, (Words{"powershell", "-NoProfile", "-File", "{file-0}"}));
    EXPECT_EQ(powershell.files.at(0).extension, ".ps1");
    const auto cmd = exec_of("FROM base\nRUN <<E\n#!cmd\necho 1\nE\n");
    EXPECT_EQ(cmd.arguments, (Words{"cmd", "/S", "/C", "{file-0}"}));
    EXPECT_EQ(cmd.files.at(0).data, "@echo off\r\necho 1\r\n");
    EXPECT_EQ(described(conversion_error("FROM base\nRUN <<E\n#!  \nE\n")),
              "2: the heredoc begins with \"#!\" and names no interpreter");
    // A comment to PowerShell.
    const auto shell = exec_of("FROM base\nSHELL [\"pwsh\", \"-c\"]\nRUN <<E\n#!/bin/sh\nE\n");
    EXPECT_EQ(shell.arguments, (Words{"pwsh", "-c", "& '{file-0}'"}));
}

TEST(ConvertRun, NetworkFollowsTheStepThenTheBuild) {
    using solver::NetworkMode;
    const auto network = [](frontend::NetworkMode of_build, const char* flag) {
        Case c;
        c.options.network = of_build;
        return exec_of(c.convert("FROM base\nRUN " + std::string(flag) + " x")).network;
    };
    EXPECT_EQ(network(frontend::NetworkMode::Default, "--network=none"), NetworkMode::None);
    EXPECT_EQ(network(frontend::NetworkMode::Default, "--network=host"), NetworkMode::Host);
    EXPECT_EQ(network(frontend::NetworkMode::None, ""), NetworkMode::None);
    EXPECT_EQ(network(frontend::NetworkMode::None, "--network=default"), NetworkMode::None);
    EXPECT_EQ(network(frontend::NetworkMode::Host, ""), NetworkMode::Host);
    EXPECT_EQ(network(frontend::NetworkMode::Host, "--network=none"), NetworkMode::None);
}

TEST(ConvertRun, SecurityAndHostsReachTheStep) {
    EXPECT_FALSE(exec_of("FROM base\nRUN --security=sandbox x").insecure);
    EXPECT_TRUE(exec_of("FROM base\nRUN --security=insecure x").insecure);
    Case c;
    c.options.add_hosts = {{"db", "10.0.0.1"}};
    const auto exec = exec_of(c.convert("FROM base\nRUN x"));
    ASSERT_EQ(exec.extra_hosts.size(), 1u);
    EXPECT_EQ(exec.extra_hosts[0].name, "db");
    EXPECT_EQ(exec.extra_hosts[0].address, "10.0.0.1");
}

TEST(ConvertRun, DevicesAreRefused) {
    EXPECT_EQ(described(conversion_error("FROM base\nRUN --device=v/c y")),
              "2: RUN --device is not supported: a container has no devices of its host");
}

TEST(ConvertRun, ProxiesStayOutsideTheEnvironment) {
    Case c;
    c.options.build_args = {{"http_proxy", "http://p"}, {"No_Proxy", "x"}};
    const auto conversion = c.convert("FROM base\nRUN x");
    const auto exec = exec_of(conversion);
    EXPECT_TRUE(exec.environment.empty());
    EXPECT_EQ(exec.proxy_environment, (std::vector<std::pair<std::string, std::string>>{
                                          {"HTTP_PROXY", "http://p"}, {"NO_PROXY", "x"}}));
    EXPECT_EQ(conversion.config.history.back().created_by, "RUN cmd /S /C x # buildkit");
}

TEST(ConvertRun, ScriptsOfCmdAreAscii) {
    const auto error =
        test::error_of([] { Case().convert("FROM base\nRUN <<E\necho 1\n  mkdir C:\\\xC3\xA9\nE\n"); });
    EXPECT_EQ(error.code(), base::ErrorCode::Unsupported);
    EXPECT_EQ(error.subject(), "mkdir C:\\\xC3\xA9");
    Case().convert("FROM base\nRUN mkdir C:\\\\\xC3\xA9\n");
    Case().convert("FROM base\nSHELL [\"powershell\"]\nRUN <<E\nmkdir C:\\\xC3\xA9\nE\n");
}

}  // namespace
}  // namespace mullion::frontend
