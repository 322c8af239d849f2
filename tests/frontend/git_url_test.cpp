#include "frontend/git_url.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "frontend/remote_source.hpp"

namespace mullion::frontend {
namespace {

std::string problem(const char* text) {
    try {
        GitUrl::parse(text);
    } catch (const base::Error& error) {
        EXPECT_EQ(error.subject(), text);
        return error.what();
    }
    ADD_FAILURE() << "accepted: " << text;
    return {};
}

TEST(GitUrl, Fragments) {
    const auto url = GitUrl::parse("https://host/a/b.git#feature/x:src/app/");
    EXPECT_EQ(url.remote, "https://host/a/b.git");
    EXPECT_EQ(url.reference, "feature/x");
    EXPECT_EQ(url.subdirectory, "src/app");
    EXPECT_EQ(GitUrl::parse("git@host:a/b.git#v1").remote, "git@host:a/b.git");
    EXPECT_EQ(GitUrl::parse("git@host:a/b.git#v1").reference, "v1");
    EXPECT_EQ(GitUrl::parse("git://host/a#:dir").subdirectory, "dir");
    EXPECT_EQ(GitUrl::parse("git://host/a#:dir").reference, "");
    EXPECT_EQ(GitUrl::parse("git://host/a#:/.").subdirectory, "");
    // A subdirectory cannot leave the repository.
    EXPECT_EQ(GitUrl::parse("git://host/a#:../../x").subdirectory, "x");
    EXPECT_EQ(GitUrl::parse("github.com/owner/repository").remote, "https://github.com/owner/repository");
}

TEST(GitUrl, Queries) {
    auto url = GitUrl::parse("https://host/b.git?branch=main&subdir=a%2Fb&submodules=false&keep-git-dir");
    EXPECT_EQ(url.remote, "https://host/b.git");
    EXPECT_EQ(url.reference, "refs/heads/main");
    EXPECT_EQ(url.subdirectory, "a/b");
    EXPECT_EQ(url.submodules, false);
    EXPECT_EQ(url.keep_git_directory, true);
    EXPECT_EQ(GitUrl::parse("https://host/b.git?tag=v1").reference, "refs/tags/v1");
    EXPECT_EQ(GitUrl::parse("https://host/b.git?ref=x#x").reference, "x");
    url = GitUrl::parse("https://host/b.git?commit=0123456789abcdef0123456789abcdef01234567");
    EXPECT_EQ(url.checksum, url.reference);
    EXPECT_EQ(GitUrl::parse("https://host/b.git?checksum=abcdef0&ref=main").reference, "main");
    EXPECT_TRUE(GitUrl::parse("https://host/b.git?mtime=checkout").checkout_times);
    EXPECT_FALSE(GitUrl::parse("https://host/b.git?mtime=commit").checkout_times);
    EXPECT_TRUE(GitUrl::parse("https://host/b.git?fetch-by-commit=1").fetch_by_commit);
}

TEST(GitUrl, QueriesThatCannotBe) {
    EXPECT_EQ(problem("https://host/b.git?depth=1"), "unexpected query \"depth\"");
    EXPECT_EQ(problem("https://host/b.git?ref="), "query \"ref\" has no value");
    EXPECT_EQ(problem("https://host/b.git?ref=a&ref=b"), "query \"ref\" has multiple values");
    EXPECT_EQ(problem("https://host/b.git?ref=a#b"), "ref conflicts: \"b\" vs \"a\"");
    EXPECT_EQ(problem("https://host/b.git?subdir=a#:b"), "subdir conflicts: \"b\" vs \"a\"");
    EXPECT_EQ(problem("https://host/b.git?tag=a&branch=b"), "branch conflicts with tag");
    EXPECT_EQ(problem("https://host/b.git?submodules=maybe"), "invalid submodules value: \"maybe\"");
    EXPECT_EQ(problem("https://host/b.git?mtime=now"), "invalid mtime value: \"now\"");
}

TEST(RemoteSource, Kinds) {
    for (const char* git : {"https://h/a.git", "http://h/a.git#x", "https://h/a.git?ref=x", "git://h/a",
                            "ssh://h/a", "git@h:a", "user@host.example:a/b"}) {
        EXPECT_TRUE(is_git_source(git)) << git;
        EXPECT_FALSE(is_url_source(git)) << git;
    }
    EXPECT_TRUE(is_url_source("https://h/a.zip"));
    EXPECT_TRUE(is_url_source("https://h/x?y=a.git"));
    EXPECT_FALSE(is_git_source("github.com/a/b"));
    EXPECT_TRUE(is_git_context("github.com/a/b"));
    EXPECT_FALSE(is_git_context("a/b"));
    EXPECT_FALSE(is_url_source("C:/x"));
}

}  // namespace
}  // namespace mullion::frontend
