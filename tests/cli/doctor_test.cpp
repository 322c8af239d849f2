#include "cli/doctor.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "cli/doctor_checks.hpp"
#include "cli/doctor_report.hpp"

namespace mullion::cli {
namespace {

using testing::HasSubstr;

Check check(Finding finding) {
    return {"thing", [finding] { return finding; }};
}

// Broken until it is repaired.
class Breakable {
  public:
    Check check() {
        return {"thing", [this] {
                    if (whole_) return Finding{Health::Ok, "works", ""};
                    return Finding{Health::Warning, "broken", "mend it", [this] { repair(); }};
                }};
    }
    int repairs = 0;

  private:
    void repair() {
        ++repairs;
        whole_ = true;
    }
    bool whole_ = false;
};

TEST(Diagnose, WithoutFixNothingIsRepaired) {
    Breakable thing;
    Diagnosis diagnosis = diagnose(thing.check(), false);
    EXPECT_EQ(diagnosis.finding.health, Health::Warning);
    EXPECT_FALSE(diagnosis.fixed);
    EXPECT_EQ(thing.repairs, 0);
}

TEST(Diagnose, WhatWasRepairedIsLookedAtAgainAndNotRepairedTwice) {
    Breakable thing;
    Diagnosis diagnosis = diagnose(thing.check(), true);
    EXPECT_EQ(diagnosis.finding.health, Health::Ok);
    EXPECT_EQ(diagnosis.finding.found, "works");
    EXPECT_TRUE(diagnosis.fixed);
    EXPECT_FALSE(diagnose(thing.check(), true).fixed);
    EXPECT_EQ(thing.repairs, 1);
}

TEST(Diagnose, ARepairThatDoesNotHelpIsNotCalledOne) {
    Diagnosis diagnosis = diagnose(check({Health::Problem, "broken", "mend it", [] {}}), true);
    EXPECT_EQ(diagnosis.finding.health, Health::Problem);
    EXPECT_FALSE(diagnosis.fixed);
}

TEST(Diagnose, ARepairThatFailsIsAProblemAndKeepsTheAdvice) {
    Finding finding{Health::Warning, "broken", "mend it",
                    [] { throw base::fail(base::ErrorCode::Denied, "no right to"); }};
    Diagnosis diagnosis = diagnose(check(finding), true);
    EXPECT_EQ(diagnosis.finding.health, Health::Problem);
    EXPECT_EQ(diagnosis.finding.found, "broken; it could not be fixed: no right to");
    EXPECT_EQ(diagnosis.finding.fix, "mend it");
}

TEST(Diagnose, WhatACheckThrowsIsAProblemWithItsHint) {
    Check failing{"thing", []() -> Finding {
                      throw base::fail(base::ErrorCode::Io, "cannot look").hint("look elsewhere");
                  }};
    Diagnosis diagnosis = diagnose(failing, false);
    EXPECT_EQ(diagnosis.finding.health, Health::Problem);
    EXPECT_EQ(diagnosis.finding.found, "cannot look");
    EXPECT_EQ(diagnosis.finding.fix, "look elsewhere");
}

TEST(Diagnose, AnInterruptEndsTheCommand) {
    Check interrupted{"thing",
                      []() -> Finding { throw base::fail(base::ErrorCode::Canceled, "interrupted"); }};
    EXPECT_THROW(diagnose(interrupted, false), base::Error);
}

const std::vector<Diagnosis> kAll = {{"git", {Health::Ok, "git version 2.39.5", ""}},
                                     {"wine-layer", {Health::Ok, "is prepared", ""}, true},
                                     {"overlayfs", {Health::Problem, "does not work", "use ext4"}},
                                     {"free-space", {Health::Warning, "1GB", "make room"}},
                                     {"self-test", {Health::Skipped, "it needs Wine", ""}}};

TEST(DoctorText, HasALineForEachAndOneForWhatToDo) {
    EXPECT_EQ(diagnosis_text(kAll[0]), "ok       git                 git version 2.39.5\n");
    EXPECT_EQ(diagnosis_text(kAll[1]), "ok       wine-layer          is prepared (fixed now)\n");
    EXPECT_EQ(diagnosis_text(kAll[2]),
              "problem  overlayfs           does not work\n"
              "                             fix: use ext4\n");
}

TEST(DoctorText, NothingFoundDrivesTheTerminal) {
    EXPECT_THAT(diagnosis_text({"git", {Health::Ok, "\x1b[2Jversion\n2", ""}}),
                testing::Not(HasSubstr("\x1b")));
}

TEST(DoctorText, EndsWithTheNumbers) {
    EXPECT_EQ(summary_text(kAll), "1 problem, 1 warning, 2 ok, 1 skipped\n");
    EXPECT_EQ(summary_text({kAll[0]}), "no problem, 1 ok\n");
}

TEST(DoctorJson, IsAsDocumented) {
    EXPECT_EQ(diagnoses_json({kAll[1], kAll[2]}), R"({
  "problems": 1,
  "warnings": 0,
  "checks": [
    {
      "name": "wine-layer",
      "status": "ok",
      "found": "is prepared",
      "fix": null,
      "fixed": true
    },
    {
      "name": "overlayfs",
      "status": "problem",
      "found": "does not work",
      "fix": "use ext4",
      "fixed": false
    }
  ]
}
)");
}

TEST(DoctorJson, BytesThatAreNoTextAreReplaced) {
    EXPECT_THAT(diagnoses_json({{"state-directory", {Health::Ok, "/srv/\xff", ""}}}),
                HasSubstr("/srv/\xEF\xBF\xBD"));
}

TEST(DoctorReport, OnlyAProblemFailsTheCommand) {
    EXPECT_TRUE(has_problem(kAll));
    EXPECT_FALSE(has_problem({kAll[0], kAll[3], kAll[4]}));
}

TEST(FreeSpace, LittleIsAWarningAndNextToNothingAProblem) {
    EXPECT_EQ(free_space_finding(50'000'000'000, "state").health, Health::Ok);
    Finding little = free_space_finding(3'000'000'000, "state");
    EXPECT_EQ(little.health, Health::Warning);
    EXPECT_EQ(little.found, "3GB; large base images need 20GB");
    EXPECT_THAT(little.fix, HasSubstr("mullion cache prune"));
    EXPECT_EQ(free_space_finding(900'000'000, "state").health, Health::Problem);
}

}  // namespace
}  // namespace mullion::cli
