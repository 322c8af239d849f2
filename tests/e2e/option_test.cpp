#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mullion.hpp"

namespace mullion {
namespace {

using testing::HasSubstr;

class Options : public testing::Test {
  protected:
    test::Workspace workspace;

    // Exit code 2 and a message that names `culprit`.
    void expect_usage_error(std::vector<std::string> args, const std::string& culprit) {
        auto output = workspace.run(args);
        EXPECT_EQ(output.exit_code, 2) << output.err;
        EXPECT_THAT(output.err, HasSubstr(culprit));
    }
};

TEST_F(Options, EveryCommandHasHelp) {
    for (const char* command : {"build", "run", "images", "inspect", "tag", "rmi", "load", "save", "base",
                                "image", "doctor", "version"}) {
        auto output = workspace.run({command, "--help"});
        EXPECT_EQ(output.exit_code, 0) << command;
        EXPECT_THAT(output.out, HasSubstr("Usage: ")) << command;
    }
}

TEST_F(Options, NoCommandIsAUsageError) {
    expect_usage_error({}, "subcommand");
}

TEST_F(Options, UnknownOptionIsAUsageError) {
    expect_usage_error({"build", "--squash", "."}, "--squash");
    expect_usage_error({"images", "--all-of-them"}, "--all-of-them");
}

TEST_F(Options, UnknownOutputAttributeIsAUsageError) {
    workspace.write("Dockerfile", "FROM scratch\n");
    expect_usage_error({"build", "-o", "type=oci,dest=x.tar,colour=blue", "."}, "colour");
    expect_usage_error({"build", "-o", "type=floppy,dest=x", "."}, "floppy");
    expect_usage_error({"build", "-o", "type=local", "."}, "dest");
}

TEST_F(Options, MalformedValuesAreUsageErrors) {
    workspace.write("Dockerfile", "FROM scratch\n");
    expect_usage_error({"build", "-t", "library/UPPER", "."}, "library/UPPER");
    expect_usage_error({"build", "--platform", "windows/amd64/x/y", "."}, "windows/amd64/x/y");
    expect_usage_error({"build", "--build-context", "nameonly", "."}, "nameonly");
    expect_usage_error({"build", "--progress", "fancy", "."}, "fancy");
    std::string endless(300, 'x');
    expect_usage_error({"run", "-v", endless + ":C:\\x", "image"}, endless);
    expect_usage_error({"run", "--network", "", "image"}, "--network");
    expect_usage_error({"run", "--cni-config", "", "image"}, "--cni-config");
    expect_usage_error({"build", "--cni-config", "", "."}, "--cni-config");
    expect_usage_error({"run", "--network=", "image"}, "invalid --network \"\"");
    expect_usage_error({"build", "--cni-config=", "."}, "invalid --cni-config \"\"");
}

TEST_F(Options, WhatContradictsItselfIsAUsageError) {
    workspace.write("Dockerfile", "FROM scratch\n");
    expect_usage_error({"build", "-q", "."}, "--quiet");
    expect_usage_error({"build", "-q", "-o", "type=oci", "."}, "--quiet");
    expect_usage_error({"build", "-q", "-t", "a", "--progress", "plain", "."}, "--progress");
    expect_usage_error({"build", "--iidfile", "f", "-o", "type=local,dest=d", "."}, "--iidfile");
    expect_usage_error({"build", "-t", "a", "-o", "type=local,dest=d", "."}, "-t a");
    expect_usage_error({"build", "-o", "-", "-o", "type=oci", "."}, "standard output");
    expect_usage_error({"build", "--build-context", "context=.", "."}, "cannot be replaced");
    std::string digest = "a@sha256:" + std::string(64, '0');
    expect_usage_error({"build", "-t", digest, "."}, "digest");
    expect_usage_error({"build", "-o", "type=oci,dest=x,name=" + digest, "."}, "digest");
}

TEST_F(Options, LostOutputIsNoSuccess) {
    auto output = workspace.run({"version"}, {"sh", "-c", "exec \"$0\" \"$@\" > /dev/full"});
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_THAT(output.err, HasSubstr("standard output"));
}

TEST_F(Options, WhatCannotBeDoneIsRefusedWithAReason) {
    workspace.write("Dockerfile", "FROM scratch\n");
    const std::vector<std::vector<std::string>> refused = {{"--attest", "type=provenance,mode=max"},
                                                           {"--provenance", "true"},
                                                           {"--sbom", "true"},
                                                           {"--cache-from", "type=registry,ref=x"},
                                                           {"--cache-to", "type=inline"},
                                                           {"--shm-size", "1g"},
                                                           {"--ulimit", "nofile=1024"},
                                                           {"--cgroup-parent", "x"}};
    for (std::vector<std::string> flag : refused) {
        flag.insert(flag.begin(), "build");
        flag.emplace_back(".");
        auto output = workspace.run(flag);
        EXPECT_EQ(output.exit_code, 2) << flag[1];
        EXPECT_THAT(output.err, HasSubstr(flag[1]));
        EXPECT_THAT(output.err, HasSubstr("hint: ")) << flag[1];
    }
    auto off = workspace.run({"build", "--provenance=false", "--sbom=false", "--attest",
                              "type=sbom,disabled=true", "--load", "-t", "x", "."});
    EXPECT_EQ(off.exit_code, 0) << off.err;
    EXPECT_THAT(workspace.run({"images"}).out, HasSubstr("x "));
}

TEST_F(Options, ContradictionsAreUsageErrors) {
    workspace.write("Dockerfile", "FROM scratch\n");
    expect_usage_error({"build", "--no-cache", "--no-cache-filter", "a", "."}, "--no-cache-filter");
    expect_usage_error({"build", "--load", "."}, "--load");
    expect_usage_error({"build", "--annotation", "a=b", "-o", "type=local,dest=x", "."}, "--annotation");
    expect_usage_error({"build", "--annotation", "com.example:a=b", "-t", "x", "."}, "com.example");
    expect_usage_error({"build", "--multi-platform", "maybe", "."}, "multi-platform");
    expect_usage_error({"build", "--platform", "windows/amd64,windows/arm64", "--multi-platform=false", "."},
                       "multi-platform");
    expect_usage_error({"build", "--platform", "windows/amd64,", "."}, "platform");
}

TEST_F(Options, VersionPrintsOneLine) {
    auto output = workspace.run({"version"});
    EXPECT_EQ(output.exit_code, 0);
    EXPECT_THAT(output.out, testing::MatchesRegex("mullion [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

}  // namespace
}  // namespace mullion
