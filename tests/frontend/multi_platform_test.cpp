// Several platforms in one build (dockerfile.md §12, §19).
#include "frontend/multi_platform.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::operation_of;

constexpr const char* kOld = "windows(10.0.17763.6189)/amd64";
constexpr const char* kNew = "windows(10.0.20348.2700)/amd64";

// One base per os.version, made a year apart.
class Versions final : public ImageResolver {
  public:
    int asked = 0;

    ResolvedImage resolve_image(const oci::Reference& reference, const oci::Platform& platform,
                                const base::CancelToken&) override {
        ++asked;
        auto config = test::windows_base();
        config.platform = platform;
        const auto text = platform.string();
        config.created = base::FileTime::from_seconds(text == kOld ? 1'000'000 : 2'000'000);
        config.diff_ids = {base::DiffId{base::Digest::of(text)}};
        return {reference.string() + "@" + text, base::Digest::of(text), config, ""};
    }
    ResolvedImage resolve_layout(std::string_view, const oci::Platform&, const base::CancelToken&) override {
        throw base::fail(base::ErrorCode::NotFound, "no layouts");
    }
};

std::vector<oci::Platform> platforms(std::initializer_list<const char*> texts) {
    std::vector<oci::Platform> out;
    for (const auto* text : texts) out.push_back(oci::Platform::parse(text));
    return out;
}

struct MultiPlatform : testing::Test {
    Versions resolver;
    Options options;

    MultiPlatform() { options.multi_platform = true; }
    std::vector<Conversion> convert(std::string_view text, const std::vector<oci::Platform>& wanted) {
        Findings findings;
        return convert_platforms(text, options, wanted, resolver, {}, findings);
    }
};

TEST_F(MultiPlatform, EachPlatformHasItsBaseAndItsConfig) {
    const auto built =
        convert("FROM base\nARG TARGETOSVERSION\nENV V=$TARGETOSVERSION", platforms({kOld, kNew}));
    ASSERT_EQ(built.size(), 2u);
    EXPECT_EQ(built[0].config.platform.string(), kOld);
    EXPECT_EQ(built[1].config.platform.string(), kNew);
    EXPECT_EQ(built[0].config.config.env.back(), "V=10.0.17763.6189");
    EXPECT_EQ(built[1].config.config.env.back(), "V=10.0.20348.2700");
    EXPECT_NE(built[0].config.diff_ids, built[1].config.diff_ids);
}

TEST_F(MultiPlatform, StepsOfAllVersionsStampOneTime) {
    const auto built = convert("FROM base\nCOPY a b\nRUN x", platforms({kOld, kNew}));
    for (const auto& conversion : built) {
        const auto copy = std::get<solver::FileOperation>(operation_of(conversion.layers[0]));
        const auto run = std::get<solver::ExecOperation>(operation_of(conversion.layers[1]));
        EXPECT_EQ(copy.epoch_ticks, base::FileTime::from_seconds(2'000'000).ticks) << "the newest base's";
        EXPECT_EQ(run.epoch_ticks, copy.epoch_ticks);
        EXPECT_TRUE(copy.uniform_parents);
        EXPECT_TRUE(run.uniform_parents);
        EXPECT_EQ(conversion.epoch.seconds(), 2'000'000);
    }
    EXPECT_EQ(resolver.asked, 2) << "each image is looked up once";
}

TEST_F(MultiPlatform, OtherArchitecturesAreNoVersions) {
    const auto built = convert("FROM base\nCOPY a b", platforms({"windows/amd64", "windows/arm64"}));
    EXPECT_FALSE(std::get<solver::FileOperation>(operation_of(built[0].layers[0])).uniform_parents);
    const auto one = convert("FROM base\nCOPY a b", platforms({kNew}));
    EXPECT_FALSE(std::get<solver::FileOperation>(operation_of(one[0].layers[0])).uniform_parents);
}

TEST_F(MultiPlatform, ASharedBuildStageIsTheSameVertices) {
    const auto built = convert(
        "FROM --platform=windows(10.0.20348.2700)/amd64 base AS build\nRUN make\nFROM base\nCOPY "
        "--from=build a b",
        platforms({kOld, kNew}));
    const auto& first = built[0].layers[0].vertex->inputs()[1].vertex;
    const auto& second = built[1].layers[0].vertex->inputs()[1].vertex;
    EXPECT_EQ(first->digest(), second->digest());
}

TEST_F(MultiPlatform, AllPlatformsOfAnOsShareOneWalkOfTheContext) {
    const auto built = convert("FROM scratch\nCOPY a b",
                               platforms({"linux/amd64", "linux/arm64/v8", "windows/amd64", kNew}));
    const auto context = [&](std::size_t i) {
        return built[i].layers[0].vertex->inputs()[1].vertex->digest();
    };
    EXPECT_EQ(context(0), context(1));
    EXPECT_EQ(context(2), context(3));
    EXPECT_NE(context(0), context(2)) << "names compare differently";
    EXPECT_TRUE(built[0].layers[0].vertex->inputs()[0].vertex->options().hidden) << "scratch is no step";
}

TEST_F(MultiPlatform, WarningsAreOfTheFirstPlatformOnly) {
    options.no_cache = std::vector<std::string>{"nothing"};
    const auto built = convert("FROM base AS one\nENV A=1", platforms({kOld, kNew}));
    ASSERT_EQ(built[0].warnings.size(), 1u);
    EXPECT_NE(built[0].warnings[0].message.find("no stage is named \"nothing\""), std::string::npos);
    EXPECT_TRUE(built[1].warnings.empty());
}

TEST_F(MultiPlatform, TwoNamesOfOnePlatformAreRefused) {
    const auto error = test::error_of([&] {
        test::Case c;
        Findings findings;
        convert_platforms("FROM base", c.options, platforms({"windows/amd64", "windows(10.0.20348)/amd64"}),
                          c.resolver, {}, findings);
    });
    EXPECT_STREQ(error.what(),
                 "the platforms windows/amd64 and windows(10.0.20348)/amd64 both come out as "
                 "windows(10.0.20348.2700)/amd64");
}

TEST_F(MultiPlatform, NamesOfStepsTellThePlatform) {
    const auto built = convert(
        "FROM base AS one\nRUN a\nFROM one\nARG TARGETARCH=arm64\nCOPY --from=one x y\nCOPY --from=one y z",
        platforms({kOld, kNew}));
    const auto name = [](const solver::Edge& edge) { return edge.vertex->options().name; };
    const std::string platform = kOld;
    EXPECT_EQ(name(built[0].layers[0]), "[" + platform + " one 2/2] RUN a");
    EXPECT_EQ(name(built[0].layers[0].vertex->inputs()[0]),
              "[" + platform + " one 1/2] FROM docker.io/library/base:latest@" + platform);
    EXPECT_EQ(name(built[0].layers[1]), "[" + platform + "->arm64 stage-1 1/2] COPY --from=one x y");
    options.multi_platform = false;
    EXPECT_EQ(name(convert("FROM base\nRUN a", platforms({kOld}))[0].layers[0]), "[2/2] RUN a");
}

TEST_F(MultiPlatform, ABaseMayBeNamedByTheVersion) {
    const auto built = convert("FROM base:${TARGETOSVERSION}\nRUN a", platforms({kOld, kNew}));
    EXPECT_EQ(built[0].base->reference, std::string("docker.io/library/base:10.0.17763.6189@") + kOld);
    EXPECT_EQ(built[1].base->reference, std::string("docker.io/library/base:10.0.20348.2700@") + kNew);
}

// An image of another revision of the same build than was asked for.
class OtherRevision final : public ImageResolver {
  public:
    ResolvedImage resolve_image(const oci::Reference& reference, const oci::Platform&,
                                const base::CancelToken&) override {
        auto config = test::windows_base();
        const bool other = reference.string().find("tools") != std::string::npos;
        if (other) config.platform = oci::Platform::parse("windows(10.0.20348.1)/amd64");
        return {reference.string(), base::Digest::of(reference.string()), config, "",
                other ? "windows(10.0.20348.1)/amd64" : ""};
    }
    ResolvedImage resolve_layout(std::string_view, const oci::Platform&, const base::CancelToken&) override {
        throw base::fail(base::ErrorCode::NotFound, "no layouts");
    }
};

TEST(Revision, MustBeTheOneAskedForWhereTheImageStandsOnIt) {
    OtherRevision resolver;
    Options options;
    options.platform = oci::Platform::parse(kNew);
    for (const char* text : {"FROM tools", "FROM base AS a\nRUN x\nFROM tools AS b\nRUN y\nFROM b\nRUN z"}) {
        const auto error = test::error_of([&] { convert(text, options, resolver, {}); });
        EXPECT_STREQ(error.what(),
                     "tools has no image for windows(10.0.20348.2700)/amd64; it offers "
                     "windows(10.0.20348.1)/amd64");
        EXPECT_EQ(error.subject(), "tools");
        EXPECT_TRUE(error.source());
    }
}

TEST(Revision, DoesNotMatterWhereFilesAreTakenFrom) {
    OtherRevision resolver;
    Options options;
    options.platform = oci::Platform::parse(kNew);
    const auto built =
        convert("FROM tools AS build\nRUN make\nFROM base\nCOPY --from=build a b\nCOPY --from=tools c d",
                options, resolver, {});
    EXPECT_EQ(built.config.platform.string(), kNew);
    const auto& run = built.layers[0].vertex->inputs()[1].vertex;
    EXPECT_EQ(solver::parse_operation(run->operation()).platform, "windows(10.0.20348.1)/amd64");
}

TEST_F(MultiPlatform, AVersionOfThreeNumbersTakesTheRevisionOfTheBase) {
    test::Case c;
    c.options.platform = oci::Platform::parse("windows(10.0.20348)/amd64");
    EXPECT_EQ(c.convert("FROM base\nENV A=1").config.platform.os_version, "10.0.20348.2700");
    c.options.platform = oci::Platform::parse("windows(10.0.2034)/amd64");
    EXPECT_EQ(c.convert("FROM base\nENV A=1").config.platform.os_version, "10.0.2034");
}

TEST(MakesIndex, SeveralPlatformsOrWhenAskedFor) {
    EXPECT_FALSE(makes_index({}, {}, 0));
    EXPECT_FALSE(makes_index({}, {}, 1));
    EXPECT_TRUE(makes_index({}, {}, 2));
    EXPECT_TRUE(makes_index({}, "true", 1));
    EXPECT_TRUE(makes_index({{"BUILDKIT_MULTI_PLATFORM", "1"}}, {}, 0));
    EXPECT_FALSE(makes_index({{"BUILDKIT_MULTI_PLATFORM", "f"}}, "true", 1)) << "the argument wins";
    EXPECT_FALSE(makes_index({{"BUILDKIT_MULTI_PLATFORM", ""}}, {}, 1));
}

TEST(MakesIndex, NonsenseIsRefused) {
    EXPECT_STREQ(test::error_of([] { makes_index({}, "maybe", 1); }).what(),
                 "invalid boolean value for multi-platform: maybe");
    EXPECT_EQ(test::error_of([] { makes_index({}, "false", 2); }).code(), base::ErrorCode::Invalid);
}

TEST(NoCacheFilter, IsOfRunCopyAndAddInTheNamedStages) {
    test::Case c;
    c.options.no_cache = std::vector<std::string>{"ONE"};
    const auto conversion =
        c.convert("FROM base AS one\nWORKDIR /w\nRUN a\nCOPY a b\nFROM one AS two\nRUN b\nADD a c");
    std::vector<bool> ignoring;
    for (const auto& layer : conversion.layers) ignoring.push_back(layer.vertex->options().ignore_cache);
    EXPECT_EQ(ignoring, (std::vector<bool>{false, true, true, false, false}));
    EXPECT_TRUE(conversion.warnings.empty());
}

}  // namespace
}  // namespace mullion::frontend
