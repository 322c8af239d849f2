// The checks themselves, on the Windows at hand: under Wine, without Host Compute System.
#include <gmock/gmock.h>

#include <map>

#include "base/file.hpp"
#include "cli/doctor_checks.hpp"

namespace mullion::cli {
namespace {

using testing::HasSubstr;

class DoctorOnWindows : public testing::Test {
  protected:
    DoctorOnWindows() {
        context_.state_option = directory_.path().string();
        for (auto list : {state_checks, host_checks}) {
            for (const Check& check : list(context_)) found_[check.name] = diagnose(check, false).finding;
        }
    }

    base::TempDir directory_{std::filesystem::temp_directory_path()};
    Context context_;
    std::map<std::string, Finding> found_;
};

TEST_F(DoctorOnWindows, EveryCheckAnswersAndWhatIsWrongHasAFix) {
    EXPECT_EQ(found_.size(), 13u);
    for (const auto& [name, finding] : found_) {
        EXPECT_FALSE(finding.found.empty()) << name;
        bool wrong = finding.health == Health::Problem || finding.health == Health::Warning;
        if (wrong) {
            EXPECT_FALSE(finding.fix.empty()) << name << ": " << finding.found;
        }
    }
}

TEST_F(DoctorOnWindows, WithoutTheFeatureOneProblemTellsIt) {
    const Finding& feature = found_.at("containers-feature");
    EXPECT_EQ(feature.health, Health::Problem);
    EXPECT_THAT(feature.found, HasSubstr("computecore.dll"));
    EXPECT_THAT(feature.found, HasSubstr("there is no service hns"));
    for (const char* name : {"service-hns", "service-vmcompute", "nat-network"}) {
        EXPECT_EQ(found_.at(name).health, Health::Skipped) << name;
    }
}

TEST_F(DoctorOnWindows, TheStateDirectoryAndItsVolumeAreLookedAt) {
    EXPECT_EQ(found_.at("state-directory").health, Health::Ok);
    EXPECT_NE(found_.at("free-space").health, Health::Skipped);
    EXPECT_THAT(found_.at("windows-version").found, HasSubstr("Windows "));
}

}  // namespace
}  // namespace mullion::cli
