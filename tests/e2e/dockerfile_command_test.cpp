// `dockerfile check|outline|targets|ignore` and `build --call`, as users and tools run them (dockerfile.md
// §16, §21).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/mullion.hpp"

namespace mullion {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class DockerfileCommand : public testing::Test {
  protected:
    base::ProcessOutput run(std::vector<std::string> args) {
        args.insert(args.begin(), "dockerfile");
        return workspace.run(std::move(args));
    }
    test::Workspace workspace;
};

TEST_F(DockerfileCommand, CheckShowsTheLines) {
    workspace.write("Dockerfile", "FROM scratch AS Build\nCOPY a C:/\n");
    auto output = run({"check", "Dockerfile"});
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_EQ(output.out,
              "Check complete, 1 warning has been found!\n"
              "\n"
              "WARNING: StageNameCasing - https://docs.docker.com/go/dockerfile/rule/stage-name-casing/\n"
              "Stage name 'Build' should be lowercase\n"
              "Dockerfile:1\n"
              "--------------------\n"
              "   1 | >>> FROM scratch AS Build\n"
              "   2 |     COPY a C:/\n"
              "--------------------\n");
    EXPECT_EQ(output.err, "");
}

TEST_F(DockerfileCommand, CheckOfACleanFile) {
    workspace.write("Dockerfile", "FROM anything:1\nCOPY a C:/\n");
    auto output = run({"check", "Dockerfile"});
    EXPECT_EQ(output.exit_code, 0) << output.err;
    EXPECT_EQ(output.out, "Check complete, no warnings found.\n");
}

TEST_F(DockerfileCommand, CheckGoesOnToTheError) {
    workspace.write("Dockerfile", "FROM scratch AS Build\nCOPY a C:/\nRUM x\n");
    auto output = run({"check", "Dockerfile"});
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_THAT(output.out, HasSubstr("StageNameCasing"));
    EXPECT_THAT(output.err, AllOf(HasSubstr("   3 | >>> RUM x"), HasSubstr("unknown instruction: RUM")));
}

TEST_F(DockerfileCommand, CheckAsJson) {
    workspace.write("app/Dockerfile", "FROM base AS Build\nARG X\nADD a.msi C:/\nCOPY $X/secret C:/\n");
    workspace.write("app/Dockerfile.dockerignore", "# comment\nv/secret\n");
    auto output = run(
        {"check", "--format", "json", "--platform", "windows/amd64", "--build-arg", "X=v", "app/Dockerfile"});
    EXPECT_EQ(output.exit_code, 1) << output.err;
    EXPECT_EQ(json::parse(output.out), json::parse(R"({"warnings":[
                {"rule":"StageNameCasing","line":1,"message":"Stage name 'Build' should be lowercase"},
                {"rule":"CopyIgnoredFile","line":4,
                 "message":"Attempting to Copy file \"v/secret\" that is excluded by .dockerignore"}],"error":null})"));
    output = run({"check", "--format", "json", "--windows-rules", "app/Dockerfile"});
    EXPECT_THAT(output.out, HasSubstr("AddDoesNotInstall"));
    output = run({"check", "--no-windows-rules", "app/Dockerfile"});
    EXPECT_THAT(output.out, Not(HasSubstr("AddDoesNotInstall")));
    output = run({"check", "app/Dockerfile"});
    EXPECT_THAT(output.out, HasSubstr("AddDoesNotInstall"));
    EXPECT_EQ(run({"check", "--windows-rules", "--no-windows-rules", "app/Dockerfile"}).exit_code, 2);
}

TEST_F(DockerfileCommand, CheckAsJsonOfAnError) {
    workspace.write("Dockerfile", "FROM base\nCOPY a\n");
    auto output = run({"check", "--format", "json", "Dockerfile"});
    EXPECT_EQ(output.exit_code, 1);
    auto error = json::parse(output.out).at("error");
    EXPECT_EQ(error.at("line"), 2);
    EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("COPY requires at least two arguments"));
    EXPECT_EQ(json::parse(run({"check", "--format", "json", "missing"}).out).at("error").at("line"), 0);
}

TEST_F(DockerfileCommand, FixWritesOnceAndKeepsThePermissions) {
    workspace.write("real", "from base as Build\r\nRUN a\r\nRUN b\r\n");
    fs::permissions(workspace.path("real"), fs::perms::owner_read | fs::perms::owner_write);
    fs::create_symlink("real", workspace.path("Dockerfile"));
    auto output = run({"check", "--fix", "Dockerfile"});
    EXPECT_EQ(output.exit_code, 0) << output.out;
    EXPECT_THAT(output.err, StartsWith("Dockerfile: repaired 3 places"));
    EXPECT_EQ(workspace.read("real"), "FROM base AS build\r\nRUN a\r\nRUN b\r\n");
    EXPECT_TRUE(fs::is_symlink(workspace.path("Dockerfile")));
    EXPECT_EQ(fs::status(workspace.path("real")).permissions(),
              fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(run({"check", "--fix", "Dockerfile"}).err, "");
}

TEST_F(DockerfileCommand, FixLeavesAFileWithErrorsAlone) {
    workspace.write("Dockerfile", "FROM base AS Build\nRUM x\n");
    EXPECT_EQ(run({"check", "--fix", "Dockerfile"}).exit_code, 1);
    EXPECT_EQ(workspace.read("Dockerfile"), "FROM base AS Build\nRUM x\n");
}

constexpr const char* kTwoStages =
    "# TAG of the base\nARG TAG=1\n# build compiles\nFROM base:$TAG AS build\n"
    "FROM base\nRUN --mount=type=secret,id=token,required x\nCOPY --from=build a C:/\n";

TEST_F(DockerfileCommand, Outline) {
    workspace.write("Dockerfile", kTwoStages);
    auto output = run({"outline", "Dockerfile"});
    EXPECT_EQ(output.exit_code, 0) << output.err;
    EXPECT_EQ(output.out,
              "BUILD ARG   VALUE   DESCRIPTION\n"
              "TAG         1       of the base\n\n"
              "SECRET   REQUIRED\n"
              "token    true\n\n");
    auto outline = json::parse(
        run({"outline", "--format", "json", "--target", "build", "--build-arg", "TAG=2", "Dockerfile"}).out);
    EXPECT_EQ(outline.at("name"), "build");
    EXPECT_EQ(outline.at("description"), "compiles");
    EXPECT_EQ(outline.at("args").at(0).at("value"), "2");
    EXPECT_EQ(outline.at("args").at(0).at("location").at("ranges").at(0).at("start").at("line"), 2);
    EXPECT_FALSE(outline.contains("secrets"));
}

TEST_F(DockerfileCommand, Targets) {
    workspace.write("Dockerfile", kTwoStages);
    EXPECT_EQ(run({"targets", "Dockerfile"}).out,
              "TARGET      DESCRIPTION\n"
              "build       compiles\n"
              "(default)   \n");
    auto targets = json::parse(run({"targets", "--format", "json", "Dockerfile"}).out).at("targets");
    EXPECT_EQ(targets.at(0).at("base"), "base:$TAG");
    EXPECT_FALSE(targets.at(0).contains("default"));
    EXPECT_EQ(targets.at(1).at("default"), true);
}

TEST_F(DockerfileCommand, ErrorsOfOutlineAndTargetsAreShown) {
    workspace.write("Dockerfile", "FROM base\nRUM x\n");
    for (const auto* command : {"outline", "targets"}) {
        auto output = run({command, "Dockerfile"});
        EXPECT_EQ(output.exit_code, 1);
        EXPECT_EQ(output.out, "");
        EXPECT_THAT(output.err, HasSubstr("   2 | >>> RUM x"));
    }
}

TEST_F(DockerfileCommand, Ignore) {
    workspace.write("patterns", "\xEF\xBB\xBF# comment\n*.log\n/node_modules/\n**/secret\n!keep.log\n");
    workspace.write(
        "paths",
        "a.log\nkeep.log\nsub/a.log\nnode_modules\nnode_modules/x/y\nsecret\nx/secret/y\nsrc/main.c\n");
    auto output = workspace.tool(
        {"sh", "-c", std::string(MULLION_BINARY_PATH) + " dockerfile ignore --patterns patterns < paths"});
    EXPECT_EQ(output.exit_code, 0) << output.err;
    EXPECT_EQ(output.out, "keep.log\nsub/a.log\nsrc/main.c\n");
    workspace.write("patterns", "a\n!\n");
    output = workspace.tool(
        {"sh", "-c", std::string(MULLION_BINARY_PATH) + " dockerfile ignore --patterns patterns < paths"});
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_EQ(output.out, "");
    EXPECT_THAT(output.err, HasSubstr("line 2: illegal exclusion pattern: \"!\""));
}

class BuildCommand : public DockerfileCommand {
  protected:
    base::ProcessOutput build(std::vector<std::string> args) {
        args.insert(args.begin(), {"build", "--progress", "plain"});
        args.push_back(workspace.path("context").string());
        return workspace.run(std::move(args));
    }
};

TEST_F(BuildCommand, CallCheckBuildsNothing) {
    workspace.write("context/Dockerfile", "FROM nowhere.example/x AS Build\nRUN a\nADD b.msi C:/\n");
    auto output = build({"--check", "-t", "never", "-o", "type=oci,dest=never.tar"});
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_THAT(output.out,
                AllOf(StartsWith("Check complete, 2 warnings have been found!\n"),
                      HasSubstr("WARNING: AddDoesNotInstall - docs/rules/add-does-not-install.md\n")));
    EXPECT_FALSE(fs::exists(workspace.path("never.tar")));
    auto result = json::parse(build({"--call=check,format=json"}).out);
    EXPECT_EQ(result.at("warnings").at(0).at("ruleName"), "StageNameCasing");
    EXPECT_EQ(result.at("warnings").at(0).at("location").at("ranges").at(0).at("start").at("line"), 1);
    EXPECT_EQ(result.at("sources").at(0).at("filename"), "Dockerfile");
}

TEST_F(BuildCommand, CallOutlineAndTargets) {
    workspace.write("context/Dockerfile", kTwoStages);
    EXPECT_THAT(build({"--call=outline"}).out, HasSubstr("token    true\n"));
    EXPECT_THAT(build({"--call=targets"}).out, HasSubstr("build       compiles\n"));
    EXPECT_TRUE(json::parse(build({"--call=targets,format=json"}).out).contains("targets"));
    EXPECT_EQ(build({"--call=nonsense"}).exit_code, 2);
    EXPECT_EQ(build({"--call=check,format=xml"}).exit_code, 2);
}

TEST_F(BuildCommand, ABuildShowsWarningsAndWhereTheyAreExplained) {
    workspace.write("context/Dockerfile", "FROM scratch AS Build\nCOPY Dockerfile C:/\n");
    auto plain = build({"-o", "type=local,dest=out"});
    ASSERT_EQ(plain.exit_code, 0) << plain.err;
    EXPECT_THAT(plain.err,
                HasSubstr("#1 WARN: StageNameCasing: Stage name 'Build' should be lowercase (line 1)\n"));
    auto raw = workspace.run(
        {"build", "--progress", "rawjson", "-o", "type=local,dest=out2", workspace.path("context").string()});
    EXPECT_THAT(raw.err,
                AllOf(HasSubstr(R"("url":"https://docs.docker.com/go/dockerfile/rule/stage-name-casing/")"),
                      HasSubstr(R"("range":[{"start":{"line":1},"end":{"line":1}}])")));
}

TEST_F(BuildCommand, ArgumentsThatNothingDeclaresAreWarnedOf) {
    workspace.write("context/Dockerfile", "FROM scratch\nARG USED\nCOPY Dockerfile C:/\n");
    auto output = build({"-o", "type=local,dest=out", "--build-arg", "USED=1", "--build-arg", "STRAY=1",
                         "--build-arg", "BUILDKIT_SYNTAX=x"});
    ASSERT_EQ(output.exit_code, 0) << output.err;
    EXPECT_THAT(output.err,
                AllOf(HasSubstr("WARN: --build-arg STRAY: "),
                      HasSubstr("WARN: --build-arg BUILDKIT_SYNTAX: "), Not(HasSubstr("--build-arg USED"))));
}

TEST_F(BuildCommand, ErrorTrueStopsTheBuildBehindTheWarnings) {
    workspace.write("context/Dockerfile", "# check=error=true\nFROM scratch AS Build\nCOPY Dockerfile C:/\n");
    auto output = build({"-o", "type=local,dest=out"});
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_THAT(output.err, AllOf(HasSubstr("WARN: StageNameCasing"),
                                  HasSubstr("lint violation found for rules: StageNameCasing")));
    EXPECT_FALSE(fs::exists(workspace.path("out")));
}

}  // namespace
}  // namespace mullion
