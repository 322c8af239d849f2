#include <gmock/gmock.h>

#include "base/process.hpp"
#include "tests/support/http_server.hpp"
#include "tests/worker/worker_test.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using solver::GitSource;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class GitSourceTest : public WorkerTest {
  protected:
    GitSourceTest() {
        std::filesystem::create_directories(path("served/repo.git"));
        std::filesystem::create_directories(path("work"));
        git("init -q -b main .");
        commit("readme.txt", "one", "2020-01-01T00:00:00Z");
        git("tag v1");
        commit("src/app/main.c", "int main;", "2021-01-01T00:00:00Z");
        git("tag -a -m annotated v2");
        git("checkout -q -b feature/x");
        commit("feature.txt", "f", "2022-01-01T00:00:00Z");
        git("checkout -q main");
        publish();
        options.git.protocols = {"file"};
    }

    std::string git(const std::string& arguments, const std::string& date = "2020-01-01T00:00:00Z") const {
        base::ProcessOptions process;
        process.directory = path("work");
        process.argv = {"sh", "-c", "git " + arguments};
        process.environment = {{"PATH", std::getenv("PATH")},
                               {"HOME", path("").string()},
                               {"GIT_CONFIG_NOSYSTEM", "1"},
                               {"GIT_AUTHOR_NAME", "a"},
                               {"GIT_AUTHOR_EMAIL", "a@example.com"},
                               {"GIT_COMMITTER_NAME", "c"},
                               {"GIT_COMMITTER_EMAIL", "c@example.com"},
                               {"GIT_AUTHOR_DATE", date},
                               {"GIT_COMMITTER_DATE", date}};
        auto output = base::run_and_capture(std::move(process), {});
        EXPECT_EQ(output.exit_code, 0) << arguments << ": " << output.err;
        while (output.out.ends_with('\n')) output.out.pop_back();
        return output.out;
    }
    void commit(const std::string& name, const std::string& data, const std::string& date) const {
        base::write_file_atomic(path("work") / name, data);
        git("add -A && git commit -q -m x", date);
    }
    // What servers have is a bare copy.
    void publish() const {
        git("init -q --bare -b main ../served/repo.git && git push -q --force ../served/repo.git --all && "
            "git push -q --force ../served/repo.git --tags && git -C ../served/repo.git update-server-info");
    }
    std::string id(const std::string& revision) const { return git("rev-parse " + revision + "^{commit}"); }

    GitSource repository(const std::string& reference = "") const {
        GitSource source;
        source.remote = path("served/repo.git").string();
        source.reference = reference;
        return source;
    }
    worker::SnapshotRef files(const GitSource& source) { return solve(vertex(source, {}, "git")); }
    base::Error failure_of(const GitSource& source) { return failure(vertex(source, {}, "git")); }
    static bool has(const worker::SnapshotRef& files, std::string_view path) {
        return files->tree({}).find(path) != nullptr;
    }
};

TEST_F(GitSourceTest, TheDefaultBranchWithoutItsGitDirectory) {
    worker::SnapshotRef tree = files(repository());
    EXPECT_EQ(read(tree, "readme.txt"), "one");
    EXPECT_EQ(read(tree, "src/app/main.c"), "int main;");
    EXPECT_FALSE(has(tree, ".git"));
    EXPECT_FALSE(has(tree, "feature.txt"));
}

TEST_F(GitSourceTest, TimesAreTheCommits) {
    worker::SnapshotRef tree = files(repository());
    EXPECT_EQ(tree->source_time()->rfc3339(), "2021-01-01T00:00:00Z");
    EXPECT_EQ(tree->tree({}).find("readme.txt")->metadata.modified.rfc3339(), "2021-01-01T00:00:00Z");
    GitSource source = repository();
    source.checkout_times = true;
    auto checked_out = files(source)->tree({}).find("readme.txt")->metadata.modified;
    EXPECT_GT(checked_out.rfc3339(), "2021-01-01T00:00:01Z");
}

TEST_F(GitSourceTest, BranchesTagsAndCommits) {
    EXPECT_TRUE(has(files(repository("feature/x")), "feature.txt"));
    EXPECT_TRUE(has(files(repository("refs/heads/feature/x")), "feature.txt"));
    EXPECT_FALSE(has(files(repository("v1")), "src"));
    EXPECT_TRUE(has(files(repository("v2")), "src"));
    EXPECT_FALSE(has(files(repository("refs/tags/v1")), "src"));
    EXPECT_FALSE(has(files(repository(id("v1"))), "src"));
}

TEST_F(GitSourceTest, ABranchWinsOverATagOfItsName) {
    git("branch both v1 && git tag both feature/x");
    publish();
    EXPECT_FALSE(has(files(repository("both")), "feature.txt"));
    EXPECT_TRUE(has(files(repository("refs/tags/both")), "feature.txt"));
}

TEST_F(GitSourceTest, ReferencesThatAreNotThere) {
    base::Error error = failure_of(repository("x"));  // no branch "x", only "feature/x"
    EXPECT_EQ(error.code(), ErrorCode::NotFound);
    EXPECT_THAT(error.what(), HasSubstr("repository does not contain ref x"));
    EXPECT_EQ(error.subject(), "x");
    EXPECT_THAT(failure_of(repository(std::string(40, 'a'))).what(),
                HasSubstr("does not contain commit aaaa"));
}

TEST_F(GitSourceTest, ReferencesThatCannotBe) {
    for (const char* reference :
         {"--upload-pack=touch x", "-x", "a b", "a..b", "*", "main^", "a:b", "a\nb"}) {
        EXPECT_EQ(failure_of(repository(reference)).code(), ErrorCode::Invalid) << reference;
    }
    GitSource source = repository();
    source.remote = "--upload-pack=touch x";
    EXPECT_EQ(failure_of(source).code(), ErrorCode::Invalid);
}

TEST_F(GitSourceTest, TransportsThatAreNotAllowed) {
    options.git.protocols = {"https"};
    EXPECT_THAT(failure_of(repository()).what(), HasSubstr("not allowed"));
    GitSource source;
    source.remote = "ext::sh -c touch% " + path("pwned").string();
    EXPECT_THAT(failure_of(source).what(), HasSubstr("not allowed"));
    EXPECT_FALSE(std::filesystem::exists(path("pwned")));
}

TEST_F(GitSourceTest, ChecksumIsTheCommit) {
    GitSource source = repository("v2");
    source.checksum = id("v2");
    EXPECT_TRUE(has(files(source), "src"));
    source.checksum = id("v2").substr(0, 12);
    EXPECT_TRUE(has(files(source), "src"));
    source.checksum = git("rev-parse v2");  // the annotated tag itself
    EXPECT_TRUE(has(files(source), "src"));
    source.checksum = id("v1");
    base::Error error = failure_of(source);
    EXPECT_EQ(error.code(), ErrorCode::Corrupt);
    EXPECT_THAT(error.what(), HasSubstr("expected checksum to match " + id("v1") + ", got " + id("v2")));
    source.checksum = "nonsense";
    EXPECT_EQ(failure_of(source).code(), ErrorCode::Invalid);
}

TEST_F(GitSourceTest, FetchByCommitDoesNotAskForTheReference) {
    GitSource source = repository("gone");
    source.checksum = id("v1");
    source.fetch_by_commit = true;
    EXPECT_FALSE(has(files(source), "src"));
}

TEST_F(GitSourceTest, Subdirectories) {
    GitSource source = repository();
    source.subdirectory = "src/app";
    EXPECT_EQ(read(files(source), "main.c"), "int main;");
    source.subdirectory = "src/none";
    EXPECT_EQ(failure_of(source).code(), ErrorCode::NotFound);
    source.subdirectory = "readme.txt";
    EXPECT_EQ(failure_of(source).code(), ErrorCode::NotFound);
}

TEST_F(GitSourceTest, ACommitIsFetchedOnce) {
    EXPECT_TRUE(has(files(repository(id("main"))), "src"));
    std::filesystem::rename(path("served/repo.git"), path("served/away.git"));
    restart();
    EXPECT_EQ(read(files(repository(id("main"))), "src/app/main.c"), "int main;");
    EXPECT_THAT(progress.cached(), Contains("git"));
}

TEST_F(GitSourceTest, AMovedBranchIsSeen) {
    EXPECT_EQ(read(files(repository("main")), "readme.txt"), "one");
    commit("readme.txt", "three", "2023-01-01T00:00:00Z");
    publish();
    restart();
    EXPECT_EQ(read(files(repository("main")), "readme.txt"), "three");
}

TEST_F(GitSourceTest, TheGitDirectoryIsKeptAndAlwaysTheSame) {
    GitSource source = repository("main");
    source.keep_git_directory = true;
    worker::SnapshotRef first = files(source);
    EXPECT_TRUE(has(first, ".git/HEAD"));
    EXPECT_TRUE(has(first, ".git/refs/heads/main"));
    EXPECT_FALSE(has(first, ".git/logs"));
    EXPECT_FALSE(has(first, ".git/hooks"));
    auto layers = first->tree({}).digest("", worker().parts().blobs.contents(), {});
    // Another state, another time, another place.
    restart("other state");
    EXPECT_EQ(files(source)->tree({}).digest("", worker().parts().blobs.contents(), {}), layers);
}

TEST_F(GitSourceTest, Submodules) {
    git("-c protocol.file.allow=always submodule --quiet add -b main " + path("served/repo.git").string() +
        " sub");
    git("commit -q -m sub");
    git("init -q --bare -b main ../served/super.git && git push -q --force ../served/super.git main");
    GitSource source = repository();
    source.remote = path("served/super.git").string();
    worker::SnapshotRef with = files(source);
    EXPECT_EQ(read(with, "sub/readme.txt"), "one");
    EXPECT_FALSE(has(with, "sub/.git"));
    source.submodules = false;
    EXPECT_FALSE(has(files(source), "sub/readme.txt"));
}

TEST_F(GitSourceTest, RelativeSubmodulesComeFromNextToTheRepository) {
    auto with_submodule = [&](const std::string& url) {
        git("config -f .gitmodules submodule.sub.path sub && git config -f .gitmodules submodule.sub.url " +
            url + " && git add .gitmodules && git update-index --add --cacheinfo 160000," + id("v1") +
            ",sub && git commit -q -m sub");
        git("init -q --bare -b main ../served/super.git && git push -q ../served/super.git main");
    };
    HttpServer server(path("served"));
    options.git.protocols = {"http"};
    GitSource source;
    source.remote = server.git_url("super.git");
    with_submodule("../repo.git");
    EXPECT_EQ(read(files(source), "sub/readme.txt"), "one");
    with_submodule(path("served/repo.git").string());
    restart();
    EXPECT_THAT(failure_of(source).what(), HasSubstr("transport 'file' not allowed"));
}

TEST_F(GitSourceTest, HooksAndConfigurationOfNobodyRun) {
    commit(".gitattributes", "* filter=evil\n", "2024-01-01T00:00:00Z");
    publish();
    base::write_file_atomic(path(".gitconfig"),
                            "[filter \"evil\"]\n\tsmudge = touch " + path("pwned").string() + "\n");
    ::setenv("HOME", path("").c_str(), 1);
    EXPECT_EQ(read(files(repository()), "readme.txt"), "one");
    EXPECT_FALSE(std::filesystem::exists(path("pwned")));
}

TEST_F(GitSourceTest, LinksOutOfARepositoryLeadNowhere) {
    git("checkout -q main && ln -s /etc/passwd leak && ln -s ../../etc up && git add -A && git commit -q -m "
        "x");
    publish();
    for (const char* link : {"leak", "up/passwd"}) {
        solver::CopyAction action;
        action.sources = {link};
        action.destination = "out";
        base::Error error = failure(copy(scratch(), vertex(repository(), {}, "git"), action));
        EXPECT_EQ(error.code(), ErrorCode::Invalid);
        EXPECT_THAT(error.what(), HasSubstr("outside the build context"));
    }
}

TEST_F(GitSourceTest, SmartAndDumbServers) {
    HttpServer server(path("served"));
    options.git.protocols = {"http"};
    int states = 0;
    for (const std::string& url : {server.git_url("repo.git"), server.url("repo.git")}) {
        for (const std::string& reference : {std::string("feature/x"), id("feature/x"), std::string("v2")}) {
            GitSource source = repository(reference);
            source.remote = url;
            EXPECT_TRUE(has(files(source), "src")) << url << " " << reference;
            // Nothing of the last fetch is to help the next.
            restart("state " + std::to_string(++states));
        }
    }
}

TEST_F(GitSourceTest, TheDefaultAgentHoldsTheKeysOfRepositoriesOverSsh) {
    base::write_file_atomic(path("bin/ssh"), "#!/bin/sh\necho agent=$SSH_AUTH_SOCK >&2\nexit 1\n");
    std::filesystem::permissions(path("bin/ssh"), std::filesystem::perms(0755));
    const std::string old_path = std::getenv("PATH");
    ::setenv("PATH", (path("bin").string() + ":" + old_path).c_str(), 1);
    options.git.protocols = {"ssh"};
    options.ssh_agents = {{"default", {"/run/keys"}}, {"other", {"/run/other"}}};
    GitSource source;
    source.remote = "ssh://git@h.example/a.git";
    EXPECT_THAT(failure_of(source).what(), HasSubstr("agent=/run/keys\n"));
    ::setenv("PATH", old_path.c_str(), 1);
}

TEST_F(GitSourceTest, TokensAreSentAndShowNowhere) {
    HttpServer server(path("served"));
    options.git.protocols = {"http"};
    // printf x-access-token:tok3n-of-mine | base64
    base::write_file_atomic(path("served.authorization"), "basic eC1hY2Nlc3MtdG9rZW46dG9rM24tb2YtbWluZQ==");
    GitSource source = repository("main");
    source.remote = server.git_url("repo.git");
    EXPECT_THAT(failure_of(source).hint(), HasSubstr("GIT_AUTH_TOKEN"));
    restart();
    options.secrets = {{"GIT_AUTH_TOKEN", "tok3n-of-mine"}};
    EXPECT_TRUE(has(files(source), "src"));
    options.secrets = {{"GIT_AUTH_TOKEN.127.0.0.1", "wr0ng-token"}, {"GIT_AUTH_TOKEN", "tok3n-of-mine"}};
    restart("another state");
    base::Error denied = failure_of(source);
    EXPECT_EQ(denied.code(), ErrorCode::Process);
    EXPECT_THAT(denied.what(), Not(HasSubstr("wr0ng-token")));
}

TEST_F(GitSourceTest, PasswordsDoNotShow) {
    options.git.protocols = {"http"};
    GitSource source;
    source.remote = "http://user:secret@127.0.0.1:1/repo.git";
    base::Error error = failure_of(source);
    EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
    EXPECT_THAT(error.what(), HasSubstr("127.0.0.1:1/repo.git"));
}

}  // namespace
}  // namespace mullion::test
