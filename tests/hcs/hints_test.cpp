#include <gmock/gmock.h>

#include "hcs/compute_system.hpp"
#include "hcs/stub_tools.hpp"

namespace mullion::hcs {
namespace {

using testing::HasSubstr;

TEST(HintForCommand, NamesTheStubThatWasRemoved) {
    auto hint = hint_for_command("cmd /S /C dir | findstr x", 255,
                                 "'findstr' is not recognized as an internal or external "
                                 "command,\r\noperable program or batch file.\r\n");
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
    EXPECT_FALSE(hint_for_command("cmd /C my-powershell-like-tool", 1,
                                  "'my-tool' is not recognized as an internal or external command"));
    EXPECT_FALSE(hint_for_command("cmd /C echo findstr", 1, ""));
}

TEST(PretendingCommand, RefusesAnswersThatAreNotWhole) {
    EXPECT_TRUE(pretending_command("whoami /ALL"));
    EXPECT_TRUE(pretending_command("cmd /S /C whoami.exe /all"));
    EXPECT_TRUE(pretending_command("cmd /S /C \"md x& whoami /all\""));
    EXPECT_TRUE(pretending_command("cmd /S /C \"(if not exist a whoami /all)\""));
    EXPECT_TRUE(pretending_command("C:\\Windows\\System32\\cmd.exe /C for %i in (a b) do @whoami /all"));
    EXPECT_TRUE(pretending_command("cmd /C cmd /S /C call whoami /all"));
    EXPECT_FALSE(pretending_command("cmd /S /C whoami"));
    EXPECT_FALSE(pretending_command("cmd /S /C echo use whoami /all"));
    EXPECT_FALSE(pretending_command("mytool whoami /all"));
}

TEST(StubTools, AreLowerCaseProgramNames) {
    for (const StubTool& tool : stub_tools()) {
        EXPECT_TRUE(tool.file.ends_with(".exe")) << tool.file;
        for (char c : tool.file) EXPECT_FALSE(c >= 'A' && c <= 'Z') << tool.file;
    }
}

}  // namespace
}  // namespace mullion::hcs
