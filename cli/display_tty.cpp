// The terminal display. Steps that have completed are printed for good and scroll away; below them a few
// lines are repainted: how far the build is, what runs, and the last lines it printed. One write per
// painting, from the top of these lines, each cleared to its end only: nothing flickers.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>

#include "cli/display_renderer.hpp"
#include "cli/display_text.hpp"
#include "cli/transfer_text.hpp"

namespace mullion::cli {
namespace {

constexpr std::size_t kMaxLogLines = 6;
constexpr std::size_t kTimeWidth = 8;

// ECMA-48.
constexpr std::string_view kClearToEndOfLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";
// Between these the cursor does not jump about. Both are in every painting: whenever we may die, it is there.
constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";

double seconds(base::FileTime from, base::FileTime to) {
    return static_cast<double>(std::max<std::int64_t>(0, to.ticks - from.ticks)) /
           base::FileTime::kTicksPerSecond;
}

// `text` and, at the right edge, `time`.
std::string with_time(std::string_view text, double time, std::size_t columns) {
    if (columns <= kTimeWidth + 4) return fit(text, columns);
    std::size_t room = columns - kTimeWidth;
    std::string line = fit(text, room);
    line.append(room - display_width(line), ' ');
    return line + fmt::format("{:>8}", fmt::format("{:.1f}s", time));
}

struct Step {
    std::string name;
    std::optional<base::FileTime> started;
    bool running = false;
    bool completed = false;
    std::deque<std::string> lines;  // the last of its output
    std::map<int, LineBuffer> streams;
    std::vector<base::StatusEvent> statuses;  // in the order of their beginning
    std::unordered_map<std::string, std::size_t> status_by_id;
};

class TtyRenderer final : public DisplayRenderer {
  public:
    explicit TtyRenderer(std::function<TerminalSize()> size) : size_(std::move(size)) {}

    DisplayPace pace() const override {
        return {std::chrono::milliseconds(50), std::chrono::milliseconds(100)};
    }

    std::string render(const std::vector<base::ProgressEvent>& events, base::FileTime now) override {
        begin(events, now);
        std::vector<std::string> live;
        if (!order_.empty()) live = live_lines();
        return paint(live);
    }

    std::string finish(base::FileTime now) override {
        begin({}, now);
        if (!began_) return {};
        permanent_.push_back(fit(headline() + " FINISHED", columns_));
        return paint({});
    }

  private:
    void begin(const std::vector<base::ProgressEvent>& events, base::FileTime now) {
        now_ = now;
        TerminalSize size = size_();
        // The last column stays empty: writing there makes some terminals wrap.
        columns_ = static_cast<std::size_t>(std::max(2, size.columns)) - 1;
        rows_ = static_cast<std::size_t>(std::max(2, size.rows));
        for (const base::ProgressEvent& event : events) {
            std::visit([this](const auto& item) { take(item); }, event);
        }
    }

    void take(const base::VertexEvent& event) {
        Step& step = steps_[event.digest];
        if (step.name.empty()) step.name = shown_line(event.name);
        if (!event.started && !event.completed) return;
        if (!began_) began_ = event.started.value_or(now_);
        step.started = event.started;
        if (!event.completed) {
            if (!step.running) order_.push_back(&step);
            step.running = true;
            step.completed = false;
            return;
        }
        if (step.running) order_.erase(std::find(order_.begin(), order_.end(), &step));
        step.running = false;
        const bool canceled = is_cancellation(event.error);
        if (canceled && !event.started) return;
        step.completed = event.error.empty();
        std::string mark;
        if (canceled) {
            mark = "CANCELED ";
        } else if (!event.error.empty()) {
            mark = "ERROR ";
        } else if (event.cached) {
            mark = "CACHED ";
        }
        permanent_.push_back(with_time(" => " + mark + step.name,
                                       seconds(event.started.value_or(now_), *event.completed), columns_));
        step.lines.clear();
        step.streams.clear();
        step.statuses.clear();
        step.status_by_id.clear();
    }

    void take(const base::LogEvent& event) {
        auto step = steps_.find(event.vertex);
        if (step == steps_.end() || !step->second.running) return;
        std::deque<std::string>& lines = step->second.lines;
        for (std::string& line : step->second.streams[event.stream].add(event.data)) {
            lines.push_back(std::move(line));
            if (lines.size() > kMaxLogLines) lines.pop_front();
        }
    }

    void take(const base::StatusEvent& event) {
        auto step = steps_.find(event.vertex);
        if (step == steps_.end() || !step->second.running) return;
        std::vector<base::StatusEvent>& statuses = step->second.statuses;
        auto [known, is_new] = step->second.status_by_id.try_emplace(event.id, statuses.size());
        if (is_new) {
            statuses.push_back(event);
        } else {
            statuses[known->second] = event;
        }
    }

    void take(const base::WarningEvent& event) {
        std::string text = " WARN: " + event.message;
        if (event.range && event.url.empty())
            text += fmt::format(" ({}:{})", event.range->file, event.range->first_line);
        permanent_.push_back(fit(shown_line(text), columns_));
    }

    // A log has room for it, a terminal has not.
    void take(const base::UsageEvent&) {}

    std::string headline() const {
        std::size_t completed = 0;
        for (const auto& [digest, step] : steps_) completed += step.completed ? 1 : 0;
        return fmt::format("[+] Building {:.1f}s ({}/{})", seconds(began_.value_or(now_), now_), completed,
                           steps_.size());
    }

    // The headline, then every running step with as much below it as there is room for. At least the line the
    // cursor is on stays free.
    std::vector<std::string> live_lines() const {
        std::vector<std::string> lines = {fit(headline(), columns_)};
        std::size_t room = rows_ - 2;
        std::size_t shown = std::min(order_.size(), room);
        if (shown == 0) return lines;
        const std::size_t details = (room - shown) / shown;
        for (std::size_t i = 0; i < shown; ++i) {
            const Step& step = *order_[i];
            lines.push_back(
                with_time(" => " + step.name, seconds(step.started.value_or(now_), now_), columns_));
            add_details(step, details, lines);
        }
        return lines;
    }

    // Transfers, then the last lines of output. Where there is no room for all, transfers that have ended go
    // first, then the oldest.
    void add_details(const Step& step, std::size_t room, std::vector<std::string>& lines) const {
        std::vector<std::string> output(step.lines.begin(), step.lines.end());
        for (const auto& [stream, buffer] : step.streams) {
            if (std::string rest = buffer.rest(); !rest.empty()) output.push_back(std::move(rest));
        }
        drop_first(output, std::min(room, kMaxLogLines));
        for (const base::StatusEvent* status : shown_statuses(step, room - output.size())) {
            lines.push_back(status_line(*status));
        }
        for (const std::string& line : output) lines.push_back(fit(" => => # " + line, columns_));
    }

    // What moves no bytes is shown only while it lasts.
    static std::vector<const base::StatusEvent*> shown_statuses(const Step& step, std::size_t room) {
        std::vector<const base::StatusEvent*> shown;
        std::size_t running = 0;
        for (const base::StatusEvent& status : step.statuses) {
            if (status.completed && status.total == 0) continue;
            shown.push_back(&status);
            running += status.completed ? 0 : 1;
        }
        std::size_t ended_room = room - std::min(room, running);
        std::size_t ended = shown.size() - running;
        std::erase_if(shown, [&](const base::StatusEvent* status) {
            return status->completed && ended-- > ended_room;
        });
        drop_first(shown, room);
        return shown;
    }

    template <typename Item>
    static void drop_first(std::vector<Item>& items, std::size_t room) {
        if (items.size() > room) items.erase(items.begin(), items.end() - static_cast<std::ptrdiff_t>(room));
    }

    std::string status_line(const base::StatusEvent& status) const {
        constexpr std::string_view kIndent = " => => ";
        const double taken =
            seconds(status.started.value_or(status.timestamp), status.completed.value_or(now_));
        std::string text(kIndent);
        text += transfer_text(status, taken, columns_ - std::min(columns_, kIndent.size()));
        // The time gives way to the bar.
        if (display_width(text) + kTimeWidth > columns_) return fit(text, columns_);
        return with_time(text, taken, columns_);
    }

    std::string paint(const std::vector<std::string>& live) {
        if (permanent_.empty() && live.empty() && painted_.empty()) return {};
        std::string bytes(kHideCursor);
        bytes += "\r";
        if (std::size_t up = painted_rows(); up > 0) bytes += fmt::format("\x1b[{}A", up);
        for (const std::vector<std::string>* lines : {&std::as_const(permanent_), &live}) {
            for (const std::string& line : *lines) {
                bytes += line;
                bytes += kClearToEndOfLine;
                bytes += "\r\n";
            }
        }
        bytes += kClearBelow;
        bytes += kShowCursor;
        permanent_.clear();
        painted_ = live;
        return bytes;
    }

    // Rows the last painting takes now: a narrower terminal has wrapped its lines.
    std::size_t painted_rows() const {
        std::size_t rows = 0;
        for (const std::string& line : painted_) {
            rows += std::max<std::size_t>(1, (display_width(line) + columns_) / (columns_ + 1));
        }
        return std::min(rows, rows_ - 1);
    }

    std::function<TerminalSize()> size_;
    std::size_t columns_ = 79;
    std::size_t rows_ = 24;
    base::FileTime now_;
    std::optional<base::FileTime> began_;
    std::unordered_map<base::Digest, Step> steps_;
    std::vector<Step*> order_;            // running, oldest first
    std::vector<std::string> permanent_;  // to be printed for good
    std::vector<std::string> painted_;    // what is to be painted over
};

}  // namespace

std::unique_ptr<DisplayRenderer> make_tty_renderer(std::function<TerminalSize()> size) {
    return std::make_unique<TtyRenderer>(std::move(size));
}

}  // namespace mullion::cli
