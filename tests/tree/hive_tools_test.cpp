// What hivex and chntpw (Debian's libhivex-bin and chntpw) think of our hives, and we of theirs.
#include <fmt/format.h>

#include "base/process.hpp"
#include "layer_support.hpp"
#include "tree/base_registry.hpp"
#include "tree/registry.hpp"

namespace mullion::tree {
namespace {

using testing::HasSubstr;

const BaseImageOptions kOptions{"10.0.20348.2700", base::FileTime::from_seconds(1'700'000'000)};
const HiveOptions kHive{kOptions.time, "TEST"};

std::string hive_bytes(HiveName wanted) {
    for (auto& [hive, bytes] : base_hives(kOptions)) {
        if (hive == wanted) return bytes;
    }
    return {};
}

class HiveToolsTest : public testing::Test {
  protected:
    HiveToolsTest() : directory_(std::filesystem::temp_directory_path(), "hive") {}

    std::string file(HiveName name) {
        std::string path = (directory_.path() / delta_name(name)).string();
        base::write_file_atomic(path, hive_bytes(name));
        return path;
    }
    std::string run(std::vector<std::string> argv, std::string input = {}) {
        base::ProcessOptions options;
        options.argv = std::move(argv);
        options.input = std::move(input);
        base::ProcessOutput output = base::run_and_capture(std::move(options), {});
        EXPECT_LE(output.exit_code, exit_code_) << output.out << output.err;
        return output.out;
    }

    base::TempDir directory_;
    int exit_code_ = 0;
};

TEST_F(HiveToolsTest, HivexReadsEveryHive) {
    for (HiveName name :
         {HiveName::System, HiveName::Software, HiveName::Sam, HiveName::Security, HiveName::Default}) {
        EXPECT_THAT(run({"hivexml", file(name)}), HasSubstr("</hive>"));
    }
}

TEST_F(HiveToolsTest, HivexFindsOurValues) {
    EXPECT_THAT(run({"hivexget", file(HiveName::System),
                     "ControlSet001\\Control\\Session Manager\\Environment", "Path"}),
                HasSubstr("%SystemRoot%\\system32;%SystemRoot%;"));
    EXPECT_EQ(run({"hivexget", file(HiveName::Software), "Microsoft\\Windows NT\\CurrentVersion", "UBR"}),
              "2700\n");
    EXPECT_EQ(run({"hivexget", file(HiveName::System), "Select", "Current"}), "1\n");
}

TEST_F(HiveToolsTest, HivexFindsBigDataAndLongLists) {
    std::string data(50'000, 'a');
    HiveKey root{.name = "ROOT", .values = {HiveValue::string("big", data)}};
    for (int i = 0; i < 1500; ++i) root.subkeys.push_back(HiveKey{.name = fmt::format("Key {}", i)});
    std::string path = (directory_.path() / "big").string();
    base::write_file_atomic(path, write_hive(root, kHive));
    EXPECT_EQ(run({"hivexget", path, "\\", "big"}), data + "\n");
    EXPECT_THAT(run({"hivexsh", path}, "cd \\Key 1499\nls\n"), testing::IsEmpty());
    std::string list = run({"hivexsh", path}, "ls\n");
    EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), 1500);
}

TEST_F(HiveToolsTest, WeReadWhatHivexWrites) {
    std::string path = file(HiveName::Software);
    run({"hivexsh", "-w", path},
        "cd \\Microsoft\nadd Added\ncd Added\nsetval 3\nText\nstring:cafe\nNumber\ndword:0x7\n"
        "Path\nexpandstring:%X%\ncommit\n");
    HiveFile hive(base::read_file(path, 1 << 20));
    EXPECT_EQ(hive.value("Microsoft\\Added", "Text")->text(), "cafe");
    EXPECT_EQ(hive.value("Microsoft\\Added", "Number")->number(), 7U);
    EXPECT_EQ(hive.value("Microsoft\\Added", "Path")->text(), "%X%");
    EXPECT_FALSE(hive.dirty());
    HiveKey read = hive.read();
    base::write_file_atomic(path, write_hive(read, kHive));
    EXPECT_EQ(run({"hivexget", path, "Microsoft\\Added", "Number"}), "7\n");
}

TEST_F(HiveToolsTest, ChntpwListsOurAccounts) {
    std::string users = run({"/usr/sbin/samusrgrp", "-L", file(HiveName::Sam)});
    EXPECT_THAT(users, HasSubstr("Administrators"));
    EXPECT_THAT(users, HasSubstr("Guests"));
    std::string exported = (directory_.path() / "out.reg").string();
    exit_code_ = 2;  // reged says 2 where nothing was changed
    run({"/usr/sbin/reged", "-x", file(HiveName::System), "HKEY_LOCAL_MACHINE\\SYSTEM", "\\Select",
         exported});
    EXPECT_THAT(base::read_file(exported, 1 << 20), HasSubstr("\"Current\"=dword:00000001"));
}

}  // namespace
}  // namespace mullion::tree
