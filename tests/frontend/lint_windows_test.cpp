// Our own rules. Each is broken and kept.
#include <gmock/gmock.h>

#include "frontend/lint_file.hpp"
#include "lint_support.hpp"

namespace mullion::frontend {
namespace {

using test::lint;
using test::LintCase;
using test::own_warnings;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// With "# escape=`", as Dockerfiles for Windows are written.
std::vector<std::string> own(const std::string& text) {
    return own_warnings("# escape=`\n" + text);
}

TEST(LintWindows, OffWhereOnlyTheReferenceIsAskedFor) {
    EXPECT_THAT(lint("FROM base\nADD a.msi C:/\nENV PATH=C:/x\n"), IsEmpty());
}

TEST(LintWindows, SkippedLikeOthers) {
    EXPECT_THAT(own_warnings("# check=skip=AddDoesNotInstall\nFROM base\nADD a.msi C:/\n"), IsEmpty());
    EXPECT_THAT(own_warnings("FROM base\n# check=skip=AddDoesNotInstall\nADD a.msi C:/\nADD b.msi C:/\n"),
                ElementsAre(StartsWith("4 AddDoesNotInstall")));
}

TEST(LintWindows, NothingOfItOnLinux) {
    LintCase c("linux/amd64");
    c.windows_rules = true;
    EXPECT_THAT(c.warnings("FROM base\nADD a.msi /Windows/x\nENV PATH=/x\nENV Path=/y\nWORKDIR C:\\x\\\n"),
                ElementsAre(StartsWith("5 WorkdirRelativePath")));
}

TEST(LintWindows, BackslashContinuesLine) {
    EXPECT_THAT(
        own_warnings("FROM base\nWORKDIR C:\\app\\\nCOPY . .\n"),
        ElementsAre("2 BackslashContinuesLine: The backslash at the end of line 2 continues the instruction "
                    "with line 3: put \"# escape=`\" at the top of the file or end the path with a slash"));
    EXPECT_THAT(own_warnings("FROM base\nCOPY a C:\\\nRUN b\n"),
                ElementsAre(StartsWith("2 BackslashContinuesLine")));
    EXPECT_THAT(own_warnings("FROM base\nRUN echo \\\n  dir C:\\x\\  \n  && b\n"),
                ElementsAre(StartsWith("3 BackslashContinuesLine")));
}

TEST(LintWindows, OrdinaryContinuationIsFine) {
    EXPECT_THAT(own_warnings("FROM base\nRUN a && \\\n  b\\\n  c\n"), IsEmpty());
    EXPECT_THAT(own_warnings("FROM base\nRUN C:\\x\\setup.exe\\\n  /quiet\n"), IsEmpty());
    EXPECT_THAT(own("FROM base\nWORKDIR C:\\app\\\nCOPY . .\n"), IsEmpty());
    // The text of a heredoc is nobody's continuation.
    EXPECT_THAT(own_warnings("FROM base\nCOPY <<E C:/x\nC:\\a\\\nb\nE\n"), IsEmpty());
}

TEST(LintWindows, ASyntaxErrorBelowASwallowedLineSaysSo) {
    LintCase c;
    const auto result = c.check("FROM base\nENV A=C:\\x\\\nRUN b\n");
    ASSERT_TRUE(result.error);
    EXPECT_THAT(result.error->what(), HasSubstr("can't find = in"));
    EXPECT_THAT(result.error->hint(), HasSubstr("line 2"));
}

TEST(LintWindows, PathWiped) {
    EXPECT_THAT(own("FROM base\nENV PATH=C:\\tools\n"),
                ElementsAre(HasSubstr("no longer names C:\\Windows\\System32")));
    EXPECT_THAT(own("FROM base\nENV PATH=%PATH%;C:\\tools\n"),
                ElementsAre(StartsWith("3 PathWiped: %PATH% is no")));
    EXPECT_THAT(
        own("FROM scratch\nENV Path=\"${PATH};C:\\tools\"\n"),
        ElementsAre(StartsWith("3 PathWiped: Neither the base image's configuration nor its registry")));
    EXPECT_THAT(own("FROM base\nENV PATH=C:\\tools;${PATHEXT}\n"),
                ElementsAre(HasSubstr("no longer names C:\\Windows\\System32")));
    EXPECT_THAT(own("FROM base\nENV PATH=C:\\Windows\\System32;C:\\tools\nENV PATH=${PATH};C:\\more\n"),
                IsEmpty());
}

TEST(LintWindows, APathOfTheBaseImageIsKept) {
    test::Case c;
    c.resolver.images["docker.io/library/base:latest"].config.env = {"Path=C:\\Windows\\System32"};
    EXPECT_THAT(c.convert("# escape=`\nFROM base\nENV Path=$PATH;C:\\x\n").warnings, IsEmpty());
}

TEST(LintWindows, ThePathOfTheRegistryIsKept) {
    const char* dockerfile = "# escape=`\nFROM base\nENV PATH=${PATH};C:\\x\nENV PATH=C:\\y;$Path\n";
    LintCase c;
    c.windows_rules = true;
    EXPECT_THAT(c.warnings(dockerfile), IsEmpty());
    // By the reference's rules alone it is as the reference sees it.
    c.windows_rules = false;
    EXPECT_THAT(c.warnings(dockerfile), ElementsAre("3 UndefinedVar: Usage of undefined variable '$PATH'"));
    test::Case built;
    built.resolver.path = "C:\\Windows\\system32";
    EXPECT_THAT(built.convert(dockerfile).warnings, IsEmpty());
    built.resolver.path = "";
    std::vector<std::string_view> rules;
    for (const auto& warning : built.convert(dockerfile).warnings)
        if (warning.rule != nullptr) rules.push_back(warning.rule->name);
    EXPECT_THAT(rules, ElementsAre("UndefinedVar", "PathWiped"));
}

TEST(LintWindows, AddDoesNotInstall) {
    EXPECT_THAT(own("FROM base\nADD setup.MSI C:\\\nCOPY c.msi C:\\\nADD d.zip C:\\\n"),
                ElementsAre(HasSubstr("AddDoesNotInstall: ADD only copies \"setup.MSI\"")));
    EXPECT_THAT(own("FROM base\nADD https://x.example/a/b.msi?v=1 C:\\\n"),
                testing::Contains(HasSubstr("ADD only copies \"https://x.example/a/b.msi?v=1\"")));
}

TEST(LintWindows, AdminOnlyDestination) {
    EXPECT_THAT(own("FROM base\nUSER ContainerUser\nCOPY a \"C:\\Program Files\\x\"\n"), IsEmpty());
    EXPECT_THAT(
        own("FROM base\nUSER ContainerUser\nCOPY [\"a\", \"C:/Program Files/x/\"]\n"),
        ElementsAre("4 AdminOnlyDestination: Only administrators may change \"C:\\Program Files\\x\", but "
                    "USER is \"ContainerUser\": copy elsewhere, or give the files away with --chown"));
    EXPECT_THAT(own("FROM base\nUSER ContainerAdministrator\nCOPY a C:\\Windows\\x\\\n"), IsEmpty());
    EXPECT_THAT(own("FROM base\nCOPY a C:\\Windows\\x\\\n"), IsEmpty());
    EXPECT_THAT(own("FROM base\nUSER ContainerUser\nCOPY --chown=ContainerUser a C:\\Windows\\x\\\nCOPY a "
                    "C:\\Windowsx\\\n"),
                IsEmpty());
}

TEST(LintWindows, AccountsMadeAdministratorsAreAdministrators) {
    EXPECT_THAT(own("FROM base\nRUN net localgroup Administrators builder /add\nUSER builder\nCOPY a "
                    "C:\\Windows\\x\\\n"),
                IsEmpty());
    EXPECT_THAT(own("FROM base\nUSER builder\nCOPY a C:\\Windows\\x\\\n"),
                ElementsAre(HasSubstr("AdminOnlyDestination")));
}

TEST(LintWindows, RunThatWritesWhereOnlyAdministratorsMay) {
    EXPECT_THAT(
        own("FROM base\nUSER ContainerUser\nRUN echo a>C:\\Windows\\b && mkdir \"C:\\Program Files\\x\"\n"),
        ElementsAre(HasSubstr("\"c:\\windows\\b\""), HasSubstr("\"c:\\program files\\x\"")));
    EXPECT_THAT(own("FROM base\nUSER ContainerUser\nRUN mkdir C:\\data && type C:\\Windows\\win.ini\n"),
                IsEmpty());
}

TEST(LintWindows, HeredocLineEnds) {
    EXPECT_THAT(
        own_warnings("FROM base\nCOPY <<E C:/x\na\r\nb\r\nE\n"),
        ElementsAre("2 HeredocLineEnds: Heredoc E has CRLF line ends, which become part of the image: a "
                    "checkout with other settings builds another one"));
    EXPECT_THAT(own_warnings("FROM base\nCOPY <<E C:/x\na\r\nb\nE\n"),
                ElementsAre(HasSubstr("has mixed line ends")));
    EXPECT_THAT(own_warnings("FROM base\r\nCOPY <<E C:/x\na\nb\nE\n"), IsEmpty());
}

TEST(LintWindows, ScriptsOfCmdAndPowershellHaveTheirOwnLineEnds) {
    EXPECT_THAT(own_warnings("FROM base\nRUN <<E\r\necho a\r\nE\r\n"), IsEmpty());
    EXPECT_THAT(own_warnings("FROM base\nSHELL [\"busybox\", \"sh\", \"-c\"]\nRUN <<E\r\necho a\r\nE\r\n"),
                ElementsAre(HasSubstr("HeredocLineEnds")));
}

TEST(LintWindows, VariablesThatClashByCase) {
    EXPECT_THAT(
        own("FROM base\nENV Home=a\nARG HOME\nENV Home=b\n"),
        ElementsAre(
            "4 NamesClashByCase: \"HOME\" and \"Home\" are one variable on Windows, but two for other "
            "builders"));
}

TEST(LintWindows, DestinationsThatClashByCase) {
    EXPECT_THAT(
        own("FROM base\nCOPY a C:\\App\\x\\\nCOPY b C:\\app\\y\\\nWORKDIR C:\\App\\x\n"),
        ElementsAre("4 NamesClashByCase: \"C:\\app\" is spelled \"App\" in line 3: other builders make a "
                    "second directory or file of it"));
    EXPECT_THAT(own("FROM base\nCOPY a C:\\windows\\x\\\n"),
                ElementsAre(HasSubstr("\"Windows\" in base images")));
    EXPECT_THAT(own("FROM base\nCOPY a A D:\\..\\x\\\n"), IsEmpty());
    EXPECT_THAT(own("FROM base\nCOPY readme.txt README.txt C:\\x\\\n"),
                ElementsAre(HasSubstr("\"readme.txt\" and \"README.txt\" become the same file")));
    EXPECT_THAT(own("FROM base\nADD https://x.example/a%20b?v=1 https://x.example/A%20b C:\\x\\\n"),
                ElementsAre(HasSubstr("\"a b\" and \"A b\" become the same file")));
    EXPECT_THAT(own("FROM base\nADD https://x.example/a.git https://y.example/A.git C:\\x\\\n"), IsEmpty());
}

TEST(LintWindows, PathTooLong) {
    const std::string element(100, 'x');
    const auto directory = "C:\\" + element + "\\" + element;  // 204 characters
    EXPECT_THAT(own("FROM base\nWORKDIR " + directory + "\\" + std::string(42, 'y') + "\n"),
                IsEmpty());  // 247
    EXPECT_THAT(own("FROM base\nWORKDIR " + directory + "\\" + std::string(43, 'y') + "\n"),
                ElementsAre(AllOf(StartsWith("3 PathTooLong"), HasSubstr("248 characters"),
                                  HasSubstr("at most 247"))));
    EXPECT_THAT(own("FROM base\nCOPY a " + directory + "\\" + std::string(54, 'y') + "\n"),
                IsEmpty());  // 259
    EXPECT_THAT(own("FROM base\nCOPY a " + directory + "\\" + std::string(55, 'y') + "\n"),
                ElementsAre(HasSubstr("at most 259")));
    EXPECT_THAT(own("FROM base\nCOPY some/" + std::string(60, 'y') + " " + directory + "\\\n"),
                ElementsAre(HasSubstr("265 characters")));
}

TEST(LintWindows, LengthsAreThoseOfUtf16) {
    std::string name;
    for (int i = 0; i < 125; ++i) name += "\U0001F600";  // two units each
    EXPECT_THAT(own("FROM base\nWORKDIR C:\\" + name + "\n"), ElementsAre(HasSubstr("253 characters")));
}

TEST(LintWindows, InstallerNotAwaitedByStartProcess) {
    const std::string powershell = "FROM base\nSHELL [\"powershell\", \"-Command\"]\n";
    EXPECT_THAT(
        own(powershell + "RUN Start-Process vs_buildtools.exe -ArgumentList '--quiet', '--norestart'\n"),
        ElementsAre("4 InstallerNotAwaited: RUN does not wait for \"vs_buildtools.exe\": give Start-Process "
                    "the option -Wait"));
    EXPECT_THAT(
        own(powershell + "RUN Start-Process -Wait -FilePath vs_buildtools.exe -ArgumentList '--quiet'\n"),
        IsEmpty());
    EXPECT_THAT(
        own(powershell + "RUN Start-Process app.exe -ArgumentList '/S','/D=C:\\x'; Remove-Item app.exe\n"),
        ElementsAre(HasSubstr("\"app.exe\"")));
    EXPECT_THAT(own(powershell + "RUN $p = Start-Process a-setup.exe -PassThru; $p.WaitForExit()\n"),
                IsEmpty());
    EXPECT_THAT(own(powershell + "RUN Start-Process notepad.exe\n"), IsEmpty());
    EXPECT_THAT(own("FROM base\nRUN powershell -Command \"Start-Process msiexec -ArgumentList "
                    "'/i','a.msi','/qn'\"\n"),
                ElementsAre(HasSubstr("\"msiexec\"")));
}

TEST(LintWindows, InstallerNotAwaitedByPowershellItself) {
    const std::string powershell =
        "FROM base\nSHELL [\"pwsh\", \"-Command\", \"$ErrorActionPreference = 'Stop';\"]\n";
    EXPECT_THAT(own(powershell + "RUN msiexec /i a.msi /qn\n"),
                ElementsAre(HasSubstr("PowerShell does not wait for programs with windows")));
    EXPECT_THAT(own(powershell + "RUN & .\\setup.exe /quiet | Out-Null\n"), IsEmpty());
    EXPECT_THAT(own(powershell + "RUN choco install git\n"), IsEmpty());
    EXPECT_THAT(own(powershell + "RUN <<E\ncd x\n./Setup.exe /quiet\nE\n"),
                ElementsAre(HasSubstr("\"./setup.exe\"")));
}

TEST(LintWindows, InstallerNotAwaitedByCmd) {
    EXPECT_THAT(own("FROM base\nRUN start vc_redist.x64.exe /quiet && del vc_redist.x64.exe\n"),
                ElementsAre(HasSubstr("\"vc_redist.x64.exe\": use start /wait")));
    EXPECT_THAT(own("FROM base\nRUN start /wait vc_redist.x64.exe /quiet\nRUN msiexec /i a.msi /qn\n"),
                IsEmpty());
    EXPECT_THAT(own("FROM base\nRUN echo Start-Process setup.exe\n"), IsEmpty());
}

TEST(LintWindows, OptionsOnContinuedPowershellLinesCount) {
    EXPECT_THAT(own("FROM base\nSHELL [\"powershell\"]\nRUN <<E\nStart-Process setup.exe `\n  -Wait\nE\n"),
                IsEmpty());
}

TEST(LintWindows, HeredocNotAScript) {
    const std::string run = "RUN python <<E\na\nE\n";
    EXPECT_THAT(own_warnings("FROM base\nSHELL [\"powershell\", \"-Command\"]\n" + run),
                ElementsAre(StartsWith("3 HeredocNotAScript")));
    EXPECT_THAT(own_warnings("FROM base\n" + run), IsEmpty());
}

TEST(LintWindows, UnsupportedFeaturesAreWarningsOfAMereCheck) {
    EXPECT_THAT(own_warnings("FROM base\nRUN --security=insecure a\nENV x=$y\n"),
                ElementsAre(StartsWith("2 UnsupportedFeature: RUN --security=insecure is not supported")));
    EXPECT_THAT(own_warnings("FROM base\n# mullion: isolation=hyperv\nRUN a\n"),
                ElementsAre(StartsWith("3 UnsupportedFeature: isolation=hyperv is not supported")));
    LintCase windows;
    windows.options.windows_host = windows.windows_rules = true;
    EXPECT_THAT(windows.warnings("FROM base\n# mullion: isolation=hyperv\nRUN a\n"), IsEmpty());
    EXPECT_THAT(own_warnings("FROM base\nRUN --mount=type=secret,id=t,mode=0000 a\n"),
                ElementsAre(StartsWith("2 UnsupportedFeature: secret mount: mode=0000 cannot be honoured")));
    EXPECT_THAT(own_warnings("FROM base\nRUN --mount=type=ssh,required a\n"), IsEmpty());
    EXPECT_THAT(own_warnings("FROM base\nRUN --device=x a\n"),
                ElementsAre(StartsWith("2 UnsupportedFeature: RUN --device is not supported")));
    EXPECT_THAT(test::conversion_error("FROM base\nRUN --device=x a\n").code(), base::ErrorCode::Unsupported);
}

}  // namespace
}  // namespace mullion::frontend
