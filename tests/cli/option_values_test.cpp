#include "cli/option_values.hpp"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "base/error.hpp"
#include "cli/byte_text.hpp"
#include "cli/run_arguments.hpp"
#include "cli/table.hpp"

namespace mullion::cli {
namespace {

TEST(MemoryOption, UnitsArePowersOfTwoRoundedUpToMebibytes) {
    EXPECT_EQ(parse_memory_mb("512m"), 512u);
    EXPECT_EQ(parse_memory_mb("2g"), 2048u);
    EXPECT_EQ(parse_memory_mb("1"), 1u);
    EXPECT_EQ(parse_memory_mb("1048577"), 2u);
    EXPECT_EQ(parse_memory_mb("1.5GiB"), 1536u);
    for (const char* text : {"", "0", "m", "-1m", "12x", "99999999999g", "1.5.g"}) {
        EXPECT_THROW(parse_memory_mb(text), base::Error) << text;
    }
}

TEST(DurationOption, PartsAddUp) {
    EXPECT_EQ(parse_duration("90s").count(), 90);
    EXPECT_EQ(parse_duration("1h30m").count(), 5400);
    EXPECT_EQ(parse_duration("1.5s").count(), 2);
    for (const char* text : {"", "0s", "5", "m", "-5s", "5d", "99999999999999999999s"}) {
        EXPECT_THROW(parse_duration(text), base::Error) << text;
    }
}

TEST(VolumeOption, TheDriveColonIsNotTheSeparator) {
    worker::Volume volume = parse_volume("/tmp:C:\\data:ro");
    EXPECT_EQ(volume.host_path, std::filesystem::absolute("/tmp").make_preferred().string());
    EXPECT_EQ(volume.container_path, "C:\\data");
    EXPECT_TRUE(volume.read_only);
    EXPECT_FALSE(parse_volume("/tmp:C:\\data").read_only);
    for (const char* text : {"/tmp", "/tmp:", ":C:\\x", "/tmp:relative", "/nonexistent-directory:C:\\x"}) {
        EXPECT_THROW(parse_volume(text), base::Error) << text;
    }
}

TEST(RunArguments, EverythingFromTheImageOnIsProtected) {
    CLI::App app;
    CLI::App* run = app.add_subcommand("run");
    std::string state, variable;
    bool remove = false;
    app.add_option("--state", state);
    run->add_option("-e,--env", variable);
    run->add_flag("--rm", remove);
    using Words = std::vector<std::string>;
    auto protect = [&](Words words) { return protect_run_arguments(app, std::move(words)); };
    EXPECT_EQ(protect({"run", "--rm", "app", "-e", "x"}), (Words{"run", "--rm", "--", "app", "-e", "x"}));
    EXPECT_EQ(protect({"run", "-e", "A=b", "app"}), (Words{"run", "-e", "A=b", "--", "app"}));
    EXPECT_EQ(protect({"run", "-eA=b", "--env=C=d", "app"}),
              (Words{"run", "-eA=b", "--env=C=d", "--", "app"}));
    EXPECT_EQ(protect({"--state", "run", "run", "app"}), (Words{"--state", "run", "run", "--", "app"}));
    EXPECT_EQ(protect({"images", "run", "x"}), (Words{"images", "run", "x"}));
    EXPECT_EQ(protect({"run", "--", "app"}), (Words{"run", "--", "app"}));
}

TEST(Table, ColumnsAlignByCodePointsWithoutTrailingBlanks) {
    EXPECT_EQ(format_table({{"A", "B"}, {"\xc3\xbc\xc3\xbc", "x"}}), "A    B\n\xc3\xbc\xc3\xbc   x\n");
}

TEST(Table, SizesAndAgesReadAsDockerShowsThem) {
    EXPECT_EQ(human_size(999), "999B");
    EXPECT_EQ(human_size(1500), "1.5kB");
    EXPECT_EQ(human_size(123456789), "123MB");
    EXPECT_EQ(human_age(59), "59 seconds ago");
    EXPECT_EQ(human_age(3600), "1 hour ago");
    EXPECT_EQ(human_age(15 * 86400), "2 weeks ago");
}

}  // namespace
}  // namespace mullion::cli
