#include "oci/http_loop.hpp"

#include "base/error.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::fail;

// More than a program keeps busy on purpose (blobs move four at a time), so that nobody waits for a
// connection that a slow reader holds; few enough for the limit of open files.
constexpr long kMaxConnectionsToHost = 32;
constexpr long kMaxConnections = 128;
// Whatever happens ends the wait.
constexpr int kPollMilliseconds = 60'000;

CURLM* make_multi() {
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) throw fail(ErrorCode::Internal, "libcurl: {}", curl_easy_strerror(code));
    CURLM* multi = curl_multi_init();
    if (multi == nullptr) throw fail(ErrorCode::Exhausted, "libcurl: out of memory");
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, kMaxConnectionsToHost);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, kMaxConnections);
    return multi;
}

}  // namespace

HttpLoop::HttpLoop() : multi_(make_multi()), thread_([this] { run(); }) {}

HttpLoop::~HttpLoop() {
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
}

void HttpLoop::post(Command command, Job& job) {
    {
        std::lock_guard lock(mutex_);
        orders_.push_back({command, &job});
    }
    curl_multi_wakeup(multi_);
}

void HttpLoop::run() {
    while (obey()) {
        step();
    }
}

bool HttpLoop::obey() {
    std::vector<Order> orders;
    {
        std::lock_guard lock(mutex_);
        if (ending_) return false;
        orders.swap(orders_);
    }
    for (const Order& order : orders) obey(order);
    return true;
}

void HttpLoop::obey(const Order& order) {
    Job& job = *order.job;
    if (order.command == Command::Start) {
        running_.insert(&job);
        curl_easy_setopt(job.easy(), CURLOPT_PRIVATE, &job);
        if (curl_multi_add_handle(multi_, job.easy()) != CURLM_OK) finish(job, CURLE_OUT_OF_MEMORY);
        return;
    }
    // It may have finished meanwhile, and is gone then. Orders are obeyed in order, so that another one at
    // the same address has not been started yet.
    if (!running_.contains(&job)) return;
    if (order.command == Command::GiveUp) {
        finish(job, CURLE_ABORTED_BY_CALLBACK);
    } else if (CURLcode code = curl_easy_pause(job.easy(), CURLPAUSE_CONT); code != CURLE_OK) {
        // Delivers what was held back; that this failed is said here only.
        finish(job, code);
    }
}

void HttpLoop::step() {
    int running = 0;
    CURLMcode code = curl_multi_perform(multi_, &running);
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode result = message->data.result;
        char* job = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
        finish(*reinterpret_cast<Job*>(job), result);
    }
    if (code == CURLM_OK) code = curl_multi_poll(multi_, nullptr, 0, kPollMilliseconds, nullptr);
    if (code != CURLM_OK) fail_all();
}

void HttpLoop::finish(Job& job, CURLcode code) {
    curl_multi_remove_handle(multi_, job.easy());
    running_.erase(&job);
    job.finished(code);
}

// By its documentation, the multi handle itself fails for want of memory only.
void HttpLoop::fail_all() {
    while (!running_.empty()) finish(**running_.begin(), CURLE_OUT_OF_MEMORY);
}

}  // namespace mullion::oci
