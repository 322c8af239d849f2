#include <gmock/gmock.h>
#include <unistd.h>

#include <map>

#include "base/json.hpp"
#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

struct Check {
    std::string status;
    std::string found;
    std::string fix;
    bool fixed = false;
};

// The JSON form, member by member as docs/cli.md has it: anything else fails the test.
std::map<std::string, Check> parse(const std::string& text) {
    base::Json json = base::parse_json(text, "doctor");
    base::JsonView view(json, "doctor");
    view.only({"problems", "warnings", "checks"});
    std::map<std::string, Check> checks;
    std::uint64_t problems = 0, warnings = 0;
    for (const base::JsonView& each : view.at("checks").array()) {
        each.only({"name", "status", "found", "fix", "fixed"});
        Check check{each.at("status").string(), each.at("found").string(), each.string_or("fix", ""),
                    each.at("fixed").boolean()};
        EXPECT_TRUE(each.raw().contains("fix"));
        EXPECT_THAT(check.status, AnyOf("ok", "warning", "problem", "skipped"));
        problems += check.status == "problem";
        warnings += check.status == "warning";
        EXPECT_TRUE(checks.emplace(each.at("name").string(), check).second);
    }
    EXPECT_EQ(view.at("problems").size(), problems);
    EXPECT_EQ(view.at("warnings").size(), warnings);
    return checks;
}

class Doctor : public test::ContainerTest {
  protected:
    std::map<std::string, Check> look(int exit_code, std::vector<std::string> more = {},
                                      std::vector<std::string> prefix = {}) {
        std::vector<std::string> arguments = {"doctor", "--format", "json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        base::ProcessOutput output = workspace.run(arguments, std::move(prefix));
        EXPECT_EQ(output.exit_code, exit_code) << output.out << output.err;
        return parse(output.out);
    }
};

TEST_F(Doctor, FindsNoProblemWhereContainersRun) {
    look(0, {"--fix"});  // the Wine layer, unless another test made it
    auto checks = look(0);
    for (const char* name : {"state-directory", "kernel", "namespaces", "overlayfs", "call-filter", "wine",
                             "wine-layer", "self-test", "git", "credential-helpers"}) {
        EXPECT_EQ(checks[name].status, "ok") << name << ": " << checks[name].found;
        EXPECT_FALSE(checks[name].fixed) << name;
    }
    EXPECT_THAT(checks["wine"].found, HasSubstr("wine-8"));
    EXPECT_EQ(checks["ssh-agent"].status, "skipped");
}

TEST_F(Doctor, TheTextHasALineForEachCheckAndASummary) {
    base::ProcessOutput output = workspace.run({"doctor"});
    EXPECT_EQ(output.exit_code, 0) << output.err;
    EXPECT_THAT(output.out, HasSubstr("\nok       namespaces "));
    EXPECT_THAT(output.out, HasSubstr("\nno problem, "));
}

TEST_F(Doctor, AStateWithoutWineLayerIsAWarning) {
    auto checks = look(0, {"--state", workspace.path("fresh").string()});
    EXPECT_EQ(checks["wine-layer"].status, "warning");
    EXPECT_EQ(checks["wine-layer"].fix, "mullion doctor --fix");
    EXPECT_EQ(checks["self-test"].status, "skipped");
}

TEST_F(Doctor, AStateThatCannotBeWrittenIsOneProblem) {
    workspace.write("file", "");
    auto checks = look(1, {"--state", workspace.path("file/state").string()});
    EXPECT_EQ(checks["state-directory"].status, "problem");
    EXPECT_THAT(checks["state-directory"].found, HasSubstr("file/state"));
    EXPECT_THAT(checks["state-directory"].fix, HasSubstr("MULLION_STATE"));
    for (const char* name : {"free-space", "file-system", "overlayfs", "wine-layer", "self-test"}) {
        EXPECT_EQ(checks[name].status, "skipped") << name << ": " << checks[name].found;
    }
}

// A mount namespace in which Wine's directory is empty.
TEST_F(Doctor, MissingWineIsAProblemWithAFix) {
    std::string flags = ::geteuid() == 0 ? "-m" : "-rm";
    auto checks =
        look(1, {}, {"unshare", flags, "sh", "-c", "mount -t tmpfs none /usr/lib/wine && exec \"$@\"", "sh"});
    EXPECT_EQ(checks["wine"].status, "problem");
    EXPECT_THAT(checks["wine"].found, HasSubstr("/usr/lib/wine/wine64 is missing"));
    EXPECT_THAT(checks["wine"].fix, HasSubstr("apt-get install wine64"));
    EXPECT_EQ(checks["wine-layer"].status, "skipped");
    EXPECT_EQ(checks["self-test"].status, "skipped");
}

TEST_F(Doctor, ProgramsThatAreNotInPathAreTold) {
    workspace.write(".docker/config.json",
                    R"({"credsStore": "absent", "credHelpers": {"a.example": "gone"}})");
    workspace.set_environment("PATH", workspace.path().string());
    auto checks = look(1);
    EXPECT_EQ(checks["git"].status, "warning");
    EXPECT_THAT(checks["git"].fix, HasSubstr("install git"));
    EXPECT_EQ(checks["credential-helpers"].status, "problem");
    EXPECT_THAT(checks["credential-helpers"].found,
                HasSubstr("docker-credential-absent, docker-credential-gone"));
}

TEST_F(Doctor, AGitThatDoesNotWorkIsAWarningOfOneLine) {
    for (const char* program : {"#!/nowhere/sh\n", "#!/bin/sh\necho broken >&2\necho really >&2\nexit 3\n"}) {
        workspace.write("git", program);
        std::filesystem::permissions(workspace.path("git"), std::filesystem::perms::owner_all);
        workspace.set_environment("PATH", workspace.path().string());
        auto checks = look(0);
        EXPECT_EQ(checks["git"].status, "warning");
        EXPECT_THAT(checks["git"].found, HasSubstr("does not work: "));
        EXPECT_THAT(checks["git"].found, testing::Not(HasSubstr("\n")));
        EXPECT_EQ(checks["git"].fix, "install git anew");
    }
}

TEST_F(Doctor, CredentialsThatCannotBeReadAreAProblemWithAFix) {
    workspace.write(".docker/config.json", "{");
    auto checks = look(1);
    EXPECT_EQ(checks["credential-helpers"].status, "problem");
    EXPECT_THAT(checks["credential-helpers"].fix, HasSubstr(".docker/config.json"));
}

TEST_F(Doctor, AnAgentThatIsGoneIsAWarning) {
    workspace.set_environment("SSH_AUTH_SOCK", workspace.path("gone.sock").string());
    auto checks = look(0);
    EXPECT_EQ(checks["ssh-agent"].status, "warning");
    EXPECT_THAT(checks["ssh-agent"].fix, HasSubstr("ssh-agent"));
}

TEST_F(Doctor, UnknownFormatsAreUsageErrors) {
    EXPECT_EQ(workspace.run({"doctor", "--format", "xml"}).exit_code, 2);
}

}  // namespace
}  // namespace mullion
