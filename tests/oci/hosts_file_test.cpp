#include <gmock/gmock.h>

#include "oci/registry_hosts.hpp"
#include "registry_test.hpp"

namespace mullion::oci::test {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using mullion::test::Certificates;
using mullion::test::DockerRegistry;
using testing::HasSubstr;

class HostsFileTest : public ScratchTest {
  protected:
    std::vector<RegistryEndpoint> endpoints(const std::string& host) {
        RegistryHostOptions options;
        options.directories = {path("none"), path("certs.d")};
        return registry_endpoints(host, options);
    }
    Failure refusal(const std::string& toml) {
        write("certs.d/a.example/hosts.toml", toml);
        return failure([&] { endpoints("a.example"); });
    }
};

TEST_F(HostsFileTest, WithoutAnyTheHostIsTheServer) {
    auto found = endpoints("registry.example:5000");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].base, "https://registry.example:5000/v2");
    EXPECT_FALSE(found[0].may_be_plain);
    EXPECT_EQ(endpoints("docker.io")[0].base, "https://registry-1.docker.io/v2");
    EXPECT_EQ(endpoints("docker.io")[0].credentials, "docker.io");
    for (const char* host : {"localhost:5000", "127.0.0.1:5000", "[::1]:5000"}) {
        EXPECT_TRUE(endpoints(host)[0].may_be_plain) << host;
    }
}

// After containerd's docs/hosts.md.
TEST_F(HostsFileTest, MirrorsComeFirstInTheOrderOfTheFile) {
    write("certs.d/docker.io/hosts.toml", R"(
server = "https://registry-1.docker.io"
[host."https://z.example"]
  capabilities = ["pull", "resolve"]
[host."http://a.example:5000"]
  capabilities = ["pull"]
  skip_verify = true
  dial_timeout = "5s"
  [host."http://a.example:5000".header]
    x-one = "1"
    x-two = ["2", "3"]
[host."https://b.example/api/v2/hub"]
  override_path = true
)");
    auto found = endpoints("docker.io");
    ASSERT_EQ(found.size(), 4u);
    EXPECT_EQ(found[0].base, "https://z.example/v2");
    EXPECT_TRUE(found[0].pull && found[0].resolve && !found[0].push);
    EXPECT_EQ(found[0].mirror_of, "docker.io");
    EXPECT_EQ(found[0].credentials, "z.example");
    EXPECT_EQ(found[1].base, "http://a.example:5000/v2");
    EXPECT_FALSE(found[1].resolve);
    EXPECT_FALSE(found[1].http.verify_server);
    EXPECT_EQ(found[1].http.connect_timeout, std::chrono::seconds(5));
    EXPECT_EQ(found[1].headers, (HttpHeaders{{"x-one", "1"}, {"x-two", "2"}, {"x-two", "3"}}));
    EXPECT_EQ(found[2].base, "https://b.example/api/v2/hub");
    EXPECT_EQ(found[3].base, "https://registry-1.docker.io/v2");
    EXPECT_EQ(found[3].credentials, "docker.io");
    EXPECT_EQ(found[3].mirror_of, "");
}

TEST_F(HostsFileTest, PortsAndDefaults) {
    write("certs.d/a.example_5000_/hosts.toml", "server = \"http://b.example\"");
    write("certs.d/_default/hosts.toml", "[host.\"cache.example\"]");
    EXPECT_EQ(endpoints("a.example:5000")[0].base, "http://b.example/v2");
    auto others = endpoints("c.example");
    ASSERT_EQ(others.size(), 2u);
    EXPECT_EQ(others[0].base, "https://cache.example/v2");
    EXPECT_EQ(others[1].base, "https://c.example/v2");
}

TEST_F(HostsFileTest, WhatIsNotUnderstoodIsNamed) {
    EXPECT_THAT(refusal("server = 1").text, HasSubstr("hosts.toml: server: expected a string"));
    EXPECT_EQ(refusal("speed = 1").code, ErrorCode::Unsupported);
    EXPECT_THAT(refusal("speed = 1").text, HasSubstr("speed"));
    EXPECT_THAT(refusal("[host.\"https://m\"]\ncapabilities = [\"fly\"]").text, HasSubstr("capabilities"));
    EXPECT_THAT(refusal("a = [").text, HasSubstr("line 1"));
    EXPECT_EQ(refusal("ca = \"none.pem\"").code, ErrorCode::NotFound);
    EXPECT_EQ(refusal("server = \"ftp://x\"").code, ErrorCode::Invalid);
    EXPECT_EQ(refusal("dial_timeout = \"soon\"").code, ErrorCode::Invalid);
    EXPECT_EQ(refusal("[header]\nx = \"a\\r\\nb\"").code, ErrorCode::Invalid);
    EXPECT_EQ(refusal("client = [[\"a\",\"b\",\"c\"]]").code, ErrorCode::Invalid);
    EXPECT_EQ(refusal("client = []").code, ErrorCode::Invalid);
}

TEST_F(HostsFileTest, OneClientCertificateInEitherForm) {
    for (const char* text :
         {"client = [[\"c.cert\",\"c.key\"]]", "client = [\"c.pem\"]", "client = \"c.pem\""}) {
        write("certs.d/a.example/hosts.toml", text);
        EXPECT_TRUE(endpoints("a.example")[0].http.client_certificate.is_absolute()) << text;
    }
    for (const char* text :
         {"client = [[\"c.cert\",\"c.key\"],[\"d.cert\",\"d.key\"]]", "client = [\"c\",\"d\"]"}) {
        EXPECT_EQ(refusal(text).code, ErrorCode::Unsupported) << text;
    }
    for (const char* name : {"c.cert", "c.key", "d.cert", "d.key"})
        write("certs.d/b.example/" + std::string(name), "");
    EXPECT_EQ(failure([&] { endpoints("b.example"); }).code, ErrorCode::Unsupported);
}

class TlsRegistryTest : public ScratchTest {
  protected:
    RegistryOptions options() {
        RegistryOptions all = hasty();
        all.hosts.http.max_attempts = 2;
        all.hosts.directories = {path("certs.d")};
        return all;
    }
    fs::path configuration(const DockerRegistry& registry) { return path("certs.d") / registry.host(); }

    Certificates certificates{scratch_.path()};
    FixedKeychain nobody;
};

TEST_F(TlsRegistryTest, NeedsAnAuthorityWeTrust) {
    DockerRegistry registry({.certificate = certificates.server, .client_ca = {}});
    RegistryClient stranger(options(), nobody);
    EXPECT_EQ(failure([&] { stranger.ping(registry.host(), none_); }).code, ErrorCode::Denied);

    fs::create_directories(configuration(registry));
    fs::copy(certificates.authority, configuration(registry) / "ca.crt");
    RegistryClient docker_style(options(), nobody);
    docker_style.ping(registry.host(), none_);

    base::write_file_atomic(configuration(registry) / "hosts.toml",
                            "server = \"https://" + registry.host() + "\"\nca = \"ca.crt\"\n");
    RegistryClient containerd_style(options(), nobody);
    containerd_style.ping(registry.host(), none_);

    RegistryOptions named = hasty();
    named.hosts.http.ca_file = certificates.authority;
    RegistryClient by_file(named, nobody);
    by_file.ping(registry.host(), none_);

    RegistryOptions insecure = hasty();
    insecure.hosts.insecure = {registry.host()};
    RegistryClient careless(insecure, nobody);
    careless.ping(registry.host(), none_);
}

TEST_F(TlsRegistryTest, ClientsProveWhoTheyAre) {
    DockerRegistry registry({.certificate = certificates.server, .client_ca = certificates.authority});
    fs::create_directories(configuration(registry));
    fs::copy(certificates.authority, configuration(registry) / "ca.crt");
    RegistryClient stranger(options(), nobody);
    EXPECT_EQ(failure([&] { stranger.ping(registry.host(), none_); }).code, ErrorCode::Unavailable);
    fs::copy(certificates.client, configuration(registry) / "client.cert");
    fs::copy(certificates.client_key, configuration(registry) / "client.key");
    RegistryClient known(options(), nobody);
    known.ping(registry.host(), none_);
}

class MirrorTest : public ScratchTest {
  protected:
    RegistryOptions options(const std::string& toml) {
        write("certs.d/origin.invalid/hosts.toml", toml);
        RegistryOptions all = hasty();
        all.hosts.http.max_attempts = 2;
        all.hosts.directories = {path("certs.d")};
        return all;
    }

    MemoryBlobs blobs;
    TestImage image = add_image(blobs, {layer_tar("a", "1")});
    FixedKeychain nobody;
    Reference app = Reference::parse("origin.invalid/app:1");
};

TEST_F(MirrorTest, IsAskedFirstAndTheServerForWhatItLacks) {
    DockerRegistry mirror;
    DockerRegistry origin;
    RegistryClient client(options("server = \"http://" + origin.host() + "\"\n[host.\"http://" +
                                  mirror.host() + "\"]\ncapabilities = [\"pull\", \"resolve\"]\n"),
                          nobody);
    // What is pushed goes to the server.
    store(client, blobs, image, app);
    EXPECT_EQ(mirror.count("PUT", "/", "201"), 0u);
    EXPECT_EQ(client.get_manifest(app, none_).descriptor.digest, image.root.digest);
    EXPECT_GE(mirror.count("GET", "/v2/app/manifests/1?ns=origin.invalid", "404"), 1u);
    EXPECT_EQ(client.find_manifest(app, none_)->digest, image.root.digest);

    Reference in_mirror = reference(mirror.host(), "app:1");
    store(client, blobs, image, in_mirror);
    std::size_t before = origin.requests().size();
    EXPECT_EQ(client.get_manifest(app, none_).descriptor.digest, image.root.digest);
    Collected layer;
    client.get_blob(app, image.manifest.layers[0], layer, none_);
    EXPECT_EQ(origin.requests().size(), before);
}

TEST_F(MirrorTest, AMirrorThatIsDownIsPassedOver) {
    DockerRegistry origin;
    RegistryClient client(
        options("server = \"http://" + origin.host() + "\"\n[host.\"http://127.0.0.1:1\"]\n" +
                "capabilities = [\"pull\", \"resolve\"]\n"),
        nobody);
    store(client, blobs, image, app);
    EXPECT_EQ(client.get_manifest(app, none_).descriptor.digest, image.root.digest);
}

TEST_F(MirrorTest, NobodyWhoMayBePushedTo) {
    RegistryClient client(options("capabilities = [\"pull\"]"), nobody);
    EXPECT_EQ(failure([&] { client.has_blob(app, image.root, none_); }).code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace mullion::oci::test
