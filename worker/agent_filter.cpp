#include "worker/agent_filter.hpp"

#include "base/error.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

constexpr unsigned char kRequestIdentities = 11;
constexpr unsigned char kSignRequest = 13;
constexpr std::string_view kFailure("\0\0\0\1\5", 5);
constexpr std::size_t kLengthField = 4;

// The first message, with its length; empty if it is not whole yet.
std::string_view first_message(std::string_view bytes) {
    if (bytes.size() < kLengthField) return {};
    std::size_t length = 0;
    for (unsigned char byte : bytes.substr(0, kLengthField)) length = length << 8 | byte;
    if (length == 0 || length > AgentFilter::kMaxMessage)
        throw fail(ErrorCode::Invalid, "no message of an ssh agent: {} bytes", length);
    if (bytes.size() - kLengthField < length) return {};
    return bytes.substr(0, kLengthField + length);
}

bool may_ask(std::string_view message) {
    auto type = static_cast<unsigned char>(message[kLengthField]);
    return type == kRequestIdentities || type == kSignRequest;
}

}  // namespace

void AgentFilter::from_client(std::string_view bytes) {
    requests_ += bytes;
    answer_requests();
}

void AgentFilter::from_agent(std::string_view bytes) {
    answer_ += bytes;
    std::string_view message = first_message(answer_);
    if (!asked_ || (!message.empty() && message.size() < answer_.size()))
        throw fail(ErrorCode::Invalid, "the ssh agent answers what it was not asked");
    if (message.empty()) return;
    to_client += message;
    answer_.clear();
    asked_ = false;
    answer_requests();
}

void AgentFilter::answer_requests() {
    std::size_t done = 0;
    while (!asked_) {
        std::string_view message = first_message(std::string_view(requests_).substr(done));
        if (message.empty()) break;
        asked_ = may_ask(message);
        if (asked_)
            to_agent += message;
        else
            to_client += kFailure;
        done += message.size();
    }
    requests_.erase(0, done);
}

}  // namespace mullion::worker
