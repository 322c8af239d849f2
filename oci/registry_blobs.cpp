#include "oci/registry_blobs.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "base/owned_source.hpp"

namespace mullion::oci {
namespace {

constexpr std::size_t kAhead = 1 << 20;

// Turns what a transfer pushes into what a reader pulls. Whoever destroys it early ends the transfer.
class BlobStream final : public base::Source, private HttpSink {
  public:
    BlobStream(RegistryClient& client, Reference repository, Descriptor blob, const base::CancelToken& cancel)
        : repository_(std::move(repository)), blob_(std::move(blob)), stop_(cancel), token_(stop_.token()) {
        wake_ = token_.on_cancel([this] {
            std::lock_guard lock(mutex_);
            changed_.notify_all();
        });
        thread_ = std::thread([this, &client] { run(client); });
    }
    ~BlobStream() override {
        stop_.cancel();
        thread_.join();
    }

    std::size_t read(char* buffer, std::size_t size) override {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !ahead_.empty() || done_; });
        if (ahead_.empty()) {
            if (error_) std::rethrow_exception(error_);
            return 0;
        }
        std::size_t count = std::min(size, ahead_.size() - read_);
        std::memcpy(buffer, ahead_.data() + read_, count);
        read_ += count;
        if (read_ == ahead_.size()) {
            ahead_.clear();
            read_ = 0;
            changed_.notify_all();
        }
        return count;
    }

  private:
    void run(RegistryClient& client) {
        std::exception_ptr error;
        try {
            client.get_blob(repository_, blob_, *this, token_);
        } catch (...) {
            error = std::current_exception();
        }
        std::lock_guard lock(mutex_);
        error_ = error;
        done_ = true;
        changed_.notify_all();
    }

    void write(std::string_view data) override {
        std::unique_lock lock(mutex_);
        // After a restart, what was passed on before comes again: whoever reads checks the digest of it all.
        std::size_t known = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, data.size()));
        skip_ -= known;
        data.remove_prefix(known);
        changed_.wait(lock, [&] { return ahead_.size() < kAhead || token_.canceled(); });
        token_.check();
        ahead_ += data;
        passed_ += data.size();
        changed_.notify_all();
    }
    void restart() override {
        std::lock_guard lock(mutex_);
        skip_ = passed_;
    }

    Reference repository_;
    Descriptor blob_;
    base::CancelSource stop_;
    base::CancelToken token_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string ahead_;  // not yet read from read_ on
    std::size_t read_ = 0;
    std::uint64_t passed_ = 0;
    std::uint64_t skip_ = 0;
    bool done_ = false;
    std::exception_ptr error_;
    base::CancelToken::Registration wake_;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<base::Source> RegistryBlobs::open(const Descriptor& descriptor,
                                                  const base::CancelToken& cancel) {
    if (media_type::is_manifest(descriptor.media_type) || media_type::is_index(descriptor.media_type)) {
        return std::make_unique<base::OwnedSource>(
            get_document(client_, repository_, descriptor, cancel).bytes);
    }
    return std::make_unique<BlobStream>(client_, repository_, descriptor, cancel);
}

RegistryDocument get_document(RegistryClient& client, const Reference& repository,
                              const Descriptor& descriptor, const base::CancelToken& cancel) {
    Reference by_digest = repository.with_digest(descriptor.digest);
    RegistryDocument document = client.get_manifest(by_digest, cancel);
    if (document.descriptor.media_type != descriptor.media_type) {
        throw base::fail(base::ErrorCode::Corrupt,
                         "{}: its media type is \"{}\", not \"{}\" as the index says", by_digest.string(),
                         document.descriptor.media_type, descriptor.media_type);
    }
    return document;
}

}  // namespace mullion::oci
