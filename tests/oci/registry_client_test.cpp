// Against Debian's docker-registry, alone.
#include "oci/registry_client.hpp"

#include <gmock/gmock.h>

#include "registry_test.hpp"

namespace mullion::oci::test {
namespace {

using base::ErrorCode;
using mullion::test::DockerRegistry;
using testing::HasSubstr;

class RegistryClientTest : public ScratchTest {
  protected:
    TestImage add_sample() { return add_image(blobs, {layer_tar("a", "1"), layer_tar("b", "2")}); }
    Reference named(const std::string& name) const { return reference(registry.host(), name); }

    DockerRegistry registry;
    MemoryBlobs blobs;
    FixedKeychain nobody;
    RegistryClient client{hasty(), nobody};
};

TEST_F(RegistryClientTest, WhatIsPutCanBeHad) {
    TestImage image = add_sample();
    store(client, blobs, image, named("app:1"));
    RegistryDocument found = client.get_manifest(named("app:1"), none_);
    EXPECT_EQ(found.descriptor.digest, image.root.digest);
    EXPECT_EQ(found.descriptor.media_type, media_type::kManifest);
    EXPECT_EQ(found.bytes, blobs.bytes.at(image.root.digest));
    EXPECT_EQ(client.get_manifest(named("app@" + image.root.digest.string()), none_).bytes, found.bytes);
    Collected layer;
    client.get_blob(named("app"), image.manifest.layers[1], layer, none_);
    EXPECT_EQ(layer.text, blobs.bytes.at(image.manifest.layers[1].digest));
}

TEST_F(RegistryClientTest, SkopeoReadsWhatIsPut) {
    TestImage image = add_sample();
    store(client, blobs, image, named("app:1"));
    std::string raw =
        run({"skopeo", "inspect", "--tls-verify=false", "--raw", "docker://" + registry.host() + "/app:1"});
    EXPECT_EQ(raw, blobs.bytes.at(image.root.digest));
    run({"skopeo", "--override-os", "windows", "copy", "-q", "--src-tls-verify=false",
         "docker://" + registry.host() + "/app:1", "oci:" + path("copy").string() + ":1"});
    auto copy = ImageArchive::open_path(path("copy"), none_);
    EXPECT_EQ(read_blob(*copy, image.root, 1 << 20, none_), blobs.bytes.at(image.root.digest));
}

TEST_F(RegistryClientTest, ATagIsResolvedWithoutFetchingIt) {
    TestImage image = add_sample();
    store(client, blobs, image, named("app:1"));
    auto found = client.find_manifest(named("app:1"), none_);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->digest, image.root.digest);
    EXPECT_EQ(found->size, image.root.size);
    EXPECT_EQ(client.find_manifest(named("app:2"), none_), std::nullopt);
    EXPECT_EQ(registry.count("GET", "/manifests/", "200"), 0u);
}

TEST_F(RegistryClientTest, WhatIsNotThereIsNamed) {
    Failure missing = failure([&] { client.get_manifest(named("no/such:tag"), none_); });
    EXPECT_EQ(missing.code, ErrorCode::NotFound);
    EXPECT_THAT(missing.text, HasSubstr(registry.host() + "/no/such:tag"));
    EXPECT_THAT(missing.text, HasSubstr("MANIFEST_UNKNOWN"));
    Collected sink;
    Descriptor absent{std::string(media_type::kLayer), base::Digest::of("absent"), 6, {}, {}, {}};
    EXPECT_EQ(failure([&] { client.get_blob(named("no/such"), absent, sink, none_); }).code,
              ErrorCode::NotFound);
}

TEST_F(RegistryClientTest, NobodyListeningIsUnavailable) {
    RegistryOptions options = hasty();
    options.hosts.http.max_attempts = 2;
    RegistryClient lost(options, nobody);
    Failure failed = failure([&] { lost.get_manifest(Reference::parse("127.0.0.1:1/app"), none_); });
    EXPECT_EQ(failed.code, ErrorCode::Unavailable);
    EXPECT_THAT(failed.text, HasSubstr("127.0.0.1:1/app"));
}

TEST_F(RegistryClientTest, BlobsThatAreThereAreNotSentAgain) {
    TestImage image = add_sample();
    const Descriptor& layer = image.manifest.layers[0];
    EXPECT_EQ(client.put_blob(named("app"), blobs, layer, {}, none_), PushedBlob::Uploaded);
    EXPECT_EQ(client.put_blob(named("app"), blobs, layer, {}, none_), PushedBlob::Present);
    EXPECT_EQ(registry.count("PUT", "/blobs/uploads/", "201"), 1u);
    EXPECT_TRUE(client.has_blob(named("app"), layer, none_));
    EXPECT_FALSE(client.has_blob(named("other"), layer, none_));
}

TEST_F(RegistryClientTest, PartsOfABlob) {
    TestImage image = add_sample();
    const Descriptor& layer = image.manifest.layers[0];
    client.put_blob(named("app"), blobs, layer, {}, none_);
    const std::string& bytes = blobs.bytes.at(layer.digest);
    ASSERT_GT(bytes.size(), 4u);
    EXPECT_EQ(client.get_blob_part(named("app"), layer, {1, 3}, none_), bytes.substr(1, 3));
    EXPECT_EQ(registry.count("GET", "/blobs/", "206"), 1u);
    EXPECT_THROW(client.get_blob_part(named("app"), layer, {bytes.size(), 1}, none_), base::Error);
    EXPECT_THROW(client.get_blob_part(named("app"), layer, {0, 1 << 30}, none_), base::Error);
}

TEST_F(RegistryClientTest, BlobsOfAnotherRepositoryAreMounted) {
    TestImage image = add_sample();
    const Descriptor& layer = image.manifest.layers[0];
    client.put_blob(named("base"), blobs, layer, {}, none_);
    MemoryBlobs nothing;
    EXPECT_EQ(client.put_blob(named("app"), nothing, layer, named("base"), none_), PushedBlob::Mounted);
    EXPECT_TRUE(client.has_blob(named("app"), layer, none_));
    // What is not there to be mounted is sent.
    EXPECT_EQ(client.put_blob(named("app"), blobs, image.manifest.layers[1], named("base"), none_),
              PushedBlob::Uploaded);
}

TEST_F(RegistryClientTest, UploadsInChunks) {
    RegistryOptions options = hasty();
    options.chunk_size = 1000;
    RegistryClient chunked(options, nobody);
    std::string bytes(4321, 'x');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
    Descriptor blob = blobs.add(media_type::kLayer, bytes);
    Descriptor empty = blobs.add(media_type::kLayer, "");
    EXPECT_EQ(chunked.put_blob(named("app"), blobs, blob, {}, none_), PushedBlob::Uploaded);
    EXPECT_EQ(chunked.put_blob(named("app"), blobs, empty, {}, none_), PushedBlob::Uploaded);
    EXPECT_EQ(registry.count("PATCH", "/blobs/uploads/", "202"), 5u);
    Collected back;
    client.get_blob(named("app"), blob, back, none_);
    EXPECT_EQ(back.text, bytes);
}

TEST_F(RegistryClientTest, ABlobThatIsNotWhatItShouldBeIsNotSent) {
    Descriptor blob = blobs.add(media_type::kLayer, "good");
    blobs.bytes.at(blob.digest) = "evil";
    Failure failed = failure([&] { client.put_blob(named("app"), blobs, blob, {}, none_); });
    EXPECT_EQ(failed.code, ErrorCode::Corrupt);
    EXPECT_THAT(failed.text, HasSubstr(base::Digest::of("evil").string()));
    EXPECT_FALSE(client.has_blob(named("app"), blob, none_));
    blobs.bytes.at(blob.digest) = "sho";
    EXPECT_EQ(failure([&] { client.put_blob(named("app"), blobs, blob, {}, none_); }).code,
              ErrorCode::Corrupt);
}

TEST_F(RegistryClientTest, ForeignLayersComeFromTheirOwnUrls) {
    mullion::test::HttpServer server(path("files"));
    base::write_file_atomic(path("files") / "layer", "foreign");
    Descriptor layer{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                     base::Digest::of("foreign"),
                     7,
                     {},
                     {"ftp://nowhere/layer", server.url("none"), server.url("layer")},
                     {}};
    Collected sink;
    client.get_blob(named("app"), layer, sink, none_);
    EXPECT_EQ(sink.text, "foreign");
    layer.digest = base::Digest::of("another");
    EXPECT_EQ(failure([&] { client.get_blob(named("app"), layer, sink, none_); }).code, ErrorCode::Corrupt);
}

TEST_F(RegistryClientTest, APullThroughCacheIsAMirror) {
    TestImage image = add_sample();
    store(client, blobs, image, named("app:1"));
    DockerRegistry::Options options;
    options.proxy_of = "http://" + registry.host();
    DockerRegistry cache(options);
    write("certs.d/" + registry.host() + "/hosts.toml", "server = \"http://" + registry.host() +
                                                            "\"\n[host.\"http://" + cache.host() +
                                                            "\"]\ncapabilities = [\"pull\", \"resolve\"]\n");
    RegistryOptions with_mirror = hasty();
    with_mirror.hosts.directories = {path("certs.d")};
    RegistryClient mirrored(with_mirror, nobody);
    EXPECT_EQ(mirrored.get_manifest(named("app:1"), none_).bytes, blobs.bytes.at(image.root.digest));
    Collected layer;
    mirrored.get_blob(named("app"), image.manifest.layers[0], layer, none_);
    EXPECT_EQ(layer.text, blobs.bytes.at(image.manifest.layers[0].digest));
    EXPECT_EQ(cache.count("GET", "/v2/app/blobs/", "200"), 1u);
}

TEST_F(RegistryClientTest, AReadOnlyRegistrySaysSo) {
    DockerRegistry::Options options;
    options.read_only = true;
    DockerRegistry closed(options);
    TestImage image = add_sample();
    Failure failed = failure([&] {
        client.put_blob(reference(closed.host(), "app"), blobs, image.manifest.layers[0], {}, none_);
    });
    EXPECT_THAT(failed.text, HasSubstr("405"));
    EXPECT_THAT(failed.text, HasSubstr(closed.host() + "/app"));
}

TEST(RegistryPassword, IsAskedForByBasicAuthentication) {
    DockerRegistry registry({.auth = DockerRegistry::Auth::Password, .certificate = {}, .client_ca = {}});
    Reference app = reference(registry.host(), "app:1");
    FixedKeychain nobody;
    RegistryClient anonymous(hasty(), nobody);
    try {
        anonymous.get_manifest(app, {});
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Denied);
        EXPECT_THAT(error.hint(), HasSubstr("mullion login " + registry.host()));
    }
    EXPECT_EQ(failure([&] { anonymous.ping(registry.host(), {}); }).code, ErrorCode::Denied);

    FixedKeychain wrong(Credential{DockerRegistry::kUser, "wrong", "", ""});
    RegistryClient mistaken(hasty(), wrong);
    Failure failed = failure([&] { mistaken.ping(registry.host(), {}); });
    EXPECT_EQ(failed.code, ErrorCode::Denied);
    EXPECT_THAT(failed.text, testing::Not(HasSubstr("wrong")));

    FixedKeychain builder(Credential{DockerRegistry::kUser, DockerRegistry::kPassword, "", ""});
    RegistryClient client(hasty(), builder);
    client.ping(registry.host(), {});
    MemoryBlobs blobs;
    TestImage image = add_image(blobs, {layer_tar("a", "1")});
    store(client, blobs, image, app);
    EXPECT_EQ(client.get_manifest(app, {}).descriptor.digest, image.root.digest);
}

// What podman keeps for a repository is presented for that one only.
TEST(RegistryPassword, CanBeThatOfARepository) {
    class ByRepository final : public Keychain {
        std::optional<Credential> find(const std::string&, const std::string& repository,
                                       const base::CancelToken&) override {
            if (repository != "team/app") return {};
            return Credential{DockerRegistry::kUser, DockerRegistry::kPassword, "", ""};
        }
    };
    DockerRegistry registry({.auth = DockerRegistry::Auth::Password, .certificate = {}, .client_ca = {}});
    ByRepository keychain;
    RegistryClient client(hasty(), keychain);
    MemoryBlobs blobs;
    TestImage image = add_image(blobs, {layer_tar("a", "1")});
    Reference app = reference(registry.host(), "team/app:1");
    store(client, blobs, image, app);
    EXPECT_EQ(client.get_manifest(app, {}).descriptor.digest, image.root.digest);
    Reference other = reference(registry.host(), "team/other:1");
    EXPECT_EQ(failure([&] { client.get_manifest(other, {}); }).code, ErrorCode::Denied);
}

}  // namespace
}  // namespace mullion::oci::test
