#include "oci/put_blobs.hpp"

#include <condition_variable>
#include <mutex>

#include "base/file.hpp"
#include "oci/shown_source.hpp"
#include "oci/side_by_side.hpp"

namespace mullion::oci {
namespace {

using base::CancelToken;

constexpr std::size_t kParallel = 4;

// Lets threads in one after the other, by number from 0.
class Turns {
  public:
    bool is(std::size_t number) {
        std::lock_guard lock(mutex_);
        return next_ == number;
    }
    void wait_for(std::size_t number, const CancelToken& cancel) {
        CancelToken::Registration wake = cancel.on_cancel([this] {
            std::lock_guard lock(mutex_);
            passed_.notify_all();
        });
        std::unique_lock lock(mutex_);
        passed_.wait(lock, [&] { return next_ == number || cancel.canceled(); });
        lock.unlock();
        cancel.check();
    }
    void pass() {
        std::lock_guard lock(mutex_);
        ++next_;
        passed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable passed_;
    std::size_t next_ = 0;
};

// A blob in a file of its own, as long as it is needed.
class WaitingBlob final : public BlobSource {
  public:
    WaitingBlob(BlobSource& source, const Descriptor& blob, const std::filesystem::path& room,
                const CancelToken& cancel)
        : directory_(room, "blob") {
        base::PendingFile file(directory_.path());
        copy_blob(source, blob, file, cancel);
        file.publish(path());
    }
    std::unique_ptr<base::Source> open(const Descriptor&, const CancelToken&) override {
        return std::make_unique<base::FileSource>(path());
    }

  private:
    std::filesystem::path path() const { return directory_.path() / "blob"; }

    base::TempDir directory_;
};

}  // namespace

void put_blobs(ImageWriter& writer, BlobSource& source, const std::vector<Descriptor>& blobs,
               const std::filesystem::path& waiting_room, const TransferReport& report,
               const CancelToken& cancel) {
    const bool in_order = !writer.takes_several();
    Turns turns;
    auto put = [&](std::size_t i, const CancelToken& token) {
        TransferStatus status(report, blobs[i].digest.string(), blobs[i].size);
        ShownSource shown(source, status);
        if (in_order && !turns.is(i)) {
            WaitingBlob waiting(shown, blobs[i], waiting_room, token);
            turns.wait_for(i, token);
            writer.put(waiting, blobs[i], token);
        } else {
            writer.put(shown, blobs[i], token);
        }
        status.move_to(blobs[i].size);
        turns.pass();
    };
    run_side_by_side(blobs.size(), in_order && waiting_room.empty() ? 1 : kParallel, cancel, put);
}

}  // namespace mullion::oci
