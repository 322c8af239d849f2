#include "oci/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "oci/http_url.hpp"
#include "tests/support/child.hpp"
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
    // For 127.0.0.1, with its key; alone it is in NAME.crt.
    std::string make_certificate() const {
        std::string certificate = (directory.path() / "certificate.pem").string();
        base::ProcessOptions process;
        process.argv = {"openssl",  "req",       "-x509",   "-newkey",
                        "rsa:2048", "-nodes",    "-days",   "2",
                        "-subj",    "/CN=test",  "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout",  certificate, "-out",    certificate + ".crt"};
        EXPECT_EQ(base::run_and_capture(process, {}).exit_code, 0);
        base::write_file_atomic(certificate, base::read_file(certificate, 1 << 20) +
                                                 base::read_file(certificate + ".crt", 1 << 20));
        return certificate;
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

TEST_F(HttpClientTest, GivesAPartAndNoMore) {
    serve("large", large());
    oci::HttpClient client(options);
    for (const char* name : {"large", "large?cut-part=1000"}) {
        body.text.clear();
        oci::HttpRequest request{
            .url = server.url(name), .range = oci::HttpRange{5000, 20000}, .immutable = true};
        EXPECT_EQ(client.send(request, &body, cancel.token()).status, 206) << name;
        EXPECT_EQ(body.text, large().substr(5000, 20000)) << name;
    }
    EXPECT_EQ(server.sent(), 40000u);
    oci::HttpRequest whole{.url = server.url("large?no-ranges"), .range = oci::HttpRange{5000, 20000}};
    try {
        client.send(whole, &body, cancel.token());
        ADD_FAILURE() << "no error";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    }
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

// Larger than what client and sockets hold together.
std::string huge() {
    std::string text;
    while (text.size() < (16 << 20)) text += std::to_string(text.size()) + "\n";
    return text;
}

TEST_F(HttpClientTest, ASlowSinkHoldsUpNobodyElse) {
    const std::string data = huge();
    serve("huge", data);
    oci::HttpClient client(options);
    std::promise<void> blocked;
    std::promise<void> released;
    Collected slow;
    slow.on_write = [&, first = true]() mutable {
        if (!std::exchange(first, false)) return;
        blocked.set_value();
        released.get_future().wait();
    };
    std::thread other([&] {
        oci::HttpRequest request{.url = server.url("huge")};
        EXPECT_EQ(client.send(request, &slow, {}).status, 200);
    });
    blocked.get_future().wait();
    for (int i = 0; i < 2; ++i) {
        Collected quick;
        oci::HttpRequest request{.url = server.url("huge")};
        EXPECT_EQ(client.send(request, &quick, {}).status, 200);
        EXPECT_TRUE(quick.text == data);
    }
    released.set_value();
    other.join();
    EXPECT_TRUE(slow.text == data);
}

TEST_F(HttpClientTest, ThreadsShareConnections) {
    serve("a.txt", "hello");
    oci::HttpClient client(options);
    for (int i = 0; i < 3; ++i) {
        std::thread([&] {
            Collected text;
            oci::HttpRequest request{.url = server.url("a.txt")};
            EXPECT_EQ(client.send(request, &text, {}).status, 200);
        }).join();
    }
    EXPECT_EQ(server.requests().size(), 3u);
    EXPECT_EQ(server.connections(), 1u);
}

TEST_F(HttpClientTest, TwoHundredAtOnceMakeDoWithFewConnections) {
    serve("a.txt", "hello");
    oci::HttpClient client(options);
    std::vector<std::thread> threads;
    for (int i = 0; i < 200; ++i) {
        threads.emplace_back([&] {
            Collected text;
            oci::HttpRequest request{.url = server.url("a.txt")};
            EXPECT_EQ(client.send(request, &text, {}).status, 200);
            EXPECT_EQ(text.text, "hello");
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(server.count(200), 200u);
    EXPECT_LE(server.connections(), 32u);
}

TEST_F(HttpClientTest, WhatASlowSinkThrowsComesThroughAndTheClientGoesOn) {
    serve("huge", huge());
    serve("a.txt", "hello");
    oci::HttpClient client(options);
    body.on_write = [] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));  // it is paused by now
        throw base::fail(ErrorCode::Exhausted, "disk full");
    };
    oci::HttpRequest request{.url = server.url("huge")};
    EXPECT_THROW(client.send(request, &body, {}), base::Error);
    body = {};
    request.url = server.url("a.txt");
    EXPECT_EQ(client.send(request, &body, {}).status, 200);
    EXPECT_EQ(body.text, "hello");
}

TEST_F(HttpClientTest, CancelEndsWhatIsPaused) {
    serve("huge", huge());
    max_body = 1 << 30;
    body.on_write = [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        cancel.cancel();
    };
    EXPECT_EQ(failure("huge").code(), ErrorCode::Canceled);
}

TEST_F(HttpClientTest, WeMayTakeLongerThanTheServer) {
    const std::string data = huge();
    serve("huge", data);
    max_body = 1 << 30;
    options.stall_timeout = std::chrono::seconds(1);
    options.max_attempts = 1;
    body.on_write = [first = true]() mutable {
        if (std::exchange(first, false)) std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    };
    EXPECT_EQ(get("huge").status, 200);
    EXPECT_TRUE(body.text == data);
}

TEST_F(HttpClientTest, AServerThatStopsInABodyIsGivenUp) {
    serve("large", large());
    options.stall_timeout = std::chrono::seconds(1);
    options.max_attempts = 1;
    base::Error error = failure("large?stall=1000");
    EXPECT_EQ(error.code(), ErrorCode::TimedOut);
    EXPECT_THAT(error.what(), HasSubstr("nothing was sent or received for 1 s"));
    EXPECT_EQ(body.text, large().substr(0, 1000));
}

// Gives its text in pieces, and can be slow about one of them.
class SlowSource final : public base::Source {
  public:
    SlowSource(std::string_view text, std::chrono::milliseconds pause) : text_(text), pause_(pause) {}
    std::size_t read(char* buffer, std::size_t size) override {
        if (++reads_ == 3) std::this_thread::sleep_for(pause_);
        return text_.read(buffer, std::min<std::size_t>(size, 300'000));
    }

  private:
    base::MemorySource text_;
    std::chrono::milliseconds pause_;
    int reads_ = 0;
};

TEST_F(HttpClientTest, LargeBodiesAreSentAnewWhereNeeded) {
    const std::string data = huge();
    options.stall_timeout = std::chrono::seconds(1);
    options.max_attempts = 1;
    oci::HttpClient client(options);
    int made = 0;
    oci::HttpRequest request{.method = "PUT"};
    request.body = [&] {
        ++made;
        return std::make_unique<SlowSource>(data, std::chrono::milliseconds(made == 1 ? 2500 : 0));
    };
    request.body_size = data.size();
    for (const char* name : {"x?drop", "x?redirect=/files/y"}) {
        body.text.clear();
        request.url = server.url(name);
        EXPECT_EQ(client.send(request, &body, {}).status, 200) << name;
        EXPECT_EQ(body.text, base::Digest::of(data).hex()) << name;
    }
    EXPECT_GE(made, 3);
}

TEST_F(HttpClientTest, WhatTheSourceThrowsComesThrough) {
    class Broken final : public base::Source {
        std::size_t read(char*, std::size_t) override { throw base::fail(ErrorCode::Corrupt, "no more"); }
    };
    oci::HttpRequest request{.method = "PUT", .url = server.url("x")};
    request.body = [] { return std::make_unique<Broken>(); };
    request.body_size = 10;
    try {
        oci::HttpClient(options).send(request, &body, {});
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt);
    }
}

// Five attempts at a dead server take at least so long: the delays between five are 100, 200, 400 and 800 ms.
TEST_F(HttpClientTest, WhoAnsweredBeforeGetsAllAttempts) {
    auto passing = std::make_unique<HttpServer>(directory.path() / "other");
    options.retry_delay = std::chrono::milliseconds(100);
    oci::HttpClient client(options);
    oci::HttpRequest request{.url = passing->url("nothing")};
    EXPECT_EQ(client.send(request, &body, {}).status, 404);
    passing.reset();
    auto start = std::chrono::steady_clock::now();
    EXPECT_THROW(client.send(request, &body, {}), base::Error);
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(1500));
}

TEST_F(HttpClientTest, AClientThatSentNothingJustGoes) {
    oci::HttpClient client(options);
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
    std::string certificate = make_certificate();
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

// TLS reads ahead: what it has read by the time of a pause must not be waited for afterwards.
TEST_F(HttpClientTest, PausesWithTls) {
    const std::string data = huge();
    serve("huge", data);
    options.ca_file = make_certificate() + ".crt";
    options.stall_timeout = std::chrono::seconds(5);
    HttpServer secure(directory.path() / "root", directory.path() / "certificate.pem");
    oci::HttpClient client(options);
    int writes = 0;
    body.on_write = [&] {
        if (writes++ % 8 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    };
    oci::HttpRequest request{.url = secure.url("huge"), .single_attempt = true};
    EXPECT_EQ(client.send(request, &body, {}).status, 200);
    EXPECT_TRUE(body.text == data);
}

// Eight requests that are answered together are on one connection, if that carries HTTP/2.
TEST_F(HttpClientTest, SmallRequestsShareAConnectionByHttp2) {
    std::string certificate = make_certificate();
    Child node({"node", std::string(MULLION_TEST_SUPPORT) + "/http2_server.js", certificate});
    std::string port = node.first_line();
    if (port.empty()) GTEST_SKIP() << "node is not installed";
    options.ca_file = certificate + ".crt";
    oci::HttpClient client(options);
    auto ask = [&](const std::string& path, std::uint64_t longest) {
        Collected answer;
        oci::HttpRequest request{.url = "https://127.0.0.1:" + port + path, .max_body = longest};
        EXPECT_EQ(client.send(request, &answer, {}).status, 200);
        return answer.text;
    };
    EXPECT_EQ(ask("/", 1000), "2.0 1");
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] { EXPECT_EQ(ask("/together/8", 1000), "2.0 1"); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(ask("/", std::uint64_t{1} << 40), "1.1 2");  // what may be paused has its own
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
