#include "worker/blob_transfer.hpp"

#include <algorithm>

namespace mullion::worker {

using base::CancelToken;

// Reads the file that the transfer writes, or has written.
class BlobTransfer::Follower final : public base::Source {
  public:
    Follower(std::shared_ptr<BlobTransfer> transfer, CancelToken cancel)
        : transfer_(std::move(transfer)), cancel_(std::move(cancel)), wake_(cancel_.on_cancel([this] {
              std::lock_guard lock(transfer_->mutex_);
              transfer_->changed_.notify_all();
          })) {}

    std::size_t read(char* buffer, std::size_t size) override {
        std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(size, wait_for_bytes()));
        if (part == 0) return 0;
        file_->read_exactly(buffer, part, "the blob");
        position_ += part;
        return part;
    }

  private:
    // How many can be read from file_ now; 0 at the end.
    std::uint64_t wait_for_bytes() {
        BlobTransfer& transfer = *transfer_;
        std::unique_lock lock(transfer.mutex_);
        transfer.changed_.wait(
            lock, [&] { return transfer.ended_ || transfer.written_ > position_ || cancel_.canceled(); });
        transfer.check(cancel_);
        if (transfer.written_ <= position_) return 0;
        if (!file_ || attempt_ != transfer.attempt_) open();
        return transfer.written_ - position_;
    }

    void open() {
        BlobTransfer& transfer = *transfer_;
        attempt_ = transfer.attempt_;
        file_ =
            transfer.writer_ ? transfer.writer_->written() : transfer.store_.open(transfer.blob_, cancel_);
        file_->skip(position_, "the blob");
    }

    const std::shared_ptr<BlobTransfer> transfer_;
    const CancelToken cancel_;
    std::unique_ptr<base::Source> file_;
    unsigned attempt_ = 0;
    std::uint64_t position_ = 0;
    CancelToken::Registration wake_;
};

void BlobTransfer::run(const std::function<void(oci::HttpSink&)>& fetch, const Report& report) {
    try {
        report_ = report;
        restart();
        fetch(*this);
        {
            std::lock_guard lock(mutex_);
            writer_->commit(blob_.digest, blob_.size);
            writer_.reset();
        }
        end(nullptr);
    } catch (...) {
        end(std::current_exception());
    }
}

void BlobTransfer::wait(const CancelToken& cancel) {
    auto wake = cancel.on_cancel([this] {
        std::lock_guard lock(mutex_);
        changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || cancel.canceled(); });
    check(cancel);
}

std::unique_ptr<base::Source> BlobTransfer::follow(const CancelToken& cancel) {
    return std::make_unique<Follower>(shared_from_this(), cancel);
}

void BlobTransfer::check(const CancelToken& cancel) const {
    cancel.check();
    if (error_) std::rethrow_exception(error_);
}

void BlobTransfer::write(std::string_view data) {
    writer_->write(data);
    std::uint64_t written = 0;
    {
        std::lock_guard lock(mutex_);
        written = written_ += data.size();
    }
    changed_.notify_all();
    if (report_) report_(written);
}

void BlobTransfer::restart() {
    std::lock_guard lock(mutex_);
    writer_ = store_.writer();
    ++attempt_;
    written_ = 0;
}

void BlobTransfer::end(std::exception_ptr error) {
    {
        std::lock_guard lock(mutex_);
        if (ended_) return;
        error_ = std::move(error);
        writer_.reset();
        ended_ = true;
    }
    changed_.notify_all();
}

}  // namespace mullion::worker
