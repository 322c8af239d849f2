#include "worker/output_log.hpp"

namespace mullion::worker {
namespace {

constexpr std::size_t kTailBytes = 8 * 1024;

}  // namespace

void OutputTail::add(std::string_view data) {
    std::lock_guard lock(mutex_);
    text_ += data;
    // Cut in larger steps: a chatty process must not move the tail for every byte.
    if (text_.size() > 2 * kTailBytes) {
        text_.erase(0, text_.size() - kTailBytes);
        cut_ = true;
    }
}

std::string OutputTail::text() const {
    std::lock_guard lock(mutex_);
    std::string_view text = text_;
    bool cut = cut_;
    if (text.size() > kTailBytes) {
        text.remove_prefix(text.size() - kTailBytes);
        cut = true;
    }
    if (std::size_t line = text.find('\n'); cut && line != std::string_view::npos) {
        text.remove_prefix(line + 1);
    }
    return std::string(text);
}

void OutputLog::write(std::string_view data) {
    if (data.empty()) return;
    tail_.add(data);
    progress_.emit(base::LogEvent{vertex_, stream_, std::string(data), base::FileTime::now()});
}

}  // namespace mullion::worker
