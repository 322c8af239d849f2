// What a build takes from servers and archives, with the program as it is: no step runs a container.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/http_server.hpp"
#include "tests/support/mullion.hpp"

namespace mullion {
namespace {

using testing::HasSubstr;
using testing::Not;

class Remote : public testing::Test {
  protected:
    Remote() : server(workspace.path("served")) {}

    // Builds `dockerfile` on the stand-in base into the directory "out".
    base::ProcessOutput build(std::string_view dockerfile, std::vector<std::string> more = {}) {
        workspace.write("context/Dockerfile", dockerfile);
        return build_context(workspace.path("context").string(), std::move(more));
    }
    base::ProcessOutput build_context(const std::string& context, std::vector<std::string> more = {}) {
        std::vector<std::string> args = {
            "build", "--progress",         "plain", "--build-context", workspace.base_context(),
            "-o",    "type=local,dest=out"};
        std::filesystem::remove_all(workspace.path("out"));
        args.insert(args.end(), more.begin(), more.end());
        args.push_back(context);
        return workspace.run(std::move(args));
    }
    // build_context("-") with standard input from `command`.
    base::ProcessOutput build_piped(const std::string& command, const std::string& more = "") {
        std::filesystem::remove_all(workspace.path("out"));
        return workspace.tool(
            {"sh", "-c",
             command + " | " MULLION_BINARY_PATH " build --progress plain -o type=local,dest=out " +
                 "--build-context " + workspace.base_context() + " " + more + " -"});
    }
    void shell(const std::string& command) {
        auto output = workspace.tool({"sh", "-ec", command});
        ASSERT_EQ(output.exit_code, 0) << command << "\n" << output.err;
    }
    // A repository "served/repo.git" with a Dockerfile; smart at server.git_url, dumb at server.url.
    void make_repository() {
        workspace.write("work/Dockerfile", "FROM base\nCOPY hello.txt sub C:/app/\n");
        workspace.write("work/hello.txt", "from git");
        workspace.write("work/sub/Dockerfile", "FROM base\nCOPY inner.txt C:/app/\n");
        workspace.write("work/sub/inner.txt", "inner");
        shell(
            "cd work; git init -q -b main .; git config user.name a; git config user.email a@example.com;"
            "git add -A; GIT_COMMITTER_DATE=2020-02-02T00:00:00Z git commit -q -m one; git tag v1;"
            "git clone -q --bare . ../served/repo.git; git -C ../served/repo.git update-server-info");
    }
    std::string out(const std::string& name) { return workspace.read("out/" + name); }
    bool has(const std::string& name) const { return std::filesystem::exists(workspace.path("out/" + name)); }

    test::Workspace workspace;
    test::HttpServer server;
};

TEST_F(Remote, AddOfAUrlIsCachedByItsEtag) {
    workspace.write("served/tool.exe", "MZ tool");
    std::string dockerfile = "FROM base\nADD " + server.url("tool.exe") + " C:/tools/\n";
    auto first = build(dockerfile);
    ASSERT_EQ(first.exit_code, 0) << first.err;
    EXPECT_EQ(out("tools/tool.exe"), "MZ tool");
    std::size_t sent = server.sent();
    auto second = build(dockerfile);
    ASSERT_EQ(second.exit_code, 0) << second.err;
    EXPECT_EQ(server.sent(), sent);
    EXPECT_EQ(server.count(304), 1u);
    EXPECT_THAT(second.err, HasSubstr("CACHED"));
    EXPECT_EQ(out("tools/tool.exe"), "MZ tool");
    workspace.write("served/tool.exe", "MZ newer");
    ASSERT_EQ(build(dockerfile).exit_code, 0);
    EXPECT_EQ(out("tools/tool.exe"), "MZ newer");
}

TEST_F(Remote, TheTimeOfAUrlIsThatOfTheFileInTheLayer) {
    workspace.write("served/tool.exe", "MZ tool");
    shell("touch -d 2020-01-02T03:04:05Z served/tool.exe");
    auto built =
        build("FROM scratch\nADD " + server.url("tool.exe") + " /\n", {"-o", "type=tar,dest=out.tar"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    auto listed = workspace.tool({"tar", "--utc", "--full-time", "-tvf", "out.tar"});
    EXPECT_THAT(listed.out, HasSubstr("2020-01-02 03:04:05"));
}

TEST_F(Remote, ChecksumsAreKept) {
    workspace.write("served/a", "data");
    std::string right = base::Digest::of("data").string();
    auto built = build("FROM base\nADD --checksum=" + right + " " + server.url("a") + " C:/\n");
    ASSERT_EQ(built.exit_code, 0) << built.err;
    std::size_t requests = server.requests().size();
    ASSERT_EQ(
        build("FROM base\nADD --checksum=" + right + " " + server.url("a") + " C:/elsewhere/\n").exit_code,
        0);
    EXPECT_EQ(server.requests().size(), requests);
    auto wrong = build("FROM base\nADD --checksum=" + base::Digest::of("other").string() + " " +
                       server.url("a") + " C:/\n");
    EXPECT_EQ(wrong.exit_code, 1);
    EXPECT_THAT(wrong.err, HasSubstr("digest mismatch " + right));
    EXPECT_THAT(wrong.err, HasSubstr("Dockerfile:2"));
}

TEST_F(Remote, DownloadsTellHowManyBytesHaveCome) {
    workspace.write("served/tool.exe", std::string(1'500'000, 'x'));
    auto built = build("FROM base\nADD " + server.url("tool.exe") + " C:/tools/\n");
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_THAT(built.err, HasSubstr("downloading 1.50MB / 1.50MB"));
    EXPECT_THAT(built.err, HasSubstr(server.url("tool.exe") + "\n"));
    auto json =
        build("FROM base\nADD " + server.url("tool.exe?again") + " C:/tools/\n", {"--progress", "rawjson"});
    ASSERT_EQ(json.exit_code, 0) << json.err;
    EXPECT_THAT(json.err, HasSubstr("\"id\":\"downloading\""));
    EXPECT_THAT(json.err, HasSubstr("\"total\":1500000,\"current\":1500000"));
}

// What opens private servers, and whatever a build leaves or says searched for it.
TEST_F(Remote, PrivateServersOpenToWhoHasTheSecretWhichIsNowhereElse) {
    make_repository();
    workspace.write("served/tool.exe", "MZ");
    workspace.write("token.txt", "tok3n-of-mine\n");
    const std::string host = server.url("").substr(7, server.url("").find('/', 7) - 7);
    auto expect_nowhere = [&](const base::ProcessOutput& output) {
        for (const char* form : {"tok3n-of-mine", "dG9rM24tb2YtbWluZ"}) {
            EXPECT_THAT(output.out + output.err, Not(HasSubstr(form)));
            auto found =
                workspace.tool({"grep", "-raF", form, workspace.state().string(),
                                workspace.path("out").string(), workspace.path("image.tar").string()});
            EXPECT_EQ(found.out, "") << form;
        }
    };
    workspace.write("served.authorization", "Bearer tok3n-of-mine");
    auto file =
        build("FROM base\nADD " + server.url("tool.exe") + " C:/tools/\n",
              {"--secret", "id=HTTP_AUTH_TOKEN_" + host + ",src=token.txt", "-o", "type=oci,dest=image.tar"});
    EXPECT_EQ(file.exit_code, 0) << file.err;
    expect_nowhere(file);
    // printf x-access-token:tok3n-of-mine | base64
    workspace.write("served.authorization", "basic eC1hY2Nlc3MtdG9rZW46dG9rM24tb2YtbWluZQ==");
    auto denied = build_context(server.git_url("repo.git"));
    EXPECT_EQ(denied.exit_code, 1);
    auto context = build_context(server.git_url("repo.git"), {"--secret", "id=GIT_AUTH_TOKEN,src=token.txt"});
    EXPECT_EQ(context.exit_code, 0) << context.err;
    EXPECT_EQ(out("app/hello.txt"), "from git");
    expect_nowhere(context);
    auto added = build("FROM base\nADD " + server.git_url("repo.git") + "#v1 C:/src\n",
                       {"--secret", "id=GIT_AUTH_TOKEN." + host + ",src=token.txt"});
    EXPECT_EQ(added.exit_code, 0) << added.err;
    expect_nowhere(added);
    workspace.write("token.txt", "wr0ng-token\n");
    auto wrong = build("FROM base\nADD " + server.url("tool.exe?new") + " C:/tools/\n",
                       {"--secret", "id=HTTP_AUTH_TOKEN_" + host + ",src=token.txt"});
    EXPECT_EQ(wrong.exit_code, 1);
    EXPECT_THAT(wrong.err, HasSubstr("401"));
    EXPECT_THAT(wrong.err, Not(HasSubstr("wr0ng-token")));
}

TEST_F(Remote, FailuresNameLineAndUrl) {
    auto missing = build("FROM base\n\nADD " + server.url("no") + " C:/\n");
    EXPECT_EQ(missing.exit_code, 1);
    EXPECT_THAT(missing.err, HasSubstr("Dockerfile:3"));
    EXPECT_THAT(missing.err, HasSubstr(server.url("no") + ": the server answered with status 404"));
}

TEST_F(Remote, ServersInTrouble) {
    workspace.write("served/a", std::string(200'000, 'x'));
    auto built = build("FROM base\nADD " + server.url("a?fail=1&status=500") + " C:/one/\nADD " +
                       server.url("a?cut=5000") + " C:/two/\nADD " + server.url("b?redirect=/files/a") +
                       " C:/three/\n");
    ASSERT_EQ(built.exit_code, 0) << built.err;
    for (const char* name : {"one/a", "two/a", "three/b"})
        EXPECT_EQ(out(name), std::string(200'000, 'x')) << name;
}

TEST_F(Remote, ArchivesOfTheContextAndOfServers) {
    workspace.write("src/dir/x.txt", "unpacked");
    shell(
        "mkdir -p context; tar czf context/x.tgz -C src .; tar cf - -C src . | zstd -q > served/x.tar.zst;"
        "python3 -c \"import shutil; shutil.make_archive('context/x', 'zip', 'src')\"");
    auto built = build(
        "FROM base\nADD x.tgz C:/local\nADD --unpack=false x.tgz C:/kept/\nADD x.zip C:/kept/\n"
        "ADD --unpack x.zip C:/zip\nADD " +
        server.url("x.tar.zst") + " C:/kept/\nADD --unpack=true " + server.url("x.tar.zst") + " C:/remote\n");
    ASSERT_EQ(built.exit_code, 0) << built.err;
    for (const char* name : {"local", "zip", "remote"})
        EXPECT_EQ(out(std::string(name) + "/dir/x.txt"), "unpacked");
    for (const char* name : {"kept/x.tgz", "kept/x.zip", "kept/x.tar.zst"}) EXPECT_TRUE(has(name)) << name;
}

TEST_F(Remote, ZipsAreTheSameInEveryTimeZone) {
    shell(
        "mkdir -p context src; echo x > src/x.txt;"
        "python3 -c \"import shutil; shutil.make_archive('context/x', 'zip', 'src')\"");
    auto digest = [&](const std::string& zone) {
        workspace.set_environment("TZ", zone);
        auto built = build("FROM base\nADD --unpack x.zip C:/x\n",
                           {"--no-cache", "-o", "type=oci,dest=image.tar", "--iidfile", "iid"});
        EXPECT_EQ(built.exit_code, 0) << built.err;
        return workspace.read("iid");
    };
    EXPECT_EQ(digest("UTC0"), digest("XXX+11"));
}

TEST_F(Remote, HostileArchivesFailTheStep) {
    shell(
        "mkdir -p context; python3 -c \"import tarfile, io; t = tarfile.open('context/x.tar', 'w');"
        "t.addfile(tarfile.TarInfo('../../escape'), io.BytesIO())\"");
    auto built = build("FROM base\nADD x.tar C:/\n");
    EXPECT_EQ(built.exit_code, 1);
    EXPECT_THAT(built.err, HasSubstr("archive entry \"../../escape\" leads outside of the archive's root"));
    EXPECT_THAT(built.err, HasSubstr("Dockerfile:2"));
}

TEST_F(Remote, AddOfARepository) {
    make_repository();
    for (const std::string& url : {server.git_url("repo.git"), server.url("repo.git")}) {
        auto built =
            build("FROM base\nADD " + url + " C:/src\nADD --keep-git-dir " + url + "#v1:sub C:/sub\n");
        ASSERT_EQ(built.exit_code, 0) << built.err;
        EXPECT_EQ(out("src/hello.txt"), "from git");
        EXPECT_FALSE(has("src/.git"));
        EXPECT_EQ(out("sub/inner.txt"), "inner");
    }
    std::string dockerfile = "FROM base\nADD --keep-git-dir " + server.git_url("repo.git") + "#main C:/src\n";
    ASSERT_EQ(build(dockerfile).exit_code, 0);
    EXPECT_TRUE(has("src/.git/HEAD"));
    std::size_t posts = server.requests().size();
    ASSERT_EQ(build(dockerfile).exit_code, 0);
    // The reference is looked up again; nothing is fetched: a fetch asks for references and then for objects.
    auto requests = server.requests();
    EXPECT_LE(requests.size() - posts, 2u);
    auto missing = build("FROM base\nADD " + server.git_url("repo.git") + "#nothing C:/src\n");
    EXPECT_EQ(missing.exit_code, 1);
    EXPECT_THAT(missing.err, HasSubstr("repository does not contain ref nothing"));
    EXPECT_THAT(missing.err, HasSubstr("Dockerfile:2"));
}

TEST_F(Remote, BuildsOfOneCommitAreTheSame) {
    make_repository();
    auto digest = [&](const std::string& state) {
        workspace.use_state(workspace.make_state(state));
        auto built = build("FROM base\nADD --keep-git-dir " + server.git_url("repo.git") + " C:/src\n",
                           {"-o", "type=oci,dest=image.tar", "--iidfile", "iid"});
        EXPECT_EQ(built.exit_code, 0) << built.err;
        return workspace.read("iid");
    };
    EXPECT_EQ(digest("one"), digest("two"));
}

TEST_F(Remote, RepositoryAsContext) {
    make_repository();
    auto built = build_context(server.git_url("repo.git"));
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_EQ(out("app/hello.txt"), "from git");
    EXPECT_EQ(out("app/inner.txt"), "inner");
    ASSERT_EQ(build_context(server.git_url("repo.git#main:sub")).exit_code, 0);
    EXPECT_FALSE(has("app/hello.txt"));
    ASSERT_EQ(build_context(server.git_url("repo.git"), {"-f", "sub/Dockerfile"}).exit_code,
              1);  // no inner.txt there
    auto none = build_context(server.git_url("repo.git"), {"-f", "Nofile"});
    EXPECT_EQ(none.exit_code, 1);
    EXPECT_THAT(none.err, HasSubstr("no Nofile in " + server.git_url("repo.git")));
}

TEST_F(Remote, KeepGitDirOfTheContext) {
    make_repository();
    workspace.write("work/Dockerfile", "FROM base\nCOPY . C:/all/\n");
    shell("cd work; git commit -q -a -m two; git push -q ../served/repo.git main");
    ASSERT_EQ(build_context(server.git_url("repo.git")).exit_code, 0);
    EXPECT_FALSE(has("all/.git"));
    ASSERT_EQ(build_context(server.git_url("repo.git"), {"--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR=1"})
                  .exit_code,
              0);
    EXPECT_TRUE(has("all/.git/HEAD"));
}

TEST_F(Remote, TarAndDockerfileOfAServerAsContext) {
    workspace.write("src/Dockerfile", "FROM base\nCOPY a.txt C:/app/\n");
    workspace.write("src/a.txt", "in the tar");
    workspace.write("served/plain", "FROM base\nCOPY context C:/app/copied\n");
    shell("tar cJf served/context.txz -C src .");
    auto built = build_context(server.url("context.txz"));
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_EQ(out("app/a.txt"), "in the tar");
    built = build_context(server.url("plain"));
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_EQ(out("app/copied"), "FROM base\nCOPY context C:/app/copied\n");
    EXPECT_EQ(build_context(server.url("missing")).exit_code, 1);
    auto named = build_context(server.url("plain"), {"-f", "Other"});
    EXPECT_EQ(named.exit_code, 1);
    EXPECT_THAT(named.err, HasSubstr("it is the Dockerfile itself"));
    std::filesystem::remove_all(workspace.path("out"));
    auto piped = workspace.tool({"sh", "-c",
                                 "printf 'FROM base\\nCOPY a.txt C:/piped/' | " MULLION_BINARY_PATH
                                 " build -o type=local,dest=out --build-context " +
                                     workspace.base_context() + " -f - " + server.url("context.txz")});
    ASSERT_EQ(piped.exit_code, 0) << piped.err;
    EXPECT_EQ(out("piped/a.txt"), "in the tar");
}

TEST_F(Remote, TarOnStandardInput) {
    workspace.write("src/Dockerfile", "FROM base\nCOPY a.txt C:/app/\n");
    workspace.write("src/other/Other", "FROM base\nCOPY a.txt C:/other/\n");
    workspace.write("src/a.txt", "in the tar");
    workspace.write("src/.dockerignore", "a.txt\n");
    for (const char* flags : {"-c", "-cz"}) {
        auto built = build_piped(std::string("tar ") + flags + " -C src .");
        ASSERT_EQ(built.exit_code, 0) << built.err;
        EXPECT_EQ(out("app/a.txt"), "in the tar");
    }
    auto other = build_piped("tar -c -C src .", "-f other/Other");
    ASSERT_EQ(other.exit_code, 0) << other.err;
    EXPECT_EQ(out("other/a.txt"), "in the tar");
    EXPECT_THAT(build_piped("printf 'FROM base'", "-f src/Dockerfile").err,
                HasSubstr("ambiguous Dockerfile source"));
    ASSERT_EQ(build_piped("printf 'FROM base\\nCOPY <<E C:/x.txt\\nhi\\nE\\n'").exit_code, 0);
    EXPECT_EQ(out("x.txt"), "hi\n");
}

TEST_F(Remote, NamedContexts) {
    make_repository();
    workspace.write("served/data.bin", "some data");
    auto built =
        build("FROM base\nCOPY --from=repo hello.txt C:/a/\nCOPY --from=data context C:/a/data.bin\n",
              {"--build-context", "repo=" + server.git_url("repo.git#v1"), "--build-context",
               "data=" + server.url("data.bin"), "--build-context", "unused=" + server.url("nothing")});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_EQ(out("a/hello.txt"), "from git");
    EXPECT_EQ(out("a/data.bin"), "some data");
    EXPECT_EQ(build("FROM base\n", {"--build-context", "x=ftp://host/x"}).exit_code, 2);
}

TEST_F(Remote, EpochOfTheContext) {
    make_repository();
    auto created = [&](const std::string& context, const std::string& epoch) {
        auto built = build_context(
            context, {"-t", "made", "--build-arg", "SOURCE_DATE_EPOCH=" + epoch, "-o", "type=image"});
        EXPECT_EQ(built.exit_code, 0) << built.err;
        return workspace.run({"inspect", "made"}).out;
    };
    EXPECT_THAT(created(server.git_url("repo.git"), "context"), HasSubstr("2020-02-02T00:00:00Z"));
    workspace.write("served/plain", "FROM base\nCOPY context C:/x\n");
    shell("touch -d 2021-03-04T05:06:07Z served/plain");
    EXPECT_THAT(created(server.url("plain"), "context"), HasSubstr("2021-03-04T05:06:07Z"));
    workspace.write("served/stage", "FROM scratch AS time\nADD " + server.url("plain") +
                                        " /\nFROM base\nCOPY context C:/x\n");
    EXPECT_THAT(created(server.url("stage"), "time"), HasSubstr("2021-03-04T05:06:07Z"));
}

TEST_F(Remote, SchemesThatAreNotThere) {
    auto output = build_context("ftp://host/x");
    EXPECT_EQ(output.exit_code, 2);
    EXPECT_THAT(output.err, HasSubstr("ftp://host/x"));
    EXPECT_EQ(build_context("no-such-directory").exit_code, 1);
}

}  // namespace
}  // namespace mullion
