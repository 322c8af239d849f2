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
    EXPECT_TRUE(exec.network);
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
    EXPECT_EQ(exec.arguments, (Words{"cmd", "/S", "/C", "{script}"}));
    EXPECT_EQ(exec.script, "@echo off\r\necho one\r\necho two\r\n");
    EXPECT_EQ(exec.script_extension, ".cmd");
    EXPECT_EQ(conversion.config.history.back().created_by, "RUN cmd /S /C echo one\necho two\n # buildkit");
    EXPECT_EQ(conversion.target.vertex->options().name, "[2/2] RUN <<-EOF (echo one...)");
}

TEST(ConvertRun, AHeredocForPowershellBecomesAScript) {
    const auto exec = exec_of(
        "FROM base\nSHELL [\"C:\\\\x\\\\PowerShell.exe\", \"-Command\", "
        "\"$ErrorActionPreference='Stop';\"]\nRUN <<E\na\r\n\"b\"\nE\n");
    EXPECT_EQ(exec.arguments,
              (Words{"C:\\x\\PowerShell.exe", "-Command", "$ErrorActionPreference='Stop';", "& '{script}'"}));
    EXPECT_EQ(exec.script,
              "\xEF\xBB\xBF"
              "a\r\n\"b\"\r\n");
    EXPECT_EQ(exec.script_extension, ".ps1");
}

TEST(ConvertRun, OtherShellsGetTheBodyAsTheirArgument) {
    const auto exec = exec_of("FROM base\nSHELL [\"busybox\", \"sh\", \"-c\"]\nRUN <<E\na\nb\nE\n");
    EXPECT_EQ(exec.arguments, (Words{"busybox", "sh", "-c", "a\nb\n"}));
    EXPECT_FALSE(exec.script);
}

TEST(ConvertRun, HeredocsWithinACommandGoToTheShell) {
    const auto conversion = Case().convert("FROM base\nRUN python <<A <<-B\n1\nA\n\t2\nB\n");
    EXPECT_EQ(exec_of(conversion).arguments.back(), "python <<A <<-B\n1\nA\n\t2\nB");
    ASSERT_EQ(conversion.warnings.size(), 1u);
    EXPECT_EQ(conversion.warnings[0].range.first_line, 2);
}

TEST(ConvertRun, NetworkCanBeSwitchedOff) {
    EXPECT_FALSE(exec_of("FROM base\nRUN --network=none x").network);
    Case c;
    c.options.network = NetworkMode::None;
    EXPECT_FALSE(exec_of(c.convert("FROM base\nRUN x")).network);
    EXPECT_FALSE(exec_of(c.convert("FROM base\nRUN --network=default x")).network);
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

TEST(ConvertRun, BindMountsReadStagesAndTheContext) {
    const auto conversion = Case().convert(
        "FROM base AS tools\nCOPY t /t\nFROM base\nARG S=src\nWORKDIR /w\n"
        "RUN --mount=from=tools,source=/t,target=C:/tools --mount=source=$S,target=in,rw x");
    const auto exec = exec_of(conversion);
    ASSERT_EQ(exec.mounts.size(), 2u);
    EXPECT_EQ(exec.mounts[0].input, 1u);
    EXPECT_EQ(exec.mounts[0].source, "t");
    EXPECT_EQ(exec.mounts[0].target, "tools");
    EXPECT_FALSE(exec.mounts[0].writable);
    EXPECT_EQ(exec.mounts[1].input, 2u);
    EXPECT_EQ(exec.mounts[1].source, "src");
    EXPECT_EQ(exec.mounts[1].target, "w/in");
    EXPECT_TRUE(exec.mounts[1].writable);
    EXPECT_EQ(conversion.target.vertex->inputs().size(), 3u);
}

TEST(ConvertRun, MountErrors) {
    EXPECT_EQ(described(conversion_error("FROM base\nRUN --mount=target=C:/ x")),
              "2: invalid mount target \"/\"");
    EXPECT_EQ(
        described(conversion_error("FROM base AS a\nRUN --mount=from=b,target=x y\nFROM base AS b\nFROM a")),
        "2: cannot mount from stage \"b\" to \"x\", stage needs to be defined before current command");
}

TEST(ConvertRun, WhatIsNotBuiltIsRefusedByName) {
    for (const auto* type : {"cache", "tmpfs", "secret", "ssh"}) {
        const auto error =
            conversion_error("FROM base\n\nRUN --mount=type=" + std::string(type) + ",id=x,target=/x y");
        EXPECT_EQ(error.code(), base::ErrorCode::Unsupported);
        EXPECT_EQ(described(error), "3: RUN --mount=type=" + std::string(type) + " is not supported");
    }
    for (const auto* flag : {"--network=host", "--security=insecure"})
        EXPECT_EQ(described(conversion_error("FROM base\nRUN " + std::string(flag) + " y")),
                  "2: RUN " + std::string(flag) + " is not supported");
    EXPECT_EQ(described(conversion_error("FROM base\nRUN --device=v/c y")),
              "2: RUN --device is not supported");
}

}  // namespace
}  // namespace mullion::frontend
