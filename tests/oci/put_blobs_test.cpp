#include "oci/put_blobs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "support.hpp"

namespace mullion::oci {
namespace {

using test::failure;
using testing::ElementsAreArray;

// Says how many blobs are open at a time; the first waits until `company` are, or it has waited long enough.
class CountingBlobs final : public BlobSource {
  public:
    CountingBlobs(BlobSource& next, std::size_t company) : next_(next), company_(company) {}

    std::unique_ptr<base::Source> open(const Descriptor& blob, const base::CancelToken& cancel) override {
        return std::make_unique<Counted>(*this, next_.open(blob, cancel));
    }
    std::size_t most() const { return most_; }

  private:
    class Counted final : public base::Source {
      public:
        Counted(CountingBlobs& all, std::unique_ptr<base::Source> source)
            : all_(all), source_(std::move(source)) {
            all_.enter();
        }
        ~Counted() override { all_.leave(); }
        std::size_t read(char* buffer, std::size_t size) override { return source_->read(buffer, size); }

      private:
        CountingBlobs& all_;
        std::unique_ptr<base::Source> source_;
    };
    void enter() {
        std::unique_lock lock(mutex_);
        most_ = std::max(most_, ++open_);
        changed_.notify_all();
        changed_.wait_for(lock, std::chrono::seconds(5), [&] { return most_ >= company_; });
    }
    void leave() {
        std::lock_guard lock(mutex_);
        --open_;
    }

    BlobSource& next_;
    std::size_t company_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t open_ = 0;
    std::size_t most_ = 0;
};

// An archive, as far as the order of its blobs goes.
class OrderedWriter final : public ImageWriter {
  public:
    void put(BlobSource& source, const Descriptor& blob, const base::CancelToken& cancel) override {
        read_blob(source, blob, 1 << 20, cancel);
        order.push_back(blob.digest);
    }
    void put_bytes(const Descriptor&, std::string_view) override {}
    void finish(const std::vector<NamedRoot>&) override {}

    std::vector<base::Digest> order;
};

class PutBlobsTest : public test::ScratchTest {
  protected:
    PutBlobsTest() {
        for (int i = 0; i < 12; ++i) {
            list_.push_back(blobs_.add(media_type::kLayerGzip, std::string(100'000 - 5'000 * i, 'a' + i)));
            digests_.push_back(list_.back().digest);
        }
    }
    void put(ImageWriter& writer, BlobSource& source, const std::filesystem::path& room) {
        put_blobs(writer, source, list_, room, report_, none_);
    }

    test::MemoryBlobs blobs_;
    std::vector<Descriptor> list_;
    std::vector<base::Digest> digests_;
    base::NullProgress progress_;
    TransferReport report_{progress_, base::Digest::of("vertex")};
};

TEST_F(PutBlobsTest, ALayoutTakesFourAtATime) {
    CountingBlobs counting(blobs_, 4);
    put(*write_oci_layout(path("layout")), counting, {});
    EXPECT_EQ(counting.most(), 4u);
    for (const Descriptor& blob : list_) {
        EXPECT_EQ(read("layout/blobs/sha256/" + blob.digest.hex()), blobs_.bytes.at(blob.digest));
    }
}

TEST_F(PutBlobsTest, AnArchiveIsWrittenInOrderWhileOthersAreFetched) {
    CountingBlobs counting(blobs_, 4);
    OrderedWriter writer;
    put(writer, counting, scratch_.path());
    EXPECT_EQ(counting.most(), 4u);
    EXPECT_THAT(writer.order, ElementsAreArray(digests_));
    EXPECT_TRUE(std::filesystem::is_empty(scratch_.path())) << "nothing waits any more";
}

TEST_F(PutBlobsTest, WithoutAWaitingRoomAnArchiveIsFedOneByOne) {
    CountingBlobs counting(blobs_, 1);
    OrderedWriter writer;
    put(writer, counting, {});
    EXPECT_EQ(counting.most(), 1u);
    EXPECT_THAT(writer.order, ElementsAreArray(digests_));
}

TEST_F(PutBlobsTest, TheSameArchiveEitherWay) {
    auto archive = [&](const std::filesystem::path& room) {
        base::StringSink sink;
        auto writer = write_oci_archive(sink);
        put(*writer, blobs_, room);
        writer->finish({});
        return sink.take();
    };
    EXPECT_EQ(archive({}), archive(scratch_.path()));
}

TEST_F(PutBlobsTest, ADamagedBlobEndsItForAll) {
    for (std::size_t damaged : {0u, 1u, 11u}) {
        std::string kept = blobs_.bytes.at(digests_[damaged]);
        blobs_.bytes.at(digests_[damaged])[7] ^= 1;
        OrderedWriter writer;
        test::Failure found = failure([&] { put(writer, blobs_, scratch_.path()); });
        EXPECT_EQ(found.code, base::ErrorCode::Corrupt) << found.text;
        EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
        EXPECT_EQ(std::find(writer.order.begin(), writer.order.end(), digests_[damaged]), writer.order.end());
        blobs_.bytes.at(digests_[damaged]) = kept;
    }
}

TEST_F(PutBlobsTest, CanBeCanceledWhileBlobsWait) {
    base::CancelSource stop;
    class Canceling final : public BlobSource {
      public:
        Canceling(BlobSource& next, base::CancelSource& stop, base::Digest at)
            : next_(next), stop_(stop), at_(at) {}
        std::unique_ptr<base::Source> open(const Descriptor& blob, const base::CancelToken& cancel) override {
            if (blob.digest == at_) {
                cancel.wait_for(std::chrono::milliseconds(50));
                stop_.cancel();
                cancel.check();
            }
            return next_.open(blob, cancel);
        }

      private:
        BlobSource& next_;
        base::CancelSource& stop_;
        base::Digest at_;
    } canceling(blobs_, stop, digests_[0]);
    OrderedWriter writer;
    EXPECT_EQ(
        failure([&] { put_blobs(writer, canceling, list_, scratch_.path(), report_, stop.token()); }).code,
        base::ErrorCode::Canceled);
    EXPECT_TRUE(writer.order.empty());
}

}  // namespace
}  // namespace mullion::oci
