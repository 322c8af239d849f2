// Stages, bases, named contexts, triggers, titles (dockerfile.md §7, §12, §19).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "frontend/convert.hpp"
#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::Case;
using test::conversion_error;
using test::described;
using test::error_of;
using test::operation_of;
using Words = std::vector<std::string>;

std::string title(const solver::Edge& edge) {
    return edge.vertex->options().name;
}

TEST(ConvertStages, FromPinsTheImage) {
    Case c;
    const auto conversion = c.convert("FROM base\nRUN x");
    const auto& root = conversion.target.vertex->inputs().at(0);
    const auto source = std::get<solver::ImageSource>(operation_of(root));
    EXPECT_EQ(source.manifest_digest, base::Digest::of("docker.io/library/base:latest").string());
    EXPECT_EQ(source.platform, "windows(10.0.20348.2700)/amd64");
    EXPECT_EQ(conversion.base->manifest_digest.string(), source.manifest_digest);
    EXPECT_EQ(c.resolver.asked, (Words{"docker.io/library/base:latest windows/amd64"}));
}

TEST(ConvertStages, OnlyWhatTheTargetNeedsIsResolved) {
    Case c;
    const std::string text = "FROM missing AS a\nRUN x\nFROM base AS b\nRUN y\nFROM a AS c\nRUN z";
    c.options.target = "B";
    EXPECT_NO_THROW(c.convert(text));
    c.options.target = "c";
    const auto error = error_of([&] { c.convert(text); });
    EXPECT_EQ(described(error), "1: docker.io/library/missing:latest: not found");
    EXPECT_EQ(error.subject(), "missing");
    c.options.target = "d";
    EXPECT_STREQ(error_of([&] { c.convert("FROM base AS a\nFROM a AS b\nFROM a AS ccc"); }).what(),
                 "target stage \"d\" could not be found");
    c.options.target = "b";
    c.options.every_stage = true;
    EXPECT_EQ(error_of([&] { c.convert(text); }).code(), base::ErrorCode::NotFound);
}

TEST(ConvertStages, ADerivedStageContinuesTheEarlierOne) {
    const auto conversion = Case().convert("FROM base AS a\nENV X=1\nRUN one\nFROM a\nRUN two");
    EXPECT_EQ(conversion.layers.size(), 2u);
    EXPECT_EQ(conversion.target.vertex->inputs().at(0).vertex, conversion.layers[0].vertex);
    EXPECT_EQ(conversion.config.config.env, (Words{"X=1"}));
    EXPECT_EQ(conversion.config.history.size(), 4u);
    EXPECT_TRUE(conversion.base);
}

TEST(ConvertStages, CopyFromStageIndexAndImage) {
    Case c;
    c.resolver.images["docker.io/library/tool:1"] = test::windows_base();
    const auto conversion = c.convert(
        "FROM base AS Build\nRUN x\nFROM base\nCOPY --from=BUILD a b\nCOPY --from=0 a c\nCOPY --from=tool:1 "
        "a d");
    const auto& layers = conversion.layers;
    ASSERT_EQ(layers.size(), 3u);
    const auto input = [&](std::size_t i) { return layers[i].vertex->inputs().at(1); };
    EXPECT_EQ(title(input(0)), "[build 2/2] RUN x");
    EXPECT_EQ(input(1).vertex, input(0).vertex);
    EXPECT_TRUE(std::holds_alternative<solver::ImageSource>(operation_of(input(2))));
}

TEST(ConvertStages, SourceErrors) {
    EXPECT_EQ(described(conversion_error("FROM base\nCOPY --from=1 a b")), "2: invalid stage index 1");
    EXPECT_EQ(described(conversion_error("ARG X=a\nFROM base\nCOPY --from=$X a b")),
              "3: variable expansion is not supported for --from, define a new stage with FROM using ARG "
              "from global "
              "scope as a workaround");
    EXPECT_EQ(described(conversion_error("FROM base AS a\nCOPY --from=b x y\nFROM base AS b\nFROM a")),
              "2: cannot copy from stage \"b\", it needs to be defined before current stage \"a\"");
    EXPECT_EQ(described(conversion_error("FROM base AS a\nCOPY --from=a x y")),
              "2: circular dependency detected on stage: a");
    EXPECT_EQ(
        described(conversion_error("FROM base AS a\nCOPY --from=b x y\nFROM base AS b\nCOPY --from=a x y")),
        "4: circular dependency detected on stage: a");
    EXPECT_EQ(described(conversion_error("FROM base\nCOPY --from=nowhere a b")),
              "2: docker.io/library/nowhere:latest: not found");
}

TEST(ConvertStages, FromErrors) {
    EXPECT_EQ(described(conversion_error("RUN x\nFROM base")), "1: no build stage in current context");
    EXPECT_STREQ(conversion_error("ARG x").what(), "dockerfile contains no stages to build");
    EXPECT_EQ(described(conversion_error("ARG X\nFROM $X")), "2: base name ($X) should not be blank");
    EXPECT_EQ(described(conversion_error("FROM --platform=$X base")),
              "1: empty platform value from expression $X");
    EXPECT_EQ(described(conversion_error("FROM base\nRUM x")),
              "2: dockerfile parse error on line 2: unknown instruction: RUM (did you mean RUN?)");
    EXPECT_EQ(conversion_error("FROM --platform=a/b/c/d/e base").code(), base::ErrorCode::Invalid);
    EXPECT_EQ(conversion_error("FROM UPPER/case:x:y").code(), base::ErrorCode::Invalid);
    std::string many;
    for (int i = 0; i < 2000; ++i) many += "FROM scratch\n";
    EXPECT_EQ(conversion_error(many).code(), base::ErrorCode::Invalid);
}

TEST(ConvertStages, GlobalArgumentsNameBasesAndPlatforms) {
    Case c;
    c.options.build_args = {{"B", "base"}};
    EXPECT_NO_THROW(c.convert("ARG B=other\nARG P=windows\nFROM --platform=$P/amd64 ${B}:latest"));
    EXPECT_EQ(c.resolver.asked, (Words{"docker.io/library/base:latest windows/amd64"}));
}

TEST(ConvertStages, LaterDefinitionOfANameWins) {
    Case c;
    const auto conversion = c.convert("FROM base AS a\nENV X=1\nFROM base AS a\nENV X=2\nFROM a\nENV Y=$X");
    EXPECT_EQ(conversion.config.config.env, (Words{"X=2", "Y=2"}));
}

TEST(ConvertStages, TitlesCountTheSteps) {
    const auto conversion =
        Case().convert("FROM base AS a\nARG X=1\nrun echo $X \"$Y\"\nCOPY a$X  b\nWORKDIR /w\nFROM a\nRUN y");
    ASSERT_EQ(conversion.layers.size(), 4u);
    EXPECT_EQ(title(conversion.layers[0]), "[a 2/4] RUN echo 1 \"$Y\"");
    EXPECT_EQ(title(conversion.layers[1]), "[a 3/4] COPY a1  b");
    EXPECT_EQ(title(conversion.layers[2]), "[a 4/4] WORKDIR /w");
    EXPECT_EQ(title(conversion.layers[3]), "[stage-1 1/1] RUN y");
    EXPECT_EQ(title(conversion.layers[0].vertex->inputs()[0]),
              "[a 1/4] FROM docker.io/library/base:latest@" +
                  base::Digest::of("docker.io/library/base:latest").string());
    std::string ten = "FROM base\n";
    for (int i = 0; i < 9; ++i) ten += "RUN x" + std::to_string(i) + "\n";
    EXPECT_EQ(title(Case().convert(ten).layers[0]), "[ 2/10] RUN x0");
}

TEST(ConvertStages, SourcesPointToTheInstruction) {
    const auto conversion = Case().convert("FROM base\n\nRUN a \\\n b");
    EXPECT_EQ(conversion.target.vertex->options().source, (base::SourceRange{"Dockerfile", 3, 4, 0, 0}));
}

TEST(ConvertStages, NoCacheMarksStages) {
    Case c;
    const std::string text = "FROM base AS a\nRUN x\nFROM a AS b\nWORKDIR /w\nRUN y";
    const auto marked = [&] {
        std::string out;
        for (const auto& layer : c.convert(text).layers)
            out += layer.vertex->options().ignore_cache ? '1' : '0';
        return out;
    };
    EXPECT_EQ(marked(), "000");
    c.options.no_cache = Words{};
    EXPECT_EQ(marked(), "101");
    c.options.no_cache = Words{"A"};
    EXPECT_EQ(marked(), "100");
}

TEST(ConvertStages, NamedContextsReplaceBasesStagesAndSources) {
    Case c;
    c.resolver.layouts["/dir"] = test::windows_base();
    c.options.named_contexts = {{"docker.io/library/thing:latest", "oci-layout:///dir"}};
    auto conversion = c.convert("FROM thing\nRUN x");
    EXPECT_EQ(std::get<solver::ImageSource>(operation_of(conversion.target.vertex->inputs()[0])).store,
              "/dir");

    c.options.named_contexts = {{"a", "docker-image://base"}};
    conversion = c.convert("FROM missing AS a\nRUN x\nFROM a\nRUN y");
    EXPECT_EQ(conversion.layers.size(), 1u);

    c.options.named_contexts = {{"files", "local:files"}};
    c.options.ignore_patterns["files"] = {"x"};
    conversion = c.convert("FROM base\nCOPY --from=files a b");
    const auto local = std::get<solver::LocalSource>(operation_of(conversion.target.vertex->inputs()[1]));
    EXPECT_EQ(local.name, "files");
    EXPECT_EQ(local.ignore_patterns, (Words{"x"}));

    c.options.named_contexts = {{"a", "ftp://x/y"}};
    EXPECT_EQ(error_of([&] { c.convert("FROM base"); }).code(), base::ErrorCode::Unsupported);
}

TEST(ConvertStages, ScratchIsNeverReplaced) {
    Case c;
    c.options.named_contexts = {{"scratch", "docker-image://base"}};
    const auto conversion = c.convert("FROM scratch\nCOPY a b");
    EXPECT_TRUE(
        std::holds_alternative<solver::ScratchSource>(operation_of(conversion.target.vertex->inputs()[0])));
}

TEST(ConvertStages, TheTargetIsNoNumber) {
    Case c;
    c.options.target = "0";
    EXPECT_STREQ(error_of([&] { c.convert("FROM base AS a\nFROM base"); }).what(),
                 "target stage \"0\" could not be found");
}

TEST(ConvertStages, PlatformContextsComeFirst) {
    Case c;
    c.resolver.layouts["/any"] = test::windows_base();
    c.resolver.layouts["/win"] = test::windows_base();
    c.options.named_contexts = {{"base", "oci-layout:///any"}, {"base::windows/amd64", "oci-layout:///win"}};
    c.convert("FROM base\nRUN x");
    EXPECT_EQ(c.resolver.asked, (Words{"/win windows/amd64"}));
}

TEST(ConvertStages, FlagsWithoutEffectAreRemarkedUpon) {
    Case c;
    c.options.windows_rules = false;
    const auto conversion = c.convert(
        "FROM base AS a\nARG --x y\nHEALTHCHECK --interval=1s NONE\nSTOPSIGNAL --x 9\n"
        "FROM --platform=windows/arm64 a\nCOPY --link --chmod=644 a b\n");
    std::vector<int> lines;
    for (const auto& warning : conversion.warnings)
        if (warning.rule == nullptr) lines.push_back(warning.range.first_line);
    std::sort(lines.begin(), lines.end());
    EXPECT_EQ(lines, (std::vector<int>{2, 3, 4, 5, 6}));
}

TEST(ConvertStages, TriggersOfImagesRunFirst) {
    Case c;
    c.resolver.images["docker.io/library/base:latest"].config.on_build = {"ENV T=1", "RUN trigger"};
    const auto conversion = c.convert("FROM base\nRUN own");
    ASSERT_EQ(conversion.layers.size(), 2u);
    EXPECT_EQ(title(conversion.layers[0]), "[2/3] ONBUILD RUN trigger");
    EXPECT_THAT(title(conversion.layers[0].vertex->inputs()[0]), testing::StartsWith("[1/3] FROM "));
    EXPECT_EQ(conversion.layers[0].vertex->options().source->first_line, 1);
    EXPECT_EQ(conversion.config.config.env, (Words{"T=1"}));
    EXPECT_TRUE(conversion.config.config.on_build.empty());
}

TEST(ConvertStages, TriggersOfStagesRunInTheStageAboveOnly) {
    const auto conversion = Case().convert(
        "FROM base AS t\nRUN tool\nFROM base AS a\nONBUILD COPY --from=t x y\nFROM a AS b\nFROM b\nRUN own");
    ASSERT_EQ(conversion.layers.size(), 2u);
    EXPECT_EQ(title(conversion.layers[0].vertex->inputs()[1]), "[t 2/2] RUN tool");
    EXPECT_TRUE(conversion.config.config.on_build.empty());
}

TEST(ConvertStages, TriggersOfAnImageThatReplacesAStageRunInTheStageAbove) {
    Case c;
    auto& image = c.resolver.images["docker.io/library/with-triggers:latest"];
    image = test::windows_base();
    image.config.on_build = {"RUN trigger"};
    c.options.named_contexts = {{"a", "docker-image://with-triggers"}};
    const auto conversion = c.convert("FROM base AS a\nFROM a AS b\nFROM b\nRUN own");
    ASSERT_EQ(conversion.layers.size(), 2u);
    EXPECT_EQ(title(conversion.layers[0]), "[b 1/1] ONBUILD RUN trigger");
    EXPECT_TRUE(conversion.config.config.on_build.empty());
}

TEST(ConvertStages, BadTriggersPointToFrom) {
    Case c;
    c.resolver.images["docker.io/library/base:latest"].config.on_build = {"\n\n\nFROBNICATE"};
    const auto error = error_of([&] { c.convert("ARG x\nFROM base"); });
    EXPECT_EQ(error.source()->first_line, 2);
    c.resolver.images["docker.io/library/base:latest"].config.on_build = {"RUN a\nRUN b"};
    EXPECT_EQ(error_of([&] { c.convert("FROM base"); }).code(), base::ErrorCode::Invalid);
}

TEST(ConvertStages, AnImageWithoutLayersIsScratch) {
    Case c;
    auto& base = c.resolver.images["docker.io/library/base:latest"];
    base.diff_ids.clear();
    base.history.clear();
    const auto conversion = c.convert("FROM base\nCOPY a b");
    EXPECT_FALSE(conversion.base);
    EXPECT_TRUE(
        std::holds_alternative<solver::ScratchSource>(operation_of(conversion.target.vertex->inputs()[0])));
}

TEST(ConvertStages, EqualInputsGiveEqualGraphs) {
    const std::string text = "FROM base AS a\nRUN x\nFROM base\nCOPY --from=a b c\nCOPY d e";
    const auto first = Case().convert(text);
    const auto second = Case().convert("# other comment\n\n" + text);
    EXPECT_EQ(first.target.vertex->digest(), second.target.vertex->digest());
    EXPECT_EQ(first.config.json(), second.config.json());
}

TEST(ConvertStages, CancelStopsResolving) {
    Case c;
    base::CancelSource source;
    source.cancel();
    EXPECT_EQ(error_of([&] { convert("FROM base", c.options, c.resolver, source.token()); }).code(),
              base::ErrorCode::Canceled);
}

TEST(IgnoreFileNames, SpecificNameComesFirst) {
    const auto names = ignore_file_names("docker/Dockerfile.dev");
    EXPECT_EQ(names.next_to_dockerfile, "docker/Dockerfile.dev.dockerignore");
    EXPECT_EQ(names.in_context, ".dockerignore");
}

}  // namespace
}  // namespace mullion::frontend
