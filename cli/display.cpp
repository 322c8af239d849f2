#include "cli/display.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "cli/display_renderer.hpp"
#include "cli/terminal.hpp"

namespace mullion::cli {
namespace {

// Output waiting for a reader that has stopped reading. When there is more, whoever emits waits.
constexpr std::size_t kMaxBacklog = 64 << 20;

std::size_t weight(const base::ProgressEvent& event) {
    const auto* log = std::get_if<base::LogEvent>(&event);
    return sizeof event + (log == nullptr ? 0 : log->data.size());
}

// Carries events to a renderer on a thread of its own, and what it renders to a descriptor.
class PumpedDisplay final : public Display {
  public:
    PumpedDisplay(std::unique_ptr<DisplayRenderer> renderer, int fd)
        : renderer_(std::move(renderer)), fd_(fd), thread_([this] { run(); }) {}

    ~PumpedDisplay() override { finish(); }

    void emit(const base::ProgressEvent& event) override try {
        std::unique_lock lock(mutex_);
        taken_.wait(lock, [&] { return backlog_ < kMaxBacklog || finishing_; });
        if (finishing_) return;
        events_.push_back(event);
        backlog_ += weight(event);
        arrived_.notify_one();
    } catch (const std::bad_alloc&) {
        base::log("cli").error("out of memory: a progress event is lost");
    }

    void finish() override {
        {
            std::lock_guard lock(mutex_);
            finishing_ = true;
            arrived_.notify_one();
            taken_.notify_all();
        }
        if (thread_.joinable()) thread_.join();
    }

  private:
    void run() {
        const DisplayPace pace = renderer_->pace();
        std::unique_lock lock(mutex_);
        while (true) {
            auto awake = [&] { return !events_.empty() || finishing_; };
            if (pace.tick.count() == 0) {
                arrived_.wait(lock, awake);
            } else {
                arrived_.wait_for(lock, pace.tick, awake);
            }
            bool last = finishing_;
            std::vector<base::ProgressEvent> events = std::exchange(events_, {});
            backlog_ = 0;
            taken_.notify_all();
            lock.unlock();
            write(events, last);
            if (last) return;
            lock.lock();
            if (pace.gap.count() != 0) arrived_.wait_for(lock, pace.gap, [&] { return finishing_; });
        }
    }

    // A display that cannot write goes on without: the build matters more.
    void write(const std::vector<base::ProgressEvent>& events, bool last) {
        try {
            base::FileTime now = base::FileTime::now();
            std::string bytes = renderer_->render(events, now);
            if (last) bytes += renderer_->finish(now);
            if (!broken_ && !bytes.empty()) base::write_all(fd_, bytes, "progress");
        } catch (const std::exception& error) {
            broken_ = true;
            base::log("cli").warn("progress is lost: {}", error.what());
        }
    }

    std::unique_ptr<DisplayRenderer> renderer_;
    int fd_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::condition_variable taken_;
    std::vector<base::ProgressEvent> events_;
    std::size_t backlog_ = 0;
    bool finishing_ = false;
    bool broken_ = false;  // of the thread
    std::thread thread_;   // last: it uses the rest
};

class QuietDisplay final : public Display {
  public:
    void emit(const base::ProgressEvent&) override {}
    void finish() override {}
};

}  // namespace

DisplayMode parse_display_mode(const std::string& text) {
    if (text == "auto") return DisplayMode::Auto;
    if (text == "tty") return DisplayMode::Tty;
    if (text == "plain") return DisplayMode::Plain;
    if (text == "rawjson") return DisplayMode::RawJson;
    if (text == "quiet") return DisplayMode::Quiet;
    throw base::fail(base::ErrorCode::Invalid, "unknown progress display \"{}\"", text)
        .hint("use auto, tty, plain, rawjson or quiet");
}

std::unique_ptr<Display> make_display(DisplayMode mode, int fd) {
    const bool paintable = is_paintable_terminal(fd);
    if (mode == DisplayMode::Auto) mode = paintable ? DisplayMode::Tty : DisplayMode::Plain;
    switch (mode) {
        case DisplayMode::Tty:
            if (!paintable) {
                throw base::Error(base::ErrorCode::Invalid, "progress display \"tty\" needs a terminal")
                    .hint("use auto or plain");
            }
            return std::make_unique<PumpedDisplay>(make_tty_renderer([fd] { return terminal_size(fd); }), fd);
        case DisplayMode::RawJson:
            return std::make_unique<PumpedDisplay>(make_json_renderer(), fd);
        case DisplayMode::Quiet:
            return std::make_unique<QuietDisplay>();
        default:
            return std::make_unique<PumpedDisplay>(make_plain_renderer(), fd);
    }
}

}  // namespace mullion::cli
