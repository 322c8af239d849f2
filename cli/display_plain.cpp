// The plain display: lines for logs and CI, in BuildKit's format (dockerfile.md §19).
//
// Steps run side by side, but only one at a time has the word; a step that gets it again repeats its name.
// The word is taken by a step that has completed, or from one that has been silent for a while by one that
// has something to say.
#include <fmt/format.h>

#include <map>
#include <unordered_map>
#include <utility>

#include "cli/byte_text.hpp"
#include "cli/display_renderer.hpp"
#include "cli/display_text.hpp"
#include "cli/transfer_text.hpp"
#include "cli/usage_text.hpp"

namespace mullion::cli {
namespace {

constexpr std::chrono::milliseconds kSilence{1000};
// A step that never pauses cannot keep the word for ever.
constexpr std::chrono::milliseconds kTurn{10'000};
constexpr std::chrono::milliseconds kStatusGap{5000};
constexpr std::int64_t kStatusSteps = 20;  // a transfer is worth a line every twentieth

std::chrono::milliseconds between(base::FileTime from, base::FileTime to) {
    return std::chrono::milliseconds((to.ticks - from.ticks) / 10'000);
}

double seconds(base::FileTime from, base::FileTime to) {
    return static_cast<double>(to.ticks - from.ticks) / base::FileTime::kTicksPerSecond;
}

// " 1.50MB / 2.00MB 3.00MB/s 0.5s", as far as it is known.
std::string amount(const base::StatusEvent& event) {
    std::string text;
    if (event.total != 0) {
        text += fmt::format(" {} / {}", shown_bytes(event.current), shown_bytes(event.total));
    } else if (event.current != 0) {
        text += " " + shown_bytes(event.current);
    }
    if (!event.started) return text;
    double taken = seconds(*event.started, event.completed.value_or(event.timestamp));
    if (event.total != 0) text += shown_rate(event.current, taken);
    if (taken > 0.01) text += fmt::format(" {:.1f}s", taken);
    return text;
}

struct ShownStatus {
    std::int64_t current = 0;
    base::FileTime time;
    bool completed = false;
};

struct Step {
    int index = 0;
    std::string name;
    std::optional<base::FileTime> started;
    bool open = false;
    bool named = false;   // has had the word
    std::string pending;  // whole lines, not printed yet
    base::FileTime pending_since;
    std::map<int, LineBuffer> streams;
    std::map<std::string, ShownStatus> statuses;
};

class PlainRenderer final : public DisplayRenderer {
  public:
    DisplayPace pace() const override { return {std::chrono::milliseconds(0), kSilence / 2}; }

    std::string render(const std::vector<base::ProgressEvent>& events, base::FileTime now) override {
        now_ = now;
        for (const base::ProgressEvent& event : events) {
            std::visit([this](const auto& item) { take(item); }, event);
        }
        speak();
        return std::exchange(out_, {});
    }

    std::string finish(base::FileTime now) override {
        now_ = now;
        for (auto& [digest, step] : steps_) {
            if (step.index == 0) continue;
            flush_streams(step);
            if (!step.pending.empty()) print(step);
        }
        return std::exchange(out_, {});
    }

  private:
    void take(const base::VertexEvent& event) {
        if (!event.started && !event.completed) return;
        const bool canceled = is_cancellation(event.error);
        if (!event.started && canceled) return;  // never began: nobody needs to hear of it
        Step& step = steps_[event.digest];
        if (step.index == 0) step.index = ++last_index_;
        step.name = shown_line(event.name);
        step.started = event.started;
        step.open = !event.completed;
        if (step.open) {
            if (current_ == nullptr) print(step);
            return;
        }
        flush_streams(step);
        if (canceled) {
            say(step, "CANCELED");
        } else if (!event.error.empty()) {
            say_lines(step, "ERROR: " + event.error);
        } else if (event.cached) {
            say(step, "CACHED");
        } else {
            say(step, fmt::format("DONE {:.1f}s", seconds(event.started.value_or(now_), *event.completed)));
        }
        print(step);
        current_ = nullptr;
    }

    void take(const base::LogEvent& event) {
        Step* step = find(event.vertex);
        if (step == nullptr) return;
        double at = step->started ? seconds(*step->started, event.timestamp) : 0;
        for (const std::string& line : step->streams[event.stream].add(event.data)) {
            say(*step, fmt::format("{:.3f} {}", at, line));
        }
    }

    void take(const base::StatusEvent& event) {
        Step* step = find(event.vertex);
        if (step == nullptr) return;
        auto [shown, first] = step->statuses.try_emplace(event.id);
        if (!first && (shown->second.completed || !worth_a_line(shown->second, event))) return;
        shown->second = {event.current, event.timestamp, event.completed.has_value()};
        std::string line = shown_line(event.id);
        if (event.name.empty()) line += amount(event);  // else no bytes have moved
        if (event.completed) line += " " + ending(event);
        say(*step, line);
    }

    void take(const base::WarningEvent& event) {
        std::string text = "WARN: " + event.message;
        // Lint warnings, which have a page, say themselves where.
        if (event.range && event.url.empty())
            text += fmt::format(" ({}:{})", event.range->file, event.range->first_line);
        Step* step = event.vertex ? find(*event.vertex) : nullptr;
        if (step != nullptr) return say_lines(*step, text);
        yield_word();
        if (!out_.empty() || spoken_) out_ += "\n";
        out_ += shown_line(text) + "\n";
        spoken_ = true;
    }

    void take(const base::UsageEvent& event) {
        Step* step = find(event.vertex);
        std::string text = usage_text(event.usage);
        if (step == nullptr || text.empty()) return;
        flush_streams(*step);
        say(*step, "used " + text);
    }

    static bool worth_a_line(const ShownStatus& shown, const base::StatusEvent& event) {
        if (event.completed) return true;
        if (between(shown.time, event.timestamp) >= kStatusGap) return true;
        return event.total > 0 && (event.current - shown.current) >= event.total / kStatusSteps + 1;
    }

    // Steps that were never started have nothing to say.
    Step* find(const base::Digest& vertex) {
        auto found = steps_.find(vertex);
        return found == steps_.end() ? nullptr : &found->second;
    }

    void say(Step& step, std::string_view line) {
        if (step.pending.empty()) step.pending_since = now_;
        step.pending += fmt::format("#{} {}\n", step.index, line);
    }

    void say_lines(Step& step, std::string_view text) {
        LineBuffer lines;
        for (const std::string& line : lines.add(text)) say(step, line);
        std::string last = lines.flush();
        if (!last.empty()) say(step, last);
    }

    void flush_streams(Step& step) {
        for (auto& [stream, buffer] : step.streams) {
            std::string line = buffer.flush();
            if (line.empty()) continue;
            double at = step.started ? seconds(*step.started, now_) : 0;
            say(step, fmt::format("{:.3f} {}", at, line));
        }
    }

    void yield_word() {
        if (current_ != nullptr && current_->open) out_ += fmt::format("#{} ...\n", current_->index);
        current_ = nullptr;
    }

    // Gives the word to `step` and prints what it has to say.
    void print(Step& step) {
        if (current_ != &step) {
            yield_word();
            if (spoken_) out_ += "\n";
            out_ += fmt::format("#{} {}\n", step.index, step.name);
            current_ = &step;
            step.named = true;
            turn_began_ = now_;
        }
        spoken_ = true;
        last_word_ = now_;
        out_ += std::exchange(step.pending, {});
    }

    // Lets whoever has the word go on, and passes it to the one that has waited longest when it is time.
    void speak() {
        if (current_ != nullptr && !current_->pending.empty()) print(*current_);
        const bool held =
            current_ != nullptr && between(last_word_, now_) < kSilence && between(turn_began_, now_) < kTurn;
        if (held) return;
        Step* next = nullptr;
        for (auto& [digest, step] : steps_) {
            if (&step == current_ || step.pending.empty()) continue;
            if (next == nullptr || step.pending_since < next->pending_since) next = &step;
        }
        if (next == nullptr && current_ == nullptr) next = first_unnamed();
        if (next != nullptr) print(*next);
    }

    Step* first_unnamed() {
        Step* first = nullptr;
        for (auto& [digest, step] : steps_) {
            if (step.open && !step.named && (first == nullptr || step.index < first->index)) first = &step;
        }
        return first;
    }

    std::unordered_map<base::Digest, Step> steps_;
    Step* current_ = nullptr;
    int last_index_ = 0;
    bool spoken_ = false;
    base::FileTime now_;
    base::FileTime last_word_;
    base::FileTime turn_began_;
    std::string out_;
};

}  // namespace

std::unique_ptr<DisplayRenderer> make_plain_renderer() {
    return std::make_unique<PlainRenderer>();
}

}  // namespace mullion::cli
