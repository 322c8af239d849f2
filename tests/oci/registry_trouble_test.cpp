// With a proxy between us and docker-registry that makes trouble.
#include <gmock/gmock.h>

#include <thread>

#include "registry_test.hpp"

namespace mullion::oci::test {
namespace {

using base::ErrorCode;
using mullion::test::DockerRegistry;
using mullion::test::HttpServer;
using mullion::test::RegistryProxy;
using testing::HasSubstr;
using testing::Not;

class RegistryTroubleTest : public ScratchTest {
  protected:
    static std::string some_bytes() {
        std::string bytes;
        for (int i = 0; i < 50'000; ++i) bytes += std::to_string(i * 7919);
        return bytes;
    }
    Reference named(const std::string& name) const { return reference(proxy.host(), name); }
    Reference directly(const std::string& name) const { return reference(registry.host(), name); }
    const std::string& content() const { return blobs.bytes.at(layer.digest); }
    std::string get() {
        Collected sink;
        client.get_blob(named("app"), layer, sink, none_);
        restarts = sink.restarts;
        return sink.text;
    }
    // Stores the layer, past the proxy.
    void put() { client.put_blob(directly("app"), blobs, layer, {}, none_); }
    std::size_t sent_with(const std::string& text) const {
        std::size_t number = 0;
        for (const auto& request : proxy.requests())
            number += request.headers.find(text) != std::string::npos;
        return number;
    }

    DockerRegistry registry;
    RegistryProxy proxy{registry};
    MemoryBlobs blobs;
    Descriptor layer = blobs.add(media_type::kLayer, some_bytes());
    FixedKeychain keychain{Credential{"builder", "pass", "", ""}};
    RegistryClient client{hasty(), keychain};
    int restarts = 0;
};

TEST_F(RegistryTroubleTest, ACutDownloadGoesOnWhereItStopped) {
    put();
    proxy.set(R"({"rules":[{"method":"GET","path":"/blobs/","times":1,"do":"cut","bytes":100000},
                           {"method":"GET","path":"/blobs/","times":1,"do":"cut","bytes":50000}]})");
    EXPECT_EQ(get(), content());
    EXPECT_EQ(restarts, 0);
    std::size_t moved = 0;
    for (const auto& request : proxy.requests()) {
        if (request.path.find("/blobs/") != std::string::npos) moved += request.size;
    }
    EXPECT_EQ(moved, content().size());
}

TEST_F(RegistryTroubleTest, WhatCanPassIsTriedAgain) {
    put();
    for (const char* status : {"429", "500", "502", "503", "504"}) {
        proxy.set(
            std::string(
                R"({"rules":[{"path":"/blobs/","times":2,"do":"status","headers":{"Retry-After":"0"},"status":)") +
            status + "}]}");
        EXPECT_EQ(get(), content()) << status;
    }
    proxy.set(
        R"({"rules":[{"path":"/blobs/","do":"status","status":429,"body":"slow down","headers":{"Retry-After":"3600"}}]})");
    Failure failed = failure([&] { get(); });
    EXPECT_EQ(failed.code, ErrorCode::Unavailable);
    EXPECT_THAT(failed.text, HasSubstr("429: slow down"));
}

TEST_F(RegistryTroubleTest, WrongContentIsAnErrorThatNamesBothDigests) {
    put();
    proxy.set(R"({"rules":[{"method":"GET","path":"/blobs/","do":"corrupt"}]})");
    Failure failed = failure([&] { get(); });
    EXPECT_EQ(failed.code, ErrorCode::Corrupt);
    EXPECT_THAT(failed.text, HasSubstr("instead of " + layer.digest.string()));
    proxy.set(R"({"rules":[{"method":"GET","path":"/blobs/","do":"append","text":"more"}]})");
    failed = failure([&] { get(); });
    EXPECT_EQ(failed.code, ErrorCode::Corrupt);
    EXPECT_THAT(failed.text, HasSubstr("more than the " + std::to_string(layer.size)));
}

TEST_F(RegistryTroubleTest, WrongManifestsAreErrors) {
    TestImage image = add_image(blobs, {layer_tar("a", "1")});
    store(client, blobs, image, directly("app:1"));
    auto fails_with = [&](const std::string& rule) {
        proxy.set("{\"rules\":[" + rule + "]}");
        return failure([&] { client.get_manifest(named("app:1"), none_); });
    };
    Failure failed = fails_with(R"({"method":"GET","path":"/manifests/","do":"append","text":" "})");
    EXPECT_EQ(failed.code, ErrorCode::Corrupt);
    EXPECT_THAT(failed.text, HasSubstr(image.root.digest.string()));
    std::string headers = R"({"method":"GET","path":"/manifests/","do":"headers","set":)";
    failed = fails_with(headers + R"({"Content-Type":"text/html"}})");
    EXPECT_EQ(failed.code, ErrorCode::Invalid);
    EXPECT_THAT(failed.text, HasSubstr("text/html"));
    failed =
        fails_with(headers + R"({"Content-Type":"application/vnd.docker.distribution.manifest.v2+json"}})");
    EXPECT_EQ(failed.code, ErrorCode::Corrupt);
    EXPECT_THAT(failed.text, HasSubstr("application/vnd.oci.image.manifest.v1+json"));
    failed = fails_with(headers +
                        R"({"Content-Type":"application/vnd.docker.distribution.manifest.v1+prettyjws"}})");
    EXPECT_EQ(failed.code, ErrorCode::Unsupported);
    failed = fails_with(R"({"method":"GET","path":"/manifests/","do":"append","text":")" +
                        std::string(5 << 20, ' ') + "\"}");
    EXPECT_EQ(failed.code, ErrorCode::Invalid);
    EXPECT_THAT(failed.text, HasSubstr("4194304"));
}

TEST_F(RegistryTroubleTest, ATagIsResolvedByItsDocumentIfTheHeadersSayTooLittle) {
    TestImage image = add_image(blobs, {layer_tar("a", "1")});
    store(client, blobs, image, directly("app:1"));
    proxy.set(R"({"rules":[{"path":"/manifests/","do":"headers","set":{"Docker-Content-Digest":null}}]})");
    auto found = client.find_manifest(named("app:1"), none_);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->digest, image.root.digest);
}

TEST_F(RegistryTroubleTest, CredentialsStayWithTheRegistry) {
    put();
    HttpServer other(path("files"));
    base::write_file_atomic(path("files") / "layer", content());
    proxy.set(R"({"auth":{"user":"builder","password":"pass"},
                  "rules":[{"method":"GET","path":"/blobs/","do":"redirect","to":")" +
              other.url("layer") + R"("}]})");
    EXPECT_EQ(get(), content());
    EXPECT_GE(sent_with("Bearer "), 1u);
    ASSERT_EQ(other.requests().size(), 1u);
    EXPECT_THAT(other.requests()[0].headers, Not(HasSubstr("authorization")));
}

TEST_F(RegistryTroubleTest, AChallengeOfAnotherServerIsNotAnswered) {
    put();
    HttpServer other(path("files"));
    proxy.set(R"({"auth":{"user":"builder","password":"pass"},
                  "rules":[{"method":"GET","path":"/blobs/","do":"redirect","to":")" +
              other.url("x?fail=9&status=401") + R"("}]})");
    EXPECT_EQ(failure([&] { get(); }).code, ErrorCode::Denied);
    for (const auto& request : other.requests())
        EXPECT_THAT(request.headers, Not(HasSubstr("authorization")));
}

TEST_F(RegistryTroubleTest, RedirectsEnd) {
    put();
    proxy.set(R"({"rules":[{"method":"GET","path":"/blobs/","do":"redirect","to":"PATH"}]})");
    Failure failed = failure([&] { get(); });
    EXPECT_EQ(failed.code, ErrorCode::Invalid);
    EXPECT_THAT(failed.text, HasSubstr("redirects"));
}

TEST_F(RegistryTroubleTest, ATokenThatExpiresInTheMiddleIsReplaced) {
    put();
    proxy.set(R"({"auth":{"user":"builder","password":"pass","uses":1},
                  "rules":[{"method":"GET","path":"/blobs/","times":1,"do":"cut","bytes":100000}]})");
    EXPECT_EQ(get(), content());
    EXPECT_EQ(restarts, 0);
    std::size_t tokens = 0;
    for (const auto& request : proxy.requests()) tokens += request.path.starts_with("/token");
    EXPECT_EQ(tokens, 2u);
}

TEST_F(RegistryTroubleTest, OneTokenServesManyRequests) {
    put();
    proxy.set(R"({"auth":{"user":"builder","password":"pass"}})");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            Collected sink;
            client.get_blob(named("app"), layer, sink, none_);
            EXPECT_EQ(sink.text, content());
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::size_t tokens = 0;
    for (const auto& request : proxy.requests()) {
        if (!request.path.starts_with("/token")) continue;
        ++tokens;
        EXPECT_THAT(request.path, HasSubstr("scope=repository%3Aapp%3Apull"));
        EXPECT_THAT(request.path, HasSubstr("service=proxy"));
    }
    EXPECT_EQ(tokens, 1u);
}

TEST_F(RegistryTroubleTest, IdentityTokensAreExchanged) {
    put();
    FixedKeychain identity{Credential{"", "", "refresh-me", ""}};
    RegistryClient refreshing(hasty(), identity);
    proxy.set(R"({"auth":{"refresh":"refresh-me"}})");
    Collected sink;
    refreshing.get_blob(named("app"), layer, sink, none_);
    EXPECT_EQ(sink.text, content());
    for (const auto& request : proxy.requests()) EXPECT_THAT(request.path, Not(HasSubstr("refresh-me")));
}

TEST_F(RegistryTroubleTest, AnonymousTokens) {
    put();
    FixedKeychain nobody;
    RegistryClient anonymous(hasty(), nobody);
    proxy.set(R"({"auth":{"user":"builder","password":"pass","anonymous":true}})");
    Collected sink;
    anonymous.get_blob(named("app"), layer, sink, none_);
    EXPECT_EQ(sink.text, content());
}

TEST_F(RegistryTroubleTest, ARefusedLoginSaysWhatToDo) {
    proxy.set(R"({"auth":{"user":"builder","password":"another"}})");
    try {
        client.get_manifest(named("app:1"), none_);
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Denied);
        EXPECT_THAT(error.what(), HasSubstr(proxy.host() + "/app:1"));
        EXPECT_THAT(error.what(), Not(HasSubstr("pass")));
        EXPECT_THAT(error.hint(), HasSubstr("mullion login " + proxy.host()));
    }
}

TEST_F(RegistryTroubleTest, AnUploadThatBreaksOffIsSentAgain) {
    proxy.set(R"({"rules":[{"method":"PUT","path":"/blobs/","times":2,"do":"drop","bytes":100000}]})");
    EXPECT_EQ(client.put_blob(named("app"), blobs, layer, {}, none_), PushedBlob::Uploaded);
    EXPECT_TRUE(client.has_blob(directly("app"), layer, none_));
}

TEST_F(RegistryTroubleTest, AnUploadWhoseAnswerIsLostIsNotSentAgain) {
    proxy.set(R"({"rules":[{"method":"PUT","path":"/blobs/","times":1,"do":"forget"}]})");
    EXPECT_EQ(client.put_blob(named("app"), blobs, layer, {}, none_), PushedBlob::Uploaded);
    EXPECT_EQ(registry.count("PUT", "/blobs/uploads/", "201"), 1u);
}

TEST_F(RegistryTroubleTest, BusyRegistriesGetTheirUploadLater) {
    proxy.set(R"({"rules":[{"method":"PUT","path":"/blobs/","times":1,"do":"status","status":503},
                           {"method":"POST","path":"/blobs/","times":1,"do":"status","status":429,"headers":{"Retry-After":"0"}}]})");
    EXPECT_EQ(client.put_blob(named("app"), blobs, layer, {}, none_), PushedBlob::Uploaded);
    EXPECT_TRUE(client.has_blob(directly("app"), layer, none_));
}

TEST_F(RegistryTroubleTest, ARegistryThatWantsSmallerPiecesGetsThem) {
    proxy.set(R"({"rules":[{"method":"PUT","path":"/blobs/","times":1,"do":"status","status":413}]})");
    EXPECT_EQ(client.put_blob(named("app"), blobs, layer, {}, none_), PushedBlob::Uploaded);
    EXPECT_EQ(registry.count("PATCH", "/blobs/uploads/", "202"), 1u);
    EXPECT_TRUE(client.has_blob(directly("app"), layer, none_));
}

TEST_F(RegistryTroubleTest, ChunksThatAreLostAreSentAgain) {
    RegistryOptions options = hasty();
    options.chunk_size = 100'000;
    RegistryClient chunked(options, keychain);
    proxy.set(
        R"({"rules":[{"method":"PATCH","times":1,"do":"forget"},{"method":"PATCH","times":1,"do":"drop","bytes":10},
                           {"method":"PATCH","times":1,"do":"status","status":502}]})");
    EXPECT_EQ(chunked.put_blob(named("app"), blobs, layer, {}, none_), PushedBlob::Uploaded);
    Collected back;
    client.get_blob(directly("app"), layer, back, none_);
    EXPECT_EQ(back.text, content());
}

TEST_F(RegistryTroubleTest, RefusalsComeWithTheRegistrysWords) {
    proxy.set(R"({"rules":[{"method":"POST","do":"status","status":403,
        "body":"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"quota\\u001b[31m exceeded\"}]}"}]})");
    Failure failed = failure([&] { client.put_blob(named("app"), blobs, layer, {}, none_); });
    EXPECT_EQ(failed.code, ErrorCode::Denied);
    EXPECT_THAT(failed.text, HasSubstr("DENIED: quota [31m exceeded"));
}

TEST_F(RegistryTroubleTest, CancelEndsATransfer) {
    put();
    proxy.set(R"({"rules":[{"method":"GET","path":"/blobs/","do":"slow","bytes":10}]})");
    base::CancelSource cancel;
    std::thread other([&] {
        while (proxy.requests().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        cancel.cancel();
    });
    Collected sink;
    EXPECT_EQ(failure([&] { client.get_blob(named("app"), layer, sink, cancel.token()); }).code,
              ErrorCode::Canceled);
    other.join();
}

}  // namespace
}  // namespace mullion::oci::test
