// How long containers may run, from the flags to the backend.
#include <gtest/gtest.h>

#include "cli/build_request.hpp"
#include "cli/emulation_options.hpp"

namespace mullion::cli {
namespace {

using std::chrono::hours;

TEST(StepTimeout, IsWhatWasAskedForElseAnHour) {
    BuildFlags flags;
    flags.context = ".";
    EXPECT_EQ(make_build_request(flags).worker.limits.time_limit, hours(1));
    flags.run.step_timeout = "2h";
    EXPECT_EQ(make_build_request(flags).worker.limits.time_limit, hours(2));
}

TEST(EmulationOptions, LeaveTimeToTheWorker) {
    hcs::EmulationOptions options = emulation_options("state");
    EXPECT_EQ(options.state, "state");
    EXPECT_FALSE(options.limits.time_limit);
}

}  // namespace
}  // namespace mullion::cli
