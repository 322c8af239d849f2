// outline and targets (dockerfile.md §16).
#include "frontend/outline.hpp"

#include <gmock/gmock.h>

#include "lint_support.hpp"

namespace mullion::frontend {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Outline outline_of(std::string_view text, const std::string& target = "") {
    Options options;
    options.platform = options.build_platform = oci::Platform::parse("windows/amd64");
    options.target = target;
    options.lint_only = true;
    options.build_args = {{"GIVEN", "by hand"}};
    AssumedImages images;
    Findings findings;
    convert(text, options, images, {}, findings);
    return findings.outline;
}

std::vector<std::string> arguments_of(const Outline& outline) {
    std::vector<std::string> out;
    for (const auto& argument : outline.arguments)
        out.push_back(std::to_string(argument.range.first_line) + " " + argument.name + "=" + argument.value +
                      " (" + argument.description + ")");
    return out;
}

std::vector<std::string> names(const std::vector<Outline::Credential>& credentials) {
    std::vector<std::string> out;
    for (const auto& credential : credentials)
        out.push_back(credential.name + (credential.required ? "!" : ""));
    return out;
}

TEST(Outline, ArgumentsThatTheTargetUses) {
    const auto outline = outline_of(
        "# TAG of the base\nARG TAG=1\nARG UNUSED=2\nARG PART=3\nARG WHOLE=x$PART\nARG GIVEN=no\n"
        "FROM base:$TAG AS a\n# other\n# LOCAL is here\nARG LOCAL=$TAG\n"
        "FROM base:$WHOLE AS b\nARG GIVEN\nARG UNSET\n");
    EXPECT_EQ(outline.name, "b");
    EXPECT_THAT(arguments_of(outline),
                ElementsAre("4 PART=3 ()", "5 WHOLE=x3 ()", "12 GIVEN=by hand ()", "13 UNSET= ()"));
}

TEST(Outline, StagesThatTheTargetNeedsCount) {
    const auto text =
        "ARG TAG=1\nFROM base:$TAG AS a\n# LOCAL is here\nARG LOCAL=l\nFROM base AS other\nARG NO=1\n"
        "# final puts it together\nFROM base AS final\nCOPY --from=a x C:/\n";
    EXPECT_THAT(arguments_of(outline_of(text)), ElementsAre("1 TAG=1 ()", "4 LOCAL=l (is here)"));
    EXPECT_EQ(outline_of(text).description, "puts it together");
    EXPECT_THAT(arguments_of(outline_of(text, "other")), ElementsAre("6 NO=1 ()"));
}

TEST(Outline, SecretsAndSsh) {
    const auto outline = outline_of(
        "FROM base AS a\nRUN --mount=type=secret,id=token,required=true x\n"
        "FROM a\nRUN --mount=type=secret,target=/run/secrets/key x\nRUN --mount=type=ssh x\n"
        "RUN --mount=type=ssh,id=deploy,required x\nRUN --mount=type=secret,id=token x\n");
    EXPECT_THAT(names(outline.secrets), testing::UnorderedElementsAre("key", "token"));
    EXPECT_THAT(names(outline.ssh), ElementsAre("default", "deploy!"));
}

TEST(Targets, EveryStageInOrder) {
    const auto targets = list_targets(
        "# build compiles\nFROM --platform=$BUILDPLATFORM go:1 AS Build\nFROM base\n# comment\nFROM base AS "
        "final\n",
        "f");
    ASSERT_EQ(targets.size(), 3u);
    EXPECT_EQ(targets[0].name, "build");
    EXPECT_EQ(targets[0].description, "compiles");
    EXPECT_EQ(targets[0].base, "go:1");
    EXPECT_EQ(targets[0].platform, "$BUILDPLATFORM");
    EXPECT_EQ(targets[0].range.first_line, 2);
    EXPECT_FALSE(targets[0].is_default);
    EXPECT_EQ(targets[1].name, "");
    EXPECT_EQ(targets[2].name, "final");
    EXPECT_EQ(targets[2].description, "");
    EXPECT_TRUE(targets[2].is_default);
}

TEST(Targets, ErrorsAreThoseOfTheFile) {
    EXPECT_EQ(test::described(test::error_of([] { list_targets("FROM a\nRUM x\n", "f"); })),
              "2: dockerfile parse error on line 2: unknown instruction: RUM (did you mean RUN?)");
    EXPECT_THROW(list_targets("", "f"), base::Error);
}

}  // namespace
}  // namespace mullion::frontend
