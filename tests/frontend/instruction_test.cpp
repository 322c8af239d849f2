#include "frontend/instruction.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::error_of;

Instruction one(std::string_view text) {
    return parse_instruction(parse(text, "Dockerfile").instructions.at(0));
}
template <typename Body>
Body body(std::string_view text) {
    return std::get<Body>(one(text).body);
}
std::string failure(std::string_view text) {
    return error_of([&] { one(text); }).what();
}
using Words = std::vector<std::string>;

TEST(Instruction, FromTakesOneOrThreeArguments) {
    const auto from = body<FromInstruction>("FROM --platform=$P base As Build-1");
    EXPECT_EQ(from.base, "base");
    EXPECT_EQ(from.stage_name, "build-1");
    EXPECT_EQ(from.platform, "$P");
    EXPECT_EQ(failure("FROM"), "FROM requires either one or three arguments");
    EXPECT_EQ(failure("FROM a b"), "FROM requires either one or three arguments");
    EXPECT_EQ(failure("FROM a TO b"), "FROM requires either one or three arguments");
    EXPECT_EQ(failure("FROM a AS 1b"),
              "invalid name for build stage: \"1b\", name can't start with a number or contain symbols");
}

TEST(Instruction, FlagErrors) {
    EXPECT_EQ(failure("COPY --fro=x a b"), "unknown flag: --fro (did you mean from?)");
    EXPECT_EQ(failure("COPY --nothing=x a b"), "unknown flag: --nothing");
    EXPECT_EQ(failure("COPY --from=x --from=y a b"), "duplicate flag specified: --from");
    EXPECT_EQ(failure("COPY --from a b"), "missing a value on flag: --from");
    EXPECT_EQ(failure("COPY --link= a b"), "missing a value on flag: --link");
    EXPECT_EQ(failure("COPY --link=1 a b"), "expecting boolean value for flag --link, not: 1");
    EXPECT_EQ(failure("ENV --x a=b"), "unknown flag: --x");
    EXPECT_EQ(failure("ADD --from=x a b"), "unknown flag: --from");
    EXPECT_TRUE(body<CopyInstruction>("COPY --link=TRUE a b").link);
    EXPECT_FALSE(body<CopyInstruction>("COPY --link=false a b").link);
    EXPECT_NO_THROW(one("ARG --x a"));
    EXPECT_NO_THROW(one("STOPSIGNAL --x 9"));
    EXPECT_NO_THROW(one("HEALTHCHECK --x NONE"));
}

TEST(Instruction, CopyAndAddKnowTheirFlags) {
    const auto copy = body<CopyInstruction>(
        "COPY --from=b --chown=u:g --chmod=644 --link --parents --exclude=*.txt --exclude=x a b /c/");
    EXPECT_EQ(copy.sources, (Words{"a", "b"}));
    EXPECT_EQ(copy.destination, "/c/");
    EXPECT_EQ(copy.from, "b");
    EXPECT_EQ(copy.chown, "u:g");
    EXPECT_EQ(copy.chmod, "644");
    EXPECT_TRUE(copy.parents);
    EXPECT_EQ(copy.exclude, (Words{"*.txt", "x"}));
    const auto add = body<CopyInstruction>("ADD --keep-git-dir --checksum=sha256:00 --unpack=false a b");
    EXPECT_TRUE(add.is_add);
    EXPECT_EQ(add.keep_git_dir, true);
    EXPECT_EQ(add.unpack, false);
    EXPECT_EQ(add.checksum, "sha256:00");
}

TEST(Instruction, CopyAndAddDoNotShareAllFlags) {
    EXPECT_EQ(failure("COPY --keep-git-dir a b"), "unknown flag: --keep-git-dir");
    EXPECT_EQ(failure("COPY --unpack a b"), "unknown flag: --unpack");
    EXPECT_EQ(failure("COPY --checksum=sha256:00 a b"), "unknown flag: --checksum");
    EXPECT_EQ(failure("ADD --parents a b"), "unknown flag: --parents");
    const auto add = body<CopyInstruction>("ADD --exclude=x --exclude=y --chown=u --chmod=644 --link a b");
    EXPECT_EQ(add.exclude, (Words{"x", "y"}));
    EXPECT_EQ(add.chown, "u");
    EXPECT_EQ(add.chmod, "644");
    EXPECT_TRUE(add.link);
}

TEST(Instruction, MostInstructionsHaveNoFlags) {
    for (const auto* text :
         {"CMD --x a", "ENTRYPOINT --x a", "ENV --x a=b", "EXPOSE --x 1", "LABEL --x a=b", "MAINTAINER --x a",
          "ONBUILD --x RUN a", "SHELL --x [\"a\"]", "USER --x a", "VOLUME --x a", "WORKDIR --x a",
          "FROM --x a", "RUN --x a", "HEALTHCHECK --x CMD a"})
        EXPECT_EQ(failure(text), "unknown flag: --x") << text;
}

TEST(Instruction, OnlyListsMayBeRepeated) {
    EXPECT_EQ(failure("RUN --network=none --network=none x"), "duplicate flag specified: --network");
    EXPECT_EQ(failure("RUN --security=sandbox --security=sandbox x"), "duplicate flag specified: --security");
    EXPECT_EQ(failure("FROM --platform=a --platform=a b"), "duplicate flag specified: --platform");
    EXPECT_EQ(failure("HEALTHCHECK --retries=1 --retries=1 CMD x"), "duplicate flag specified: --retries");
    EXPECT_EQ(failure("ADD --checksum=a --checksum=a b c"), "duplicate flag specified: --checksum");
    EXPECT_NO_THROW(one("RUN --mount=target=/a --mount=target=/b --device=a/b --device=c/d x"));
}

TEST(Instruction, CopyNeedsADestination) {
    EXPECT_EQ(failure("COPY a"),
              "COPY requires at least two arguments, but only one was provided. Destination could not be "
              "determined");
    EXPECT_EQ(failure("ADD"),
              "ADD requires at least two arguments, but only one was provided. Destination could not be "
              "determined");
    EXPECT_EQ(failure("COPY a <<E\nE"), "COPY cannot accept a heredoc as a destination");
}

TEST(Instruction, CopyTakesHeredocsAsSources) {
    const auto copy = body<CopyInstruction>("COPY <<A x <<-\"B\" /d/\n1\nA\n\t2\nB");
    EXPECT_EQ(copy.sources, (Words{"x"}));
    ASSERT_EQ(copy.contents.size(), 2u);
    EXPECT_EQ(copy.contents[0], (Heredoc{"A", true, false, "1\n"}));
    EXPECT_EQ(copy.contents[1], (Heredoc{"B", false, true, "\t2\n"}));
}

TEST(Instruction, CommandsHaveAShellAndAnExecForm) {
    EXPECT_TRUE(body<CmdInstruction>("CMD a b").command.shell_form);
    EXPECT_FALSE(body<CmdInstruction>("CMD [\"a\"]").command.shell_form);
    EXPECT_EQ(body<EntrypointInstruction>("ENTRYPOINT [\"a\",\"b c\"]").command.arguments,
              (Words{"a", "b c"}));
    EXPECT_NO_THROW(one("CMD"));
    EXPECT_NO_THROW(one("RUN"));
}

TEST(Instruction, RunChecksItsOptions) {
    EXPECT_EQ(failure("RUN --network=fake x"), "invalid network mode \"fake\"");
    EXPECT_EQ(failure("RUN --security=none x"), "security \"none\" is not valid");
    EXPECT_EQ(failure("RUN --mount=from=$X x"),
              "'from' doesn't support variable expansion, define alias stage instead");
    EXPECT_EQ(body<RunInstruction>("RUN --mount=from=a --mount=type=cache,target=/x y").mount_froms,
              (Words{"a", ""}));
    EXPECT_EQ(body<RunInstruction>("RUN x").network, "default");
}

TEST(Instruction, ShellWantsJson) {
    EXPECT_EQ(body<ShellInstruction>("SHELL [\"powershell\", \"-Command\"]").shell,
              (Words{"powershell", "-Command"}));
    EXPECT_EQ(failure("SHELL powershell"), "SHELL requires the arguments to be in JSON form");
    EXPECT_EQ(failure("SHELL []"), "SHELL requires at least one argument");
}

TEST(Instruction, HealthcheckKindsAndOptions) {
    using namespace std::chrono_literals;
    EXPECT_EQ(body<HealthcheckInstruction>("HEALTHCHECK none").check.test, (Words{"NONE"}));
    const auto check =
        body<HealthcheckInstruction>(
            "HEALTHCHECK --interval=5m --timeout=3s --start-period=1s --start-interval=2s --retries=4 "
            "cmd curl -f http://x || exit 1")
            .check;
    EXPECT_EQ(check.test, (Words{"CMD-SHELL", "curl -f http://x || exit 1"}));
    EXPECT_EQ(check.interval, 5min);
    EXPECT_EQ(check.timeout, 3s);
    EXPECT_EQ(check.start_period, 1s);
    EXPECT_EQ(check.start_interval, 2s);
    EXPECT_EQ(check.retries, 4);
    EXPECT_EQ(body<HealthcheckInstruction>("HEALTHCHECK CMD [\"a\"]").check.test, (Words{"CMD", "a"}));
    EXPECT_EQ(failure("HEALTHCHECK"), "HEALTHCHECK requires at least one argument");
    EXPECT_EQ(failure("HEALTHCHECK NONE x"), "HEALTHCHECK NONE takes no arguments");
    EXPECT_EQ(failure("HEALTHCHECK CMD"), "Missing command after HEALTHCHECK CMD");
    EXPECT_EQ(failure("HEALTHCHECK curl x"), "Unknown type \"CURL\" in HEALTHCHECK (try CMD)");
    EXPECT_EQ(failure("HEALTHCHECK --interval=1us CMD x"), "Interval \"interval\" cannot be less than 1ms");
    EXPECT_EQ(failure("HEALTHCHECK --retries=-1 CMD x"), "--retries cannot be negative (-1)");
    EXPECT_NO_THROW(one("HEALTHCHECK --timeout=0s CMD x"));
    EXPECT_EQ(failure("HEALTHCHECK --start-interval=1us CMD x"),
              "Interval \"start-interval\" cannot be less than 1ms");
}

TEST(Instruction, ArgumentCounts) {
    for (const auto* name : {"MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR"})
        EXPECT_EQ(failure(name), std::string(name) + " requires exactly one argument");
    for (const auto* name : {"ENV", "LABEL", "ARG", "EXPOSE", "VOLUME", "ONBUILD", "HEALTHCHECK"})
        EXPECT_EQ(failure(name), std::string(name) + " requires at least one argument");
}

TEST(Instruction, BlankNames) {
    EXPECT_EQ(failure("ENV =x"), "ENV names can not be blank");
    EXPECT_EQ(failure("LABEL =x"), "LABEL names can not be blank");
    EXPECT_EQ(failure("ARG =x"), "ARG names can not be blank");
    EXPECT_EQ(failure("VOLUME [\" \"]"), "VOLUME specified can not be an empty string");
}

TEST(Instruction, ExposeIsSorted) {
    EXPECT_EQ(body<ExposeInstruction>("EXPOSE 9 80 100").ports, (Words{"100", "80", "9"}));
}

TEST(Instruction, OnbuildKeepsTheTriggersText) {
    EXPECT_EQ(body<OnbuildInstruction>("onbuild  RUN  a  b").trigger, "RUN  a  b");
    EXPECT_EQ(body<OnbuildInstruction>("ONBUILD COPY <<E /x\nbody\nE").trigger, "COPY <<E /x\nbody\nE");
    EXPECT_NO_THROW(one("ONBUILD whatever x"));
    EXPECT_EQ(failure("ONBUILD ONBUILD RUN x"), "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    EXPECT_EQ(failure("ONBUILD from x"), "FROM isn't allowed as an ONBUILD trigger");
    EXPECT_EQ(failure("ONBUILD MAINTAINER x"), "MAINTAINER isn't allowed as an ONBUILD trigger");
}

TEST(Instruction, UnknownNamesGetASuggestion) {
    EXPECT_EQ(failure("RUM x"), "unknown instruction: RUM (did you mean RUN?)");
    EXPECT_EQ(failure("Frobnicate x"), "unknown instruction: Frobnicate");
}

}  // namespace
}  // namespace mullion::frontend
