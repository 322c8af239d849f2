#include "oci/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "oci/http_url.hpp"
#include "tests/support/http_server.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

class Collected final : public oci::HttpSink {
  public:
    void write(std::string_view data) override {
        text += data;
        if (on_write) on_write();
    }
    void restart() override {
        text.clear();
        ++restarts;
    }
    std::string text;
    int restarts = 0;
    std::function<void()> on_write;
};

class HttpClientTest : public testing::Test {
  protected:
    HttpClientTest()
        : directory(std::filesystem::temp_directory_path(), "http"), server(directory.path() / "root") {
        options.retry_delay = std::chrono::milliseconds(1);
    }

    void serve(std::string_view name, std::string_view data) const {
        base::write_file_atomic(directory.path() / "root" / name, data);
    }
    oci::HttpResponse get(const std::string& name, oci::HttpHeaders headers = {}) {
        oci::HttpClient client(options);
        oci::HttpRequest request{
            .url = server.url(name), .headers = std::move(headers), .max_body = max_body};
        return client.send(request, &body, cancel.token());
    }
    base::Error failure(const std::string& name) {
        try {
            get(name);
        } catch (const base::Error& error) {
            return error;
        }
        ADD_FAILURE() << "no error";
        return base::Error(ErrorCode::Internal, "no error");
    }
    static std::string large() {
        std::string text;
        for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + "\n";
        return text;
    }

    base::TempDir directory;
    HttpServer server;
    oci::HttpOptions options;
    std::uint64_t max_body = 1 << 20;
    base::CancelSource cancel;
    Collected body;
};

TEST_F(HttpClientTest, BodyGoesToTheSinkAndHeadersAreInLowerCase) {
    serve("a.txt", "hello");
    oci::HttpResponse response = get("a.txt");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(body.text, "hello");
    EXPECT_EQ(response.header("content-length"), "5");
    EXPECT_EQ(response.header("no-such"), std::nullopt);
}

TEST_F(HttpClientTest, StatusesThatStayAreReturnedWithTheirText) {
    oci::HttpResponse response = get("nothing");
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.error_body, "no such file");
    EXPECT_EQ(body.text, "");
    EXPECT_EQ(server.requests().size(), 1u);
    try {
        oci::require_success(response, "nothing");
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
        EXPECT_THAT(error.what(), HasSubstr("404: no such file"));
    }
}

TEST_F(HttpClientTest, TriesAgainWhileTheServerIsBusy) {
    serve("a.txt", "hello");
    for (const char* status : {"500", "502", "503", "504", "429", "408"}) {
        body.text.clear();
        EXPECT_EQ(get(std::string("a.txt?fail=2&status=") + status).status, 200) << status;
        EXPECT_EQ(body.text, "hello");
    }
    EXPECT_EQ(server.count(200), 6u);
    EXPECT_EQ(server.requests().size(), 18u);
}

TEST_F(HttpClientTest, GivesUpAfterSoManyAttempts) {
    serve("a.txt", "hello");
    options.max_attempts = 3;
    EXPECT_EQ(get("a.txt?fail=9").status, 503);
    EXPECT_EQ(server.requests().size(), 3u);
}

TEST_F(HttpClientTest, TheServersPatienceCountsUnlessItIsTooMuch) {
    serve("a.txt", "hello");
    options.retry_delay = std::chrono::hours(1);
    EXPECT_EQ(get("a.txt?fail=1&retry-after=0").status, 200);
    EXPECT_EQ(get("a.txt?fail=1&retry-after=Sun,%2006%20Nov%201994%2008:49:37%20GMT").status, 200);
    EXPECT_EQ(get("a.txt?fail=1&retry-after=3600").status, 503);
}

TEST_F(HttpClientTest, GoesOnWhereABodyBrokeOff) {
    serve("large", large());
    EXPECT_EQ(get("large?cut=100000").status, 206);
    EXPECT_EQ(body.text, large());
    EXPECT_EQ(body.restarts, 0);
    EXPECT_EQ(server.sent(), large().size());
}

TEST_F(HttpClientTest, StartsAgainWhereTheServerCannotGoOn) {
    serve("large", large());
    EXPECT_EQ(get("large?cut=100000&no-ranges").status, 200);
    EXPECT_EQ(body.text, large());
    EXPECT_EQ(body.restarts, 1);
}

TEST_F(HttpClientTest, StartsAgainWhereTheFileHasChangedMeanwhile) {
    serve("large", large());
    body.on_write = [&] { serve("large", "another"); };
    EXPECT_EQ(get("large?cut=100000").status, 200);
    EXPECT_EQ(body.text, "another");
    EXPECT_EQ(body.restarts, 1);
}

TEST_F(HttpClientTest, FollowsRedirectsButNotForEver) {
    serve("a.txt", "hello");
    oci::HttpResponse response = get("x?redirect=/files/a.txt");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.url, server.url("a.txt"));
    EXPECT_EQ(body.text, "hello");
    EXPECT_EQ(failure("x?loop").code(), ErrorCode::Invalid);
}

TEST_F(HttpClientTest, LeavesHttpForNothing) {
    EXPECT_EQ(failure("x?redirect=file:///etc/passwd").code(), ErrorCode::Invalid);
    EXPECT_EQ(body.text, "");
    oci::HttpClient client(options);
    oci::HttpRequest request{.url = "file:///etc/passwd"};
    EXPECT_THROW(client.send(request, &body, {}), base::Error);
}

TEST_F(HttpClientTest, RefusesBodiesThatAreTooLong) {
    serve("a.txt", "hello");
    max_body = 4;
    EXPECT_THAT(failure("a.txt").what(), HasSubstr("5 bytes, more than the 4 allowed"));
    max_body = 5;
    EXPECT_EQ(get("a.txt").status, 200);
}

TEST_F(HttpClientTest, ConditionalRequestsTransferNothing) {
    serve("a.txt", "hello");
    oci::HttpResponse first = get("a.txt");
    body.text.clear();
    EXPECT_EQ(get("a.txt", {{"If-None-Match", *first.header("etag")}}).status, 304);
    EXPECT_EQ(body.text, "");
}

TEST_F(HttpClientTest, AServerThatHangsIsGivenUp) {
    options.stall_timeout = std::chrono::seconds(1);
    options.max_attempts = 1;
    EXPECT_EQ(failure("x?hang").code(), ErrorCode::TimedOut);
}

TEST_F(HttpClientTest, CancelEndsAWait) {
    std::thread other([&] {
        while (server.requests().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        cancel.cancel();
    });
    EXPECT_EQ(failure("x?hang").code(), ErrorCode::Canceled);
    other.join();
}

TEST_F(HttpClientTest, ProxiesComeFromTheEnvironment) {
    serve("a.txt", "hello");
    std::string proxy = server.url("");
    ::setenv("http_proxy", proxy.c_str(), 1);
    oci::HttpClient client(options);
    oci::HttpRequest request{.url = "http://host.invalid/files/a.txt"};
    EXPECT_EQ(client.send(request, &body, {}).status, 200);
    EXPECT_EQ(server.requests().back().path, request.url);
    ::setenv("no_proxy", "host.invalid", 1);
    options.max_attempts = 1;
    EXPECT_THROW(oci::HttpClient(options).send(request, &body, {}), base::Error);
    ::unsetenv("http_proxy");
    ::unsetenv("no_proxy");
}

TEST_F(HttpClientTest, NobodyListening) {
    options.max_attempts = 2;
    oci::HttpClient client(options);
    oci::HttpRequest request{.url = "http://user:secret@127.0.0.1:1/x?token=secret"};
    try {
        client.send(request, &body, {});
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Unavailable);
        EXPECT_THAT(error.what(), testing::Not(HasSubstr("secret")));
        EXPECT_THAT(error.what(), HasSubstr("127.0.0.1:1/x"));
    }
}

TEST_F(HttpClientTest, WhoNeverAnsweredIsGivenUpSoon) {
    options.retry_delay = std::chrono::milliseconds(200);
    options.max_attempts = 10;  // a minute and more
    oci::HttpClient client(options);
    // No label of a name may have more than 63 characters: such a host cannot be known.
    for (const std::string& host : {std::string("127.0.0.1:1"), std::string(64, 'x') + ".invalid"}) {
        oci::HttpRequest request{.url = "http://" + host + "/"};
        auto start = std::chrono::steady_clock::now();
        EXPECT_THROW(client.send(request, &body, {}), base::Error) << host;
        EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20)) << host;
    }
}

TEST_F(HttpClientTest, WhatTheSinkThrowsComesThrough) {
    serve("a.txt", "hello");
    body.on_write = [] { throw base::fail(ErrorCode::Exhausted, "disk full"); };
    EXPECT_EQ(failure("a.txt").code(), ErrorCode::Exhausted);
    EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(HttpClientTest, SendsBodies) {
    oci::HttpClient client(options);
    for (const char* method : {"PUT", "POST"}) {
        body.text.clear();
        oci::HttpRequest request{.method = method, .url = server.url("x")};
        const std::string data = "some data";
        request.body = [&] { return std::make_unique<base::MemorySource>(data); };
        request.body_size = data.size();
        EXPECT_EQ(client.send(request, &body, {}).status, 200);
        EXPECT_EQ(body.text, base::Digest::of(data).hex());
        EXPECT_EQ(server.requests().back().method, method);
    }
}

TEST_F(HttpClientTest, SeveralThreadsShareOneClient) {
    serve("a.txt", "hello");
    oci::HttpClient client(options);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 50; ++n) {
                Collected text;
                oci::HttpRequest request{.url = server.url("a.txt")};
                EXPECT_EQ(client.send(request, &text, {}).status, 200);
                EXPECT_EQ(text.text, "hello");
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST_F(HttpClientTest, HeadHasNoBody) {
    serve("a.txt", "hello");
    oci::HttpClient client(options);
    oci::HttpRequest request{.method = "HEAD", .url = server.url("a.txt"), .max_body = 1};
    oci::HttpResponse response = client.send(request, nullptr, {});
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.header("content-length"), "5");
}

TEST_F(HttpClientTest, ACertificateFileThatIsNoneIsNamed) {
    options.ca_file = directory.path() / "no-such.pem";
    options.max_attempts = 1;
    oci::HttpClient client(options);
    oci::HttpRequest request{.url = "https://127.0.0.1:1/"};
    EXPECT_THROW(client.send(request, nullptr, {}), base::Error);
}

TEST_F(HttpClientTest, CertificatesOfOnesOwn) {
    serve("a.txt", "hello");
    std::string certificate = (directory.path() / "certificate.pem").string();
    base::ProcessOptions process;
    process.argv = {"openssl",  "req",       "-x509",   "-newkey",
                    "rsa:2048", "-nodes",    "-days",   "2",
                    "-subj",    "/CN=test",  "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout",  certificate, "-out",    certificate + ".crt"};
    ASSERT_EQ(base::run_and_capture(process, {}).exit_code, 0);
    base::write_file_atomic(
        certificate, base::read_file(certificate, 1 << 20) + base::read_file(certificate + ".crt", 1 << 20));
    HttpServer secure(directory.path() / "root", certificate);
    oci::HttpRequest request{.url = secure.url("a.txt")};
    ASSERT_THAT(request.url, testing::StartsWith("https://"));
    try {
        oci::HttpClient(options).send(request, &body, {});
        FAIL() << "trusted";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Denied);
        EXPECT_THAT(error.hint(), HasSubstr("--ca-file"));
    }
    options.ca_file = certificate + ".crt";
    EXPECT_EQ(oci::HttpClient(options).send(request, &body, {}).status, 200);
    EXPECT_EQ(body.text, "hello");
}

TEST(HttpUrl, RedactsWhatIsSecret) {
    EXPECT_EQ(oci::redacted_url("https://u:p@h.example/a/b?sig=abc&x=1&y#frag"),
              "https://h.example/a/b?sig=...&x=...&y");
    EXPECT_EQ(oci::redacted_url("https://h.example"), "https://h.example");
    EXPECT_EQ(oci::redacted_url("https://h.example/@scope/x"), "https://h.example/@scope/x");
    EXPECT_EQ(oci::redacted_url("https://h.example?x=a@b"), "https://h.example?x=...");
}

TEST(HttpUrl, FileNameIsTheLastElement) {
    EXPECT_EQ(oci::url_file_name("https://h/a/b%20c.zip?x=/y#z"), "b c.zip");
    EXPECT_EQ(oci::url_file_name("https://h/a/dir/"), "dir");
    EXPECT_EQ(oci::url_file_name("https://h/"), "");
    EXPECT_EQ(oci::url_file_name("https://h"), "");
}

TEST(HttpDate, ParsesAndRefuses) {
    EXPECT_EQ(oci::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT")->seconds(), 784111777);
    EXPECT_EQ(oci::parse_http_date("yesterday-ish"), std::nullopt);
}

}  // namespace
}  // namespace mullion::test
