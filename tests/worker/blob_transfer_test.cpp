#include "worker/blob_transfer.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/support/errors.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using test::code_of;

class BlobTransferTest : public testing::Test {
  protected:
    std::shared_ptr<BlobTransfer> transfer_of(std::string_view bytes) {
        return std::make_shared<BlobTransfer>(*store,
                                              oci::Descriptor{.media_type = "application/octet-stream",
                                                              .digest = base::Digest::of(bytes),
                                                              .size = bytes.size()});
    }
    static std::string rest_of(base::Source& source) { return source.read_all(1 << 20, "blob"); }
    static std::string take(base::Source& source, std::size_t size) {
        std::string bytes(size, '\0');
        source.read_exactly(bytes.data(), size, "blob");
        return bytes;
    }

    base::TempDir directory{std::filesystem::temp_directory_path()};
    std::unique_ptr<cache::ContentStore> store = cache::ContentStore::open_directory(directory.path());
};

TEST_F(BlobTransferTest, IsReadWhileItComes) {
    auto transfer = transfer_of("layer bytes");
    std::promise<void> go_on;
    std::jthread sender([&] {
        transfer->run([&](oci::HttpSink& sink) {
            sink.write("layer ");
            go_on.get_future().wait();
            sink.write("bytes");
        });
    });
    auto first = transfer->follow({});
    auto second = transfer->follow({});
    EXPECT_EQ(take(*first, 6), "layer ");
    EXPECT_FALSE(store->contains(transfer->blob().digest));
    go_on.set_value();
    EXPECT_EQ(rest_of(*first), "bytes");
    EXPECT_TRUE(store->contains(transfer->blob().digest));
    EXPECT_EQ(rest_of(*second), "layer bytes");
    EXPECT_EQ(rest_of(*transfer->follow({})), "layer bytes");
}

TEST_F(BlobTransferTest, EndsOnlyIfTheBlobIsRight) {
    auto transfer = transfer_of("layer bytes");
    auto follower = transfer->follow({});
    transfer->run([](oci::HttpSink& sink) { sink.write("other bytes"); });
    EXPECT_EQ(code_of([&] { rest_of(*follower); }), ErrorCode::Corrupt);
    EXPECT_EQ(code_of([&] { transfer->wait({}); }), ErrorCode::Corrupt);
    EXPECT_FALSE(store->contains(transfer->blob().digest));
}

TEST_F(BlobTransferTest, ReadersGoOnWhenItStartsAnew) {
    auto transfer = transfer_of("layer bytes");
    auto follower = transfer->follow({});
    std::promise<void> go_on;
    std::jthread sender([&] {
        transfer->run([&](oci::HttpSink& sink) {
            sink.write("layer b");
            go_on.get_future().wait();
            sink.restart();
            sink.write("lay");
            sink.write("er bytes");
        });
    });
    EXPECT_EQ(take(*follower, 5), "layer");
    go_on.set_value();
    EXPECT_EQ(rest_of(*follower), " bytes");
}

TEST_F(BlobTransferTest, ReadersHearWhyItFailed) {
    auto transfer = transfer_of("layer bytes");
    transfer->run([](oci::HttpSink& sink) {
        sink.write("layer");
        throw base::fail(ErrorCode::Unavailable, "the server is gone");
    });
    EXPECT_EQ(code_of([&] { rest_of(*transfer->follow({})); }), ErrorCode::Unavailable);
}

TEST_F(BlobTransferTest, WaitingCanBeCanceled) {
    auto transfer = transfer_of("layer bytes");
    base::CancelSource stop;
    auto follower = transfer->follow(stop.token());
    std::jthread canceler([&] { stop.cancel(); });
    EXPECT_EQ(code_of([&] { rest_of(*follower); }), ErrorCode::Canceled);
    EXPECT_EQ(code_of([&] { transfer->wait(stop.token()); }), ErrorCode::Canceled);
    transfer->give_up(std::make_exception_ptr(base::fail(ErrorCode::NotFound, "nowhere")));
    EXPECT_EQ(code_of([&] { transfer->wait({}); }), ErrorCode::NotFound);
}

}  // namespace
}  // namespace mullion::worker
