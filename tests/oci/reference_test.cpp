#include "oci/reference.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::oci {
namespace {

using test::failure;

const std::string kDigest = "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

std::string repeat(const std::string& text, int count) {
    std::string result;
    for (int i = 0; i < count; ++i) result += text;
    return result;
}

// Expected values are those of distribution/reference.
TEST(Reference, NormalisesAsDockerDoes) {
    struct Case {
        const char* text;
        const char* full;
        const char* familiar;
        const char* host;
        const char* path;
    };
    for (const Case& c : std::initializer_list<Case>{
             {"ubuntu", "docker.io/library/ubuntu", "ubuntu", "docker.io", "library/ubuntu"},
             {"library/ubuntu", "docker.io/library/ubuntu", "ubuntu", "docker.io", "library/ubuntu"},
             {"index.docker.io/fooo/bar", "docker.io/fooo/bar", "fooo/bar", "docker.io", "fooo/bar"},
             {"docker.io/foo", "docker.io/library/foo", "foo", "docker.io", "library/foo"},
             {"index.docker.io/foo", "docker.io/library/foo", "foo", "docker.io", "library/foo"},
             {"library/foo/bar", "docker.io/library/foo/bar", "library/foo/bar", "docker.io",
              "library/foo/bar"},
             {"127.0.0.1:8000/privatebase", "127.0.0.1:8000/privatebase", "127.0.0.1:8000/privatebase",
              "127.0.0.1:8000", "privatebase"},
             {"example.com/private/moonbase", "example.com/private/moonbase", "example.com/private/moonbase",
              "example.com", "private/moonbase"},
             {"test_com/foo", "docker.io/test_com/foo", "test_com/foo", "docker.io", "test_com/foo"},
             {"test-com:8080/foo", "test-com:8080/foo", "test-com:8080/foo", "test-com:8080", "foo"},
             {"localhost/foo", "localhost/foo", "localhost/foo", "localhost", "foo"},
             {"Foo/bar", "Foo/bar", "Foo/bar", "Foo", "bar"},
             {"192.168.0.1:80", "docker.io/library/192.168.0.1:80", "192.168.0.1:80", "docker.io",
              "library/192.168.0.1"},
             {"[fc00::1]:5000/docker/docker", "[fc00::1]:5000/docker/docker", "[fc00::1]:5000/docker/docker",
              "[fc00::1]:5000", "docker/docker"},
             {"[2001:db8::1]/repo", "[2001:db8::1]/repo", "[2001:db8::1]/repo", "[2001:db8::1]", "repo"},
             {"docker---rules/docker", "docker.io/docker---rules/docker", "docker---rules/docker",
              "docker.io", "docker---rules/docker"},
             {"dock__er/docker", "docker.io/dock__er/docker", "dock__er/docker", "docker.io",
              "dock__er/docker"},
             {"docker.io/1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a",
              "docker.io/library/1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a",
              "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a", "docker.io",
              "library/1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"},
             {"mcr.microsoft.com/windows/nanoserver:ltsc2022",
              "mcr.microsoft.com/windows/nanoserver:ltsc2022",
              "mcr.microsoft.com/windows/nanoserver:ltsc2022", "mcr.microsoft.com", "windows/nanoserver"},
         }) {
        Reference reference = Reference::parse(c.text);
        EXPECT_EQ(reference.string(), c.full);
        EXPECT_EQ(reference.familiar(), c.familiar);
        EXPECT_EQ(reference.host(), c.host);
        EXPECT_EQ(reference.path(), c.path);
        EXPECT_EQ(Reference::parse(reference.string()), reference);
    }
}

TEST(Reference, SplitsTagAndDigest) {
    Reference reference = Reference::parse("test:5000/repo:tag@" + kDigest);
    EXPECT_EQ(reference.host(), "test:5000");
    EXPECT_EQ(reference.path(), "repo");
    EXPECT_EQ(reference.tag(), "tag");
    EXPECT_EQ(reference.digest()->string(), kDigest);
    EXPECT_EQ(reference.name(), "test:5000/repo");
    EXPECT_EQ(reference.string(), "test:5000/repo:tag@" + kDigest);
    EXPECT_EQ(Reference::parse("192.168.1.1:5000/repo:5050").tag(), "5050");
    EXPECT_EQ(Reference::parse("lowercase:Uppercase").tag(), "Uppercase");
    EXPECT_EQ(Reference::parse("busybox@" + kDigest).familiar(), "busybox@" + kDigest);
    EXPECT_FALSE(Reference::parse("busybox").tag());
}

TEST(Reference, DefaultTagOnlyWhereNothingIsNamed) {
    EXPECT_EQ(Reference::parse("a").with_default_tag().familiar(), "a:latest");
    EXPECT_EQ(Reference::parse("a:1").with_default_tag().familiar(), "a:1");
    EXPECT_EQ(Reference::parse("a@" + kDigest).with_default_tag().familiar(), "a@" + kDigest);
    EXPECT_EQ(Reference::parse("a:1").with_digest(base::Digest::parse(kDigest)).familiar(), "a:1@" + kDigest);
}

TEST(Reference, RefusesOtherTexts) {
    for (const std::string& text : std::vector<std::string>{"",
                                                            ":justtag",
                                                            "@" + kDigest,
                                                            "repo@sha256:ffffffffffffffffffffffffffffffffff",
                                                            "validname@invaliddigest:" + kDigest.substr(7),
                                                            "Uppercase:tag",
                                                            "test:5000/Uppercase/lowercase:tag",
                                                            "aa/asdf$$^/aa",
                                                            "[2001:db8::1]",
                                                            "[2001:db8::1]:5000",
                                                            "[2001:db8::1]:tag",
                                                            "[fe80::1%eth0]:5000/repo",
                                                            "[fe80::1%@invalidzone]:5000/repo",
                                                            "https://github.com/docker/docker",
                                                            "docker/Docker",
                                                            "-docker",
                                                            "-docker/docker",
                                                            "-docker.io/docker/docker",
                                                            "docker///docker",
                                                            "docker.io/docker/Docker",
                                                            "docker.io/docker///docker",
                                                            "fc00::1:5000/debian",
                                                            "[2001:db8:3:4::192.0.2.33]:5000/debian",
                                                            "docker-/docker",
                                                            "____/____",
                                                            "_docker/_docker",
                                                            "dock..er/docker",
                                                            "dock_.er/docker",
                                                            "dock-.er/docker",
                                                            "docker/",
                                                            repeat("a/", 128) + "a:tag",
                                                            "a:",
                                                            "a:-x",
                                                            "a:" + std::string(129, 'x'),
                                                            "a@",
                                                            "a:b:c",
                                                            "a b",
                                                            "a/../b",
                                                            "a@" + kDigest + "0",
                                                            "/a",
                                                            "\xc3\xa4",
                                                            "a\n",
                                                            std::string("a\0b", 3),
                                                            "[]/a",
                                                            "[::1/a",
                                                            std::string(5000, 'a')}) {
        test::Failure error = failure([&] { Reference::parse(text); });
        EXPECT_EQ(error.code, base::ErrorCode::Invalid) << text;
        EXPECT_EQ(error.text.rfind("invalid reference format", 0), 0u) << error.text;
    }
}

TEST(Reference, AcceptsTheLongestNameAndTag) {
    std::string path = repeat("a/", 127) + "a";
    EXPECT_EQ(Reference::parse(path + ":tag-puts-this-over-max").path(), path);
    EXPECT_EQ(Reference::parse("a:" + std::string(128, 'x')).tag()->size(), 128u);
}

TEST(Reference, SaysWhatIsWrong) {
    EXPECT_EQ(failure([] { Reference::parse("docker/Docker:x"); }).text,
              "invalid reference format: repository name (docker/Docker) must be lowercase");
    EXPECT_EQ(failure([] { Reference::parse(repeat("a/", 128) + "a"); }).text,
              "invalid reference format: repository name must not be more than 255 characters");
    std::string identifier = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a";
    EXPECT_EQ(failure([&] { Reference::parse(identifier); }).text,
              "invalid repository name (" + identifier + "), cannot specify 64-byte hexadecimal strings");
}

}  // namespace
}  // namespace mullion::oci
