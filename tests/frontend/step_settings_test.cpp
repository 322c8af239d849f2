#include "frontend/step_settings.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::Case;
using test::conversion_error;
using test::described;
using test::operation_of;

solver::StepSettings settings_of(std::string_view above) {
    const auto conversion = Case().convert("FROM base\n" + std::string(above) + "\nRUN x");
    return std::get<solver::ExecOperation>(operation_of(conversion.target)).settings;
}
std::string refusal(std::string_view comment) {
    return described(conversion_error("FROM base\n" + std::string(comment) + "\nRUN x"));
}

TEST(StepSettings, StandInCommentsDirectlyAboveARun) {
    const auto all =
        settings_of("# mullion: isolation=process memory=2g\tcpus=4\n#mullion:timeout=1h30m retry=3");
    EXPECT_EQ(all.isolation, "process");
    EXPECT_EQ(all.memory_mb, 2048u);
    EXPECT_EQ(all.processors, 4u);
    EXPECT_EQ(all.time_limit, 5400);
    EXPECT_EQ(all.retries, 3u);
    const auto none = settings_of("# mullion is a bar\n# about mullion: nothing");
    EXPECT_EQ(none.isolation, "");
    EXPECT_FALSE(none.memory_mb || none.processors || none.time_limit);
    EXPECT_EQ(none.retries, 0u);
    EXPECT_EQ(settings_of("# mullion: memory=1500k timeout=1500ms").memory_mb, 2u);
    EXPECT_EQ(settings_of("# mullion: timeout=1500ms").time_limit, 2);
    EXPECT_EQ(settings_of("# mullion: isolation=hyperv").isolation, "hyperv");
}

TEST(StepSettings, OtherStepsHaveNone) {
    const auto conversion = Case().convert("FROM base\n# mullion: retry=1\nRUN a\nRUN b");
    EXPECT_EQ(std::get<solver::ExecOperation>(operation_of(conversion.target)).settings.retries, 0u);
}

TEST(StepSettings, WhatMeansNothingIsRefused) {
    const std::string line = "3: dockerfile parse error on line 3: ";
    EXPECT_EQ(refusal("# mullion: memry=2g"),
              line + "# mullion: unknown setting \"memry\" (did you mean memory?)");
    EXPECT_EQ(refusal("# mullion: fast"), line + "# mullion: \"fast\" must be name=value");
    EXPECT_EQ(refusal("# mullion: retry=1 retry=2"), line + "# mullion: retry is given twice");
    for (const auto* bad : {"memory=0", "memory=much", "cpus=0", "cpus=1.5", "cpus=-1", "timeout=0s",
                            "timeout=200h", "timeout=soon", "retry=101", "retry=-1", "isolation=none"})
        EXPECT_NE(refusal("# mullion: " + std::string(bad)).find("# mullion: invalid value"),
                  std::string::npos)
            << bad;
}

TEST(StepSettings, OtherInstructionsHaveNone) {
    const std::string text = "dockerfile parse error on line 3: # mullion: the comment above stands over ";
    EXPECT_EQ(described(conversion_error("FROM base\n# mullion: retry=1\ncopy a b")),
              "3: " + text + "COPY; it sets how a RUN is run");
    EXPECT_EQ(described(conversion_error("FROM base\n# mullion: retry=1\nONBUILD RUN x")),
              "3: " + text + "ONBUILD; it sets how a RUN is run, and triggers are stored without it");
}

TEST(StepSettings, FlagsOfTheseNamesStayUnknown) {
    const auto error = conversion_error("FROM base\nRUN --memory=2g x");
    EXPECT_EQ(described(error), "2: dockerfile parse error on line 2: unknown flag: --memory");
    EXPECT_EQ(error.hint(), "write it as a comment on the line above: # mullion: memory=2g");
    EXPECT_EQ(conversion_error("FROM base\nRUN --colour=red x").hint(), "");
}

}  // namespace
}  // namespace mullion::frontend
