// A blob on its way into the content store, and those who read it meanwhile: a layer is checked, decompressed
// and unpacked while it still comes in.
//
//     auto transfer = std::make_shared<BlobTransfer>(store, descriptor);
//     std::thread([=] { transfer->run([&](oci::HttpSink& sink) { ... }); });
//     auto bytes = transfer->follow(cancel);   // any number, at any time
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>

#include "base/cancel.hpp"
#include "base/stream.hpp"
#include "cache/content_store.hpp"
#include "oci/http_client.hpp"
#include "oci/manifest.hpp"

namespace mullion::worker {

// Thread-safe. Owned by a shared_ptr if anybody follows it; keeps a reference to the store.
class BlobTransfer final : public std::enable_shared_from_this<BlobTransfer>, private oci::HttpSink {
  public:
    // Told how many bytes have come.
    using Report = std::function<void(std::uint64_t bytes)>;

    BlobTransfer(cache::ContentStore& store, oci::Descriptor blob) : store_(store), blob_(std::move(blob)) {}

    const oci::Descriptor& blob() const { return blob_; }

    // Once: brings the blob in with `fetch`, which writes it into the sink, and makes it visible if it is
    // what the descriptor says. What goes wrong is thrown by wait() and by those who follow, not here.
    void run(const std::function<void(oci::HttpSink&)>& fetch, const Report& report = {});
    // Instead of run(): it will not come.
    void give_up(std::exception_ptr error) { end(std::move(error)); }

    // Returns when the blob is in the store; throws what run() failed with, Canceled.
    void wait(const base::CancelToken& cancel);
    // Its bytes from the first one, as they come, NOT yet verified: the end is reported only once the blob is
    // in the store, before that reading throws what wait() throws. A transfer that starts anew may bring
    // other bytes than those that were read: whoever digests what he reads notices.
    std::unique_ptr<base::Source> follow(const base::CancelToken& cancel);

  private:
    class Follower;

    void write(std::string_view data) override;
    void restart() override;
    void end(std::exception_ptr error);
    void check(const base::CancelToken& cancel) const;

    cache::ContentStore& store_;
    const oci::Descriptor blob_;
    Report report_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::unique_ptr<cache::BlobWriter> writer_;  // from the first byte to the end
    unsigned attempt_ = 0;                       // counts the writers
    std::uint64_t written_ = 0;                  // by the last one
    bool ended_ = false;
    std::exception_ptr error_;
};

}  // namespace mullion::worker
