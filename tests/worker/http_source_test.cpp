#include <gmock/gmock.h>

#include "tests/support/http_server.hpp"
#include "tests/tree/tree_nodes.hpp"
#include "tests/worker/worker_test.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class HttpSourceTest : public WorkerTest {
  protected:
    HttpSourceTest() : server(path("served")) { options.http.retry_delay = std::chrono::milliseconds(1); }

    void serve(std::string_view name, std::string_view data) const {
        base::write_file_atomic(path("served") / name, data);
        std::filesystem::last_write_time(path("served") / name,
                                         std::filesystem::file_time_type::clock::from_sys(
                                             std::chrono::sys_seconds(std::chrono::seconds(1'600'000'000))));
    }
    solver::Edge source(const std::string& name, const std::string& checksum = "") const {
        return vertex(solver::HttpSource{server.url(name), "tool.exe", checksum}, {}, "http");
    }
    // ADD of it to an empty image.
    solver::Edge add(const std::string& name, const std::string& checksum = "") const {
        solver::CopyAction action;
        action.sources = {"tool.exe"};
        action.destination = "app";
        action.destination_is_directory = true;
        return copy(scratch(), source(name, checksum), action);
    }

    HttpServer server;
};

TEST_F(HttpSourceTest, IsAFileWithTheServersTime) {
    serve("a", "MZ");
    worker::SnapshotRef files = solve(source("a"));
    EXPECT_EQ(read(files, "tool.exe"), "MZ");
    EXPECT_EQ(files->tree({}).find("tool.exe")->metadata.modified.seconds(), 1'600'000'000);
    EXPECT_EQ(files->source_time()->seconds(), 1'600'000'000);
    EXPECT_EQ(tree::testing::node_count(files->tree({})), 2u);
    EXPECT_EQ(read(solve(add("a")), "app/tool.exe"), "MZ");
}

TEST_F(HttpSourceTest, UnchangedFilesAreCachedAndNotSentAgain) {
    serve("a", "MZ");
    serve("dated", "MZ dated");
    for (const char* name : {"a", "dated?no-etag"}) {
        solve(add(name));
        std::size_t sent = server.sent();
        restart();
        EXPECT_EQ(read(solve(add(name)), "app/tool.exe"), std::string(name) == "a" ? "MZ" : "MZ dated");
        EXPECT_THAT(progress.cached(), Contains("http"));
        EXPECT_EQ(server.sent(), sent);
    }
    EXPECT_EQ(server.count(304), 2u);
}

TEST_F(HttpSourceTest, ChangedFilesAreFetched) {
    serve("a", "MZ");
    solve(add("a"));
    restart();
    serve("a", "MZ 2");
    EXPECT_EQ(read(solve(add("a")), "app/tool.exe"), "MZ 2");
    EXPECT_THAT(progress.cached(), Not(Contains("http")));
}

TEST_F(HttpSourceTest, AKnownChecksumNeedsNoServer) {
    serve("a", "MZ");
    // printf MZ | sha512sum
    const std::string sha512 =
        "sha512:bfcdcb26b6f0c288838da7b0d338c2af63798a2ece9dcd6bc07b7cadf44477e3"
        "d5cfbba5b72446c61a1ecf74a0bccc62894ea87a40730cd1d4c2a3e15a7bb55b";
    for (const std::string& checksum : {base::Digest::of("MZ").string(), sha512}) {
        solve(add("a", checksum));
        std::size_t requests = server.requests().size();
        restart();
        EXPECT_EQ(read(solve(add("a", checksum)), "app/tool.exe"), "MZ");
        EXPECT_EQ(server.requests().size(), requests);
    }
}

TEST_F(HttpSourceTest, AnotherChecksumIsCorrupt) {
    serve("a", "MZ");
    base::Error error = failure(add("a", base::Digest::of("else").string()));
    EXPECT_EQ(error.code(), ErrorCode::Corrupt);
    EXPECT_THAT(error.what(), HasSubstr("digest mismatch " + base::Digest::of("MZ").string() + ": expected " +
                                        base::Digest::of("else").string()));
    EXPECT_FALSE(state->content().contains(base::Digest::of("MZ")));
}

TEST_F(HttpSourceTest, ErrorsNameTheUrl) {
    base::Error error = failure(source("missing"));
    EXPECT_EQ(error.code(), ErrorCode::NotFound);
    EXPECT_THAT(error.what(), HasSubstr(server.url("missing")));
    EXPECT_THAT(error.what(), HasSubstr("404"));
    EXPECT_EQ(error.subject(), server.url("missing"));
}

TEST_F(HttpSourceTest, TransfersThatBreakOffAreFinished) {
    std::string data(300'000, 'x');
    serve("a", data);
    EXPECT_EQ(read(solve(source("a?cut=1000&no-ranges")), "tool.exe"), data);
    EXPECT_EQ(read(solve(source("a?fail=2&status=500")), "tool.exe"), data);
}

TEST_F(HttpSourceTest, NamesThatWindowsCannotHoldAreRefused) {
    base::Error error = failure(vertex(solver::HttpSource{server.url("a"), "what?.zip", ""}, {}, "http"));
    EXPECT_EQ(error.code(), ErrorCode::Invalid);
    EXPECT_THAT(error.what(), HasSubstr("what?.zip"));
    EXPECT_EQ(server.requests().size(), 0u);
}

TEST_F(HttpSourceTest, ArchivesOfServersAreUnpackedWhereAsked) {
    std::filesystem::create_directories(path("served"));
    base::ProcessOptions process;
    process.directory = path("served");
    process.argv = {"sh", "-c", "echo hi > x.txt && tar czf x.tgz x.txt"};
    ASSERT_EQ(base::run_process(process, {}), 0);
    solver::CopyAction action;
    action.sources = {"tool.exe"};
    action.destination = "app";
    EXPECT_EQ(solve(copy(scratch(), source("x.tgz"), action))->tree({}).find("app/x.txt"), nullptr);
    action.unpack_archives = true;
    EXPECT_EQ(read(solve(copy(scratch(), source("x.tgz"), action)), "app/x.txt"), "hi\n");
}

TEST_F(HttpSourceTest, ATokenIsForItsHostAndShowsNowhere) {
    serve("a", "MZ");
    base::write_file_atomic(path("served.authorization"), "Bearer tok3n-of-mine");
    base::Error denied = failure(source("a"));
    EXPECT_EQ(denied.code(), ErrorCode::Denied);
    EXPECT_THAT(denied.hint(), HasSubstr("HTTP_AUTH_TOKEN_"));
    restart();
    options.secrets = {{"HTTP_AUTH_TOKEN_127.0.0.1", "tok3n-of-mine"}};
    EXPECT_EQ(read(solve(source("a")), "tool.exe"), "MZ");
    options.secrets = {{"HTTP_AUTH_TOKEN_127.0.0.1", "wr0ng-token"}};
    restart();
    denied = failure(source("a"));
    EXPECT_THAT(denied.what(), HasSubstr("not you: "));
    EXPECT_THAT(denied.what(), Not(HasSubstr("wr0ng-token")));
}

TEST_F(HttpSourceTest, ATokenIsNotSentToWhereARedirectLeads) {
    HttpServer other(path("other"));
    base::write_file_atomic(path("other/a"), "MZ");
    options.secrets = {{"HTTP_AUTH_TOKEN_127.0.0.1", "tok3n-of-mine"}};
    EXPECT_EQ(read(solve(source("x?redirect=" + other.url("a"))), "tool.exe"), "MZ");
    EXPECT_THAT(server.requests().at(0).headers, HasSubstr("tok3n-of-mine"));
    EXPECT_THAT(other.requests().at(0).headers, Not(HasSubstr("tok3n-of-mine")));
}

TEST_F(HttpSourceTest, BytesAreToldAsTheyCome) {
    serve("a", std::string(300'000, 'x'));
    solve(source("a"));
    auto events = progress.all<base::StatusEvent>();
    ASSERT_GE(events.size(), 2u);
    EXPECT_EQ(events.front().id, "downloading");
    EXPECT_EQ(events.back().current, 300'000);
    EXPECT_EQ(events.back().total, 300'000);
    EXPECT_TRUE(events.back().completed);
    std::size_t told = events.size();
    restart();
    solve(source("a"));
    EXPECT_EQ(progress.all<base::StatusEvent>().size(), told) << "nothing came";
}

}  // namespace
}  // namespace mullion::test
