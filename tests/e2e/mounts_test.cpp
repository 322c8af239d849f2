// RUN --mount, --add-host and "# mullion:" under the emulation.
#include <gmock/gmock.h>

#include <thread>

#include "base/json.hpp"
#include "tests/support/container_test.hpp"
#include "tests/support/unix_server.hpp"

namespace mullion {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace fs = std::filesystem;

// A line of a step's output, which is more than a word of its title.
auto printed(const std::string& line) {
    return testing::ContainsRegex("#[0-9]+ [0-9.]+ [^\n]*" + line);
}

// What an ssh agent says that holds one key (draft-miller-ssh-agent, section 4.4).
std::string one_identity(const std::string& comment) {
    auto number = [](std::size_t value) { return std::string(3, '\0') + static_cast<char>(value); };
    std::string answer = "\x0c" + number(1) + number(3) + "key" + number(comment.size()) + comment;
    return number(answer.size()) + answer;
}

class Mounts : public test::ContainerTest {
  protected:
    std::vector<std::string> cache_mounts() {
        std::vector<std::string> lines;
        std::istringstream out(workspace.run({"cache", "mounts", "ls", "--format", "json"}).out);
        for (std::string line; std::getline(out, line);) lines.push_back(line);
        return lines;
    }
};

TEST_F(Mounts, BindShowsFilesAndDirectoriesAndDiscardsWhatIsWritten) {
    workspace.write("context/src/a.txt", "from the context");
    workspace.write("context/tool.txt", "from a stage");
    auto built = build(
        "# escape=`\n"
        "FROM base AS tools\n"
        "COPY tool.txt C:\\t\\\n"
        "FROM base\n"
        "WORKDIR C:\\work\n"
        "RUN --mount=source=src,target=in,rw --mount=from=tools,source=/t/tool.txt,target=C:\\cfg\\tool.ini "
        "`\n"
        "    type in\\a.txt & type C:\\cfg\\tool.ini & echo scribbled> in\\a.txt & echo x> in\\new.txt `\n"
        "    & type in\\a.txt & (echo x> C:\\cfg\\tool.ini || echo read-only) & echo kept> kept.txt\n",
        {"-o", "type=local,dest=out"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    for (const char* line : {"from the context", "from a stage", "scribbled", "read-only"})
        EXPECT_THAT(built.err, printed(line));
    EXPECT_EQ(workspace.read("context/src/a.txt"), "from the context");
    EXPECT_TRUE(fs::exists(workspace.path("out/work/kept.txt")));
    EXPECT_FALSE(fs::exists(workspace.path("out/work/in")));
    EXPECT_FALSE(fs::exists(workspace.path("out/cfg")));
}

TEST_F(Mounts, CachesOutliveTheBuildAndAreNoPartOfIt) {
    const char* dockerfile =
        "# escape=`\nFROM base\n"
        "RUN --mount=type=cache,target=C:\\nuget,id=packages echo once>> C:\\nuget\\log & type "
        "C:\\nuget\\log\n";
    ASSERT_EQ(build(dockerfile, {"-o", "type=local,dest=out"}).exit_code, 0);
    EXPECT_FALSE(fs::exists(workspace.path("out/nuget")));
    auto again = build(dockerfile, {"--no-cache"});
    // cmd's echo keeps the blank before the next operator.
    EXPECT_THAT(again.err, testing::ContainsRegex("once *\n#[0-9]+ [0-9.]+ once"));
    auto mounts = cache_mounts();
    ASSERT_EQ(mounts.size(), 1u);
    base::Json mount = base::Json::parse(mounts[0]);
    EXPECT_EQ(mount["MountID"], "/packages");
    EXPECT_EQ(mount["UsageCount"], 2);
    EXPECT_GE(mount["Size"], 2 * std::string("once\r\n").size());
    EXPECT_EQ(mount["InUse"], false);
    EXPECT_THAT(workspace.run({"cache", "mounts", "ls"}).out, HasSubstr("/packages"));
    EXPECT_EQ(workspace.run({"cache", "mounts", "prune", "--filter", "until=24h"}).out, "Total: 0B\n");
    EXPECT_EQ(workspace.run({"cache", "mounts", "rm", mount["ID"]}).exit_code, 0);
    EXPECT_THAT(cache_mounts(), IsEmpty());
    EXPECT_EQ(workspace.run({"cache", "mounts", "rm", mount["ID"]}).exit_code, 1);
}

TEST_F(Mounts, StepsThatRunAtTheSameTimeTakeTurnsAtALockedCache) {
    auto step = [](const std::string& word) {
        return "RUN --mount=type=cache,target=C:\\c,sharing=locked if exist C:\\c\\busy (exit 9) else "
               "(echo x> C:\\c\\busy & ping -n 2 127.0.0.1 > nul & del C:\\c\\busy & echo " +
               word + ">> C:\\c\\log)\n";
    };
    auto built = build("# escape=`\nFROM base AS one\n" + step("one") + "FROM base AS two\n" + step("two") +
                       "FROM base\nCOPY --from=one /License.txt /1\nCOPY --from=two /License.txt /2\n"
                       "RUN --mount=type=cache,target=C:\\c type C:\\c\\log\n");
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_THAT(built.err, testing::ContainsRegex("one *\n#[0-9]+ [0-9.]+ two|two *\n#[0-9]+ [0-9.]+ one"));
}

TEST_F(Mounts, ACacheInsideAReadOnlyContext) {
    workspace.write("context/main.c", "int main;");
    auto built = build(
        "# escape=`\nFROM base\nWORKDIR C:\\src\n"
        "RUN --mount=target=. --mount=type=cache,target=obj copy main.c obj\\main.o > nul & dir /b obj . & "
        "(echo x> new.txt || echo read-only) & exit 0\n",
        {"-o", "type=local,dest=out"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    for (const char* line : {"main.o", "main.c", "read-only"}) EXPECT_THAT(built.err, printed(line));
    EXPECT_TRUE(fs::is_empty(workspace.path("out/src")));
}

TEST_F(Mounts, TmpfsHasASizeAndIsGoneAfterwards) {
    workspace.write("context/big.txt", std::string(200'000, 'x'));
    auto built = build(
        "# escape=`\nFROM base\nCOPY big.txt C:\\\n"
        "RUN --mount=type=tmpfs,target=C:\\t,size=64k echo small> C:\\t\\small & type C:\\t\\small & "
        "(copy C:\\big.txt C:\\t > nul || echo full) & exit 0\n",
        {"-o", "type=local,dest=out"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_THAT(built.err, printed("small"));
    EXPECT_THAT(built.err, printed("full"));
    EXPECT_FALSE(fs::exists(workspace.path("out/t")));
}

TEST_F(Mounts, HeredocsAreInputOfPrograms) {
    auto built = build(
        "FROM base\nRUN more <<ONE > C:\\one.txt && more <<-TWO > C:\\two.txt\n"
        "b\r\na\r\nONE\n\tx\n\ty\n\tTWO\n",
        {"-o", "type=local,dest=out"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_THAT(workspace.read("out/one.txt"), testing::StartsWith("b\r\na"));
    EXPECT_THAT(workspace.read("out/two.txt"),
                testing::AllOf(HasSubstr("x"), HasSubstr("y"), Not(HasSubstr("\t"))));
    EXPECT_THAT(base::list_directory(workspace.path("out/Windows/Temp")), IsEmpty());
}

TEST_F(Mounts, AddHostNamesResolve) {
    auto built = build("FROM base\nRUN ping -n 1 db.example\n",
                       {"--add-host", "db.example:127.0.0.9", "-o", "type=local,dest=out"});
    EXPECT_THAT(built.err, HasSubstr("[127.0.0.9]"));
    EXPECT_THAT(workspace.read("out/Windows/System32/drivers/etc/hosts"), Not(HasSubstr("db.example")));
}

TEST_F(Mounts, AStepMayBeTriedAgainAndHasItsOwnLimits) {
    auto built = build(
        "# escape=`\nFROM base\n# mullion: retry=2 timeout=1m memory=1g\n"
        "RUN --mount=type=cache,target=C:\\c if exist C:\\c\\second (echo fine) else "
        "(echo x> C:\\c\\second & exit 5)\n");
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_THAT(built.err, HasSubstr("attempt 1 of 3 failed"));
    EXPECT_THAT(built.err, HasSubstr("fine"));
    auto slow = build("FROM base\n# mullion: timeout=2s\nRUN for /l %i in (0,0,1) do @rem\n");
    EXPECT_EQ(slow.exit_code, 1);
    EXPECT_THAT(slow.err, HasSubstr("time limit of 2 s"));
}

TEST_F(Mounts, AgentsAreReachedThroughPipesAndAreInNoKey) {
    test::UnixServer agent(
        workspace.path("agent").string(), [](const std::string&) { return one_identity("held"); },
        test::UnixServer::Framing::AgentMessages);
    workspace.write("context/identities.exe", base::read_file(MULLION_IDENTITIES_PROGRAM, 1 << 20));
    const char* dockerfile =
        "# escape=`\nFROM base\nCOPY identities.exe C:\\\n"
        "RUN --mount=type=ssh,required C:\\identities.exe %SSH_AUTH_SOCK% & "
        "C:\\identities.exe \\\\.\\pipe\\openssh-ssh-agent\n"
        "RUN --mount=type=ssh,id=git,target=//./pipe/git C:\\identities.exe \\\\.\\pipe\\git\n"
        "RUN if defined SSH_AUTH_SOCK exit 7\n";
    std::string socket = workspace.path("agent").string();
    auto built = build(dockerfile, {"--ssh", "default=" + socket, "--ssh", "git=" + socket});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_THAT(built.err, printed("identity held"));
    EXPECT_EQ(agent.connections(), 3);
    workspace.set_environment("SSH_AUTH_SOCK", socket);
    auto again = build(dockerfile, {"--ssh", "default"});
    EXPECT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(agent.connections(), 3);
}

TEST_F(Mounts, KeyFilesAreHeldByAnAgentWhileStepsRun) {
    for (const char* name : {"one", "two"}) {
        auto made = workspace.tool({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C",
                                    std::string("key-") + name, "-f", workspace.path(name).string()});
        ASSERT_EQ(made.exit_code, 0) << made.err;
    }
    workspace.write("context/identities.exe", base::read_file(MULLION_IDENTITIES_PROGRAM, 1 << 20));
    const char* dockerfile =
        "# escape=`\nFROM base\nCOPY identities.exe C:\\\n"
        "RUN --mount=type=ssh,required C:\\identities.exe %SSH_AUTH_SOCK% 19 22\n";
    std::string keys = "default=" + workspace.path("one").string() + "," + workspace.path("two").string();
    auto built = build(dockerfile, {"--ssh", keys});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    // To remove all keys or to lock the agent is not the step's to ask.
    EXPECT_THAT(built.err, printed("19 answered 5"));
    EXPECT_THAT(built.err, printed("22 answered 5"));
    EXPECT_THAT(built.err, printed("identity key-one"));
    EXPECT_THAT(built.err, printed("identity key-two"));
    // No step runs, so no agent does: the key is not even looked at.
    workspace.write("one", "no key");
    auto again = build(dockerfile, {"--ssh", keys});
    EXPECT_EQ(again.exit_code, 0) << again.err;
    auto refused = build(std::string(dockerfile) + "RUN --mount=type=ssh echo x\n", {"--ssh", keys});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, HasSubstr("ssh-add does not take the key"));
    EXPECT_THAT(refused.err, HasSubstr("Dockerfile:5"));
}

TEST_F(Mounts, RefusalsNameFileLineAndOption) {
    for (auto [run, text] :
         {std::pair("RUN --network=host x", "network.host is not allowed"),
          std::pair("RUN --security=insecure x", "security.insecure is not allowed"),
          std::pair("RUN --mount=type=ssh,required x", "ssh agent default: not found"),
          std::pair("RUN --mount=type=ssh,target=/tmp/agent x", "target \"/tmp/agent\" cannot be honoured"),
          std::pair("RUN --mount=type=cache,target=/c,mode=0000 x", "mode=0000 cannot be honoured"),
          std::pair("RUN --mount=type=secret,id=none,required x", "secret none: not found")}) {
        auto built = build(std::string("FROM base\n") + run + "\n");
        EXPECT_EQ(built.exit_code, 1);
        EXPECT_THAT(built.err, HasSubstr(text));
        EXPECT_THAT(built.err, HasSubstr("Dockerfile:2"));
        EXPECT_THAT(built.err, HasSubstr("hint: "));
    }
    auto allowed = build("FROM base\nRUN --network=host echo reached\n", {"--allow", "network.host"});
    EXPECT_EQ(allowed.exit_code, 0) << allowed.err;
}

// Everything a build leaves or says, searched for a secret that a step uses, prints and fails with.
class Secrets : public Mounts {
  protected:
    static constexpr const char* kValue = "Tr0ub4dor&3-is-secret";

    void SetUp() override {
        Mounts::SetUp();
        workspace.write("secret.txt", std::string(kValue) + "\r\n");
        workspace.set_environment("MY_TOKEN", kValue);
    }

    // The value, and how base64 writes it at each of the three places it can stand.
    std::vector<std::string> forms() {
        std::vector<std::string> all = {kValue};
        for (std::size_t shift = 0; shift < 3; ++shift) {
            std::string text =
                workspace
                    .tool({"sh", "-c", "printf %s \"$0\" | base64 -w0", std::string(shift, 'x') + kValue})
                    .out;
            all.push_back(text.substr(4, text.size() - 12));
        }
        return all;
    }
    void expect_nowhere(const base::ProcessOutput& built) {
        for (const std::string& form : forms()) {
            EXPECT_THAT(built.out + built.err, Not(HasSubstr(form)));
            auto found = workspace.tool({"grep", "-raF", form, workspace.state().string(),
                                         workspace.path("out").string(), workspace.path("images").string()});
            EXPECT_EQ(found.out, "") << form;
        }
    }
};

TEST_F(Secrets, AreSeenByTheStepAndByNobodyElse) {
    fs::create_directory(workspace.path("images"));
    for (const char* progress : {"plain", "rawjson"}) {
        auto built = build(
            "# escape=`\nFROM base\nENV TOKEN=public\n"
            "RUN --mount=type=secret,id=file --mount=type=secret,id=token,env=TOKEN "
            "--mount=type=secret,id=file,target=C:\\cfg\\here.txt `\n"
            "    type C:\\run\\secrets\\file & type C:\\cfg\\here.txt & echo %TOKEN:~0,4%/%TOKEN% & set "
            "TOKEN & "
            "(find \"Tr0ub4dor\" C:\\run\\secrets\\file > nul && echo seen> C:\\seen.txt)\n"
            "RUN --mount=type=secret,id=file echo still here\n"
            "RUN if exist C:\\run\\secrets\\file exit 3\n",
            {"--secret", "id=file,src=secret.txt", "--secret", "id=token,env=MY_TOKEN", "--progress",
             progress, "--no-cache", "-t", "app", "-o", "type=local,dest=out", "-o",
             "type=oci,dest=images/app.tar", "--metadata-file", "images/meta.json"});
        ASSERT_EQ(built.exit_code, 0) << built.err;
        EXPECT_TRUE(fs::exists(workspace.path("out/seen.txt")));
        EXPECT_FALSE(fs::exists(workspace.path("out/run")));
        expect_nowhere(built);
        fs::remove_all(workspace.path("out"));
    }
}

TEST_F(Secrets, DoNotLeaveThroughErrors) {
    auto failing = build("FROM base\nRUN --mount=type=secret,id=token,env=TOKEN echo \"%TOKEN%\"& exit 4\n",
                         {"--secret", "id=token,env=MY_TOKEN", "--debug"});
    EXPECT_EQ(failing.exit_code, 1);
    EXPECT_THAT(failing.err, HasSubstr("****"));
    EXPECT_THAT(failing.err, HasSubstr("exit code: 4"));
    expect_nowhere(failing);
    auto registry = build(
        "FROM base\nRUN --mount=type=secret,id=token,env=TOKEN "
        "reg add HKLM\\\\Software\\\\Acme /v Key /d \"%TOKEN%\" /f\n",
        {"--secret", "id=token,env=MY_TOKEN"});
    EXPECT_EQ(registry.exit_code, 1);
    EXPECT_THAT(registry.err, HasSubstr("Acme"));
    expect_nowhere(registry);
}

TEST_F(Secrets, AreOnNoDiskWhileTheStepRunsNorAfterAKill) {
    workspace.write("context/Dockerfile",
                    "FROM base\nRUN --mount=type=secret,id=file --mount=type=secret,id=file,env=TOKEN "
                    "--mount=type=cache,target=C:/c,sharing=locked for /l %i in (0,0,1) do @rem\n");
    workspace.base_context();
    auto output = workspace.tool(
        {"sh", "-c",
         "\"$0\" build --progress plain --secret id=file,src=secret.txt "
         "--build-context base=oci-layout://$PWD/base context 2>log & pid=$!; "
         "for i in $(seq 600); do grep -q 'RUN --mount' log && break; sleep 0.1; done; sleep 2; "
         "grep -raF \"$1\" $MULLION_STATE; \"$0\" cache mounts ls --format json; "
         "kill -KILL $pid; wait $pid; sleep 1; grep -raF \"$1\" $MULLION_STATE; "
         "\"$0\" cache mounts ls --format json",
         MULLION_BINARY_PATH, kValue});
    std::istringstream lines(output.out);
    std::string during, after, more;
    std::getline(lines, during);
    std::getline(lines, after);
    std::getline(lines, more);
    EXPECT_THAT(during, HasSubstr("\"InUse\":true"));
    EXPECT_THAT(after, HasSubstr("\"InUse\":false"));
    EXPECT_EQ(more, "");
}

TEST_F(Secrets, AnotherValueChangesNoKey) {
    const char* dockerfile = "FROM base\nRUN --mount=type=secret,id=token,env=TOKEN echo used\n";
    ASSERT_EQ(build(dockerfile, {"--secret", "id=token,env=MY_TOKEN"}).exit_code, 0);
    workspace.set_environment("MY_TOKEN", "another value");
    EXPECT_THAT(build(dockerfile, {"--secret", "id=token,env=MY_TOKEN"}).err, HasSubstr("CACHED"));
}

}  // namespace
}  // namespace mullion
