#include "cli/windows_findings.hpp"

#include <gmock/gmock.h>

namespace mullion::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

const hcs::HostFacts kServer2019{"10.0.17763.5000", true, false};
const hcs::HostFacts kServer2022{"10.0.20348.2700", true, false};
const hcs::HostFacts kServer2025{"10.0.26100.1", true, false};
const hcs::HostFacts kWindows10{"10.0.19045.1", false, false};

// hcs.md §5.
TEST(WindowsVersion, NamesTheBaseImagesThatRunWithoutHyperV) {
    EXPECT_EQ(windows_version_finding(kServer2019).found,
              "Windows Server 10.0.17763.5000; runs ltsc2019 without Hyper-V");
    EXPECT_EQ(windows_version_finding(kServer2022).found,
              "Windows Server 10.0.20348.2700; runs ltsc2022 without Hyper-V");
    EXPECT_EQ(windows_version_finding(kServer2025).found,
              "Windows Server 10.0.26100.1; runs ltsc2022, ltsc2025 without Hyper-V");
}

TEST(WindowsVersion, Windows10RunsTheImagesPeopleHaveByHyperVOnly) {
    Finding without = windows_version_finding(kWindows10);
    EXPECT_EQ(without.health, Health::Warning);
    EXPECT_THAT(without.fix, HasSubstr("Microsoft-Hyper-V"));
    EXPECT_EQ(windows_version_finding({kWindows10.version, false, true}).health, Health::Ok);
}

TEST(WindowsVersion, ClientsShareTheirKernelOnlyIfAsked) {
    hcs::HostFacts windows11{"10.0.26100.1", false, false};
    EXPECT_EQ(windows_version_finding(windows11).found,
              "Windows 10.0.26100.1; runs ltsc2022, ltsc2025 without Hyper-V (with --isolation=process)");
    EXPECT_EQ(image_versions_finding(windows11, {{"app", "10.0.26100.1"}}).found,
              "all 1 of the local store can run here (with --isolation=process)");
    EXPECT_EQ(image_versions_finding({windows11.version, false, true}, {{"app", "10.0.26100.1"}}).found,
              "all 1 of the local store can run here");
    EXPECT_THAT(windows_version_finding(kWindows10).found, HasSubstr("build 19045 run (with --isolation"));
}

TEST(WindowsVersion, Server2016IsTooOld) {
    Finding finding = windows_version_finding({"10.0.14393.0", true, true});
    EXPECT_EQ(finding.health, Health::Problem);
    EXPECT_THAT(finding.fix, HasSubstr("Windows Server 2019"));
}

TEST(ContainersFeature, WhatIsMissingIsNamed) {
    EXPECT_EQ(containers_feature_finding({}).health, Health::Ok);
    Finding finding = containers_feature_finding({"no vmcompute.dll", "there is no service hns"});
    EXPECT_EQ(finding.health, Health::Problem);
    EXPECT_THAT(finding.found, HasSubstr("no vmcompute.dll; there is no service hns"));
    EXPECT_THAT(finding.fix,
                HasSubstr("Enable-WindowsOptionalFeature -Online -All -FeatureName Containers;"));
}

TEST(HyperVFeature, IsNotNeeded) {
    EXPECT_EQ(hyperv_feature_finding(true).health, Health::Ok);
    EXPECT_EQ(hyperv_feature_finding(false).health, Health::Warning);
}

TEST(Service, OnlyAStoppedOneIsStarted) {
    bool started = false;
    auto start = [&] { started = true; };
    EXPECT_EQ(service_finding("hns", ServiceState::Running, start).health, Health::Ok);
    EXPECT_EQ(service_finding("hns", ServiceState::Absent, start).health, Health::Skipped);
    Finding disabled = service_finding("hns", ServiceState::Disabled, start);
    EXPECT_EQ(disabled.health, Health::Problem);
    EXPECT_THAT(disabled.fix, HasSubstr("sc.exe config hns start= demand"));
    EXPECT_FALSE(disabled.repair);
    EXPECT_FALSE(service_finding("hns", ServiceState::Running, start).repair);
    service_finding("hns", ServiceState::Stopped, start).repair();
    EXPECT_TRUE(started);
}

TEST(Privileges, ElevationComesFirst) {
    EXPECT_EQ(privileges_finding(true, {}).health, Health::Ok);
    Finding ordinary = privileges_finding(false, {"SeBackupPrivilege"});
    EXPECT_EQ(ordinary.health, Health::Problem);
    EXPECT_THAT(ordinary.fix, HasSubstr("Run as administrator"));
    Finding poor = privileges_finding(true, {"SeBackupPrivilege", "SeSecurityPrivilege"});
    EXPECT_EQ(poor.health, Health::Problem);
    EXPECT_THAT(poor.found, HasSubstr("SeBackupPrivilege, SeSecurityPrivilege"));
}

TEST(NatNetwork, IsMadeWhereThereIsNone) {
    bool made = false;
    EXPECT_FALSE(nat_network_finding("nat", [] {}).repair);
    Finding none = nat_network_finding(std::nullopt, [&] { made = true; });
    EXPECT_EQ(none.health, Health::Warning);
    none.repair();
    EXPECT_TRUE(made);
}

TEST(NatNetwork, WhatAnEarlierCheckTellsIsNotToldAgain) {
    using base::ErrorCode;
    for (ErrorCode code : {ErrorCode::Unsupported, ErrorCode::Denied}) {
        EXPECT_EQ(nat_network_finding(base::fail(code, "cannot list endpoints")).health, Health::Skipped);
    }
    Finding other = nat_network_finding(base::fail(ErrorCode::Io, "cannot list endpoints").hint("start hns"));
    EXPECT_EQ(other.health, Health::Problem);
    EXPECT_EQ(other.found, "cannot list endpoints");
    EXPECT_EQ(other.fix, "start hns");
}

TEST(Volume, MustBeNtfs) {
    EXPECT_EQ(volume_finding("NTFS").health, Health::Ok);
    EXPECT_EQ(volume_finding("ReFS").health, Health::Problem);
}

TEST(LongPaths, AreOffUnlessTheRegistrySaysOtherwise) {
    EXPECT_EQ(long_paths_finding(1).health, Health::Ok);
    EXPECT_EQ(long_paths_finding(0).health, Health::Warning);
    EXPECT_EQ(long_paths_finding(std::nullopt).health, Health::Warning);
}

class VirusScanner : public testing::TestWithParam<std::pair<const char*, bool>> {};

TEST_P(VirusScanner, ExcludesADirectoryAndWhatIsBelow) {
    auto [path, excludes] = GetParam();
    Finding finding = virus_scanner_finding({true, true, {"", "D:\\x", path}}, "C:\\ProgramData\\mullion");
    EXPECT_EQ(finding.health, excludes ? Health::Ok : Health::Warning);
}

INSTANTIATE_TEST_SUITE_P(Paths, VirusScanner,
                         testing::Values(std::pair{"C:\\ProgramData\\mullion", true},
                                         std::pair{"c:\\programdata\\MULLION\\", true},
                                         std::pair{"C:\\ProgramData\\mullion\\*", true},
                                         std::pair{"C:/ProgramData", true}, std::pair{"C:\\", true},
                                         std::pair{"C:\\ProgramData\\mull", false},
                                         std::pair{"C:\\ProgramData\\mullion\\layers", false},
                                         std::pair{"C:\\Program", false}));

TEST(VirusScannerAdvice, IsACommandAndNeverARepair) {
    for (bool readable : {true, false}) {
        Finding finding = virus_scanner_finding({true, readable, {}}, "C:\\ProgramData\\mullion");
        EXPECT_EQ(finding.health, Health::Warning);
        EXPECT_THAT(finding.fix, HasSubstr("Add-MpPreference -ExclusionPath 'C:\\ProgramData\\mullion'"));
        EXPECT_FALSE(finding.repair);
        EXPECT_EQ(finding.found.find("does not let us read") != std::string::npos, !readable);
    }
    EXPECT_THAT(virus_scanner_finding({true, true, {}}, "C:\\o'x").fix, HasSubstr("'C:\\o''x'"));
    EXPECT_EQ(virus_scanner_finding({}, "C:\\x").health, Health::Skipped);
}

TEST(ImageVersions, ComparesTheStoreWithTheHost) {
    std::vector<StoredVersion> images = {{"app:1", "10.0.20348.1"}, {"none", ""}};
    EXPECT_EQ(image_versions_finding(kServer2022, {}).health, Health::Skipped);
    EXPECT_EQ(image_versions_finding(kServer2022, images).health, Health::Ok);
    images.push_back({"old", "10.0.17763.1"});
    Finding older = image_versions_finding(kServer2022, images);
    EXPECT_EQ(older.health, Health::Warning);
    EXPECT_THAT(older.found, AllOf(HasSubstr("old (10.0.17763.1)"), Not(HasSubstr("app:1"))));
    EXPECT_EQ(image_versions_finding({kServer2022.version, true, true}, images).health, Health::Ok);
    images.push_back({"new", "10.0.26100.1"});
    Finding newer = image_versions_finding({kServer2022.version, true, true}, images);
    EXPECT_EQ(newer.health, Health::Warning);
    EXPECT_THAT(newer.found, HasSubstr("newer than this Windows, cannot run: new (10.0.26100.1)"));
}

TEST(ImageVersions, ALongListIsCut) {
    std::vector<StoredVersion> images(8, {"new", "10.0.26100.1"});
    EXPECT_THAT(image_versions_finding(kServer2022, images).found, HasSubstr("and 3 more"));
}

}  // namespace
}  // namespace mullion::cli
