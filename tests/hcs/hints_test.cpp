#include <gmock/gmock.h>

#include "hcs/compute_system.hpp"
#include "hcs/stub_tools.hpp"

namespace mullion::hcs {
namespace {

using testing::HasSubstr;

TEST(HintForCommand, NamesTheStubThatWasRemoved) {
    auto hint = hint_for_command(
        "cmd /S /C dir | findstr x", 9009,
        "Can't recognize 'findstr x' as an internal or external command, or batch script.\r\n");
    ASSERT_TRUE(hint);
    EXPECT_THAT(*hint, HasSubstr("findstr"));
}

TEST(HintForCommand, LooksAtTheCommandWhenTheOutputSaysNothing) {
    auto hint = hint_for_command("PowerShell.exe -Command x", 9009, "");
    ASSERT_TRUE(hint);
    EXPECT_THAT(*hint, HasSubstr("powershell"));
}

TEST(HintForCommand, KnowsToolsWineNeverHad) {
    auto hint = hint_for_command("cmd /S /C curl -O x", 9009, "");
    ASSERT_TRUE(hint);
    EXPECT_THAT(*hint, HasSubstr("curl"));
}

TEST(HintForCommand, SaysNothingAboutOtherFailures) {
    EXPECT_FALSE(hint_for_command("cmd /C exit 3", 3, ""));
    EXPECT_FALSE(hint_for_command("cmd /C my-powershell-like-tool", 9009, "Can't recognize 'my-tool' as"));
    EXPECT_FALSE(hint_for_command("cmd /C echo findstr", 1, ""));
}

TEST(PretendingCommand, RefusesLinksThatWouldNotBeMade) {
    EXPECT_TRUE(pretending_command("cmd /S /C \"mklink a b\""));
    EXPECT_TRUE(pretending_command("cmd /S /C mklink /J a b"));
    EXPECT_TRUE(pretending_command("cmd /S /C MKLINK /D a b"));
    EXPECT_FALSE(pretending_command("cmd /S /C mklink /H a b"));
    EXPECT_TRUE(pretending_command("cmd /S /C \"md x& mklink a b\""));
    EXPECT_TRUE(pretending_command("cmd /S /C \"(if not exist a mklink a b)\""));
    EXPECT_TRUE(pretending_command("C:\\Windows\\System32\\cmd.exe /C for %i in (a b) do @mklink %i x"));
    EXPECT_TRUE(pretending_command("cmd /C cmd /S /C call mklink a b"));
    EXPECT_FALSE(pretending_command("cmd /S /C echo link"));
    EXPECT_FALSE(pretending_command("cmd /S /C echo use mklink x"));
    EXPECT_FALSE(pretending_command("mytool mklink a b"));
}

TEST(PretendingCommand, RefusesRenamesThatWouldNotHappen) {
    EXPECT_TRUE(pretending_command("cmd /S /C \"ren C:\\data\\readme.txt README.txt\""));
    EXPECT_TRUE(pretending_command("cmd /S /C \"rename \"a dir\\my file.txt\" \"My File.txt\"\""));
    EXPECT_FALSE(pretending_command("cmd /S /C ren a.txt b.txt"));
    EXPECT_FALSE(pretending_command("cmd /S /C ren a.txt a.txt"));
    EXPECT_FALSE(pretending_command("cmd /S /C echo ren a.txt A.txt"));
}

TEST(PretendingCommand, RefusesAnswersThatAreNotWhole) {
    EXPECT_TRUE(pretending_command("whoami /ALL"));
    EXPECT_TRUE(pretending_command("cmd /S /C whoami.exe /all"));
    EXPECT_FALSE(pretending_command("cmd /S /C whoami"));
}

TEST(StubTools, AreLowerCaseProgramNames) {
    for (const StubTool& tool : stub_tools()) {
        EXPECT_TRUE(tool.file.ends_with(".exe")) << tool.file;
        for (char c : tool.file) EXPECT_FALSE(c >= 'A' && c <= 'Z') << tool.file;
    }
}

TEST(Hints, ChainsOfCmdAreInDoubt) {
    EXPECT_TRUE(doubt_about("cmd /S /C a && b"));
    EXPECT_TRUE(doubt_about("@echo off\r\na || b\r\n"));
    EXPECT_FALSE(doubt_about("cmd /S /C a & b | c"));
    EXPECT_FALSE(doubt_about("cmd /S /C echo a ^&& b"));
}

}  // namespace
}  // namespace mullion::hcs
