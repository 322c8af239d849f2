// The part of a display that can be tested without a terminal: events in, bytes out. Used by one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "cli/terminal.hpp"

namespace mullion::cli {

// How often to render.
struct DisplayPace {
    std::chrono::milliseconds gap{0};   // at least this long between two renderings
    std::chrono::milliseconds tick{0};  // render without events after this long; 0: never
};

class DisplayRenderer {
  public:
    virtual ~DisplayRenderer() = default;
    virtual DisplayPace pace() const = 0;
    // The bytes to write for these events (in order; perhaps none) at this time.
    virtual std::string render(const std::vector<base::ProgressEvent>& events, base::FileTime now) = 0;
    // The last bytes.
    virtual std::string finish(base::FileTime now) = 0;
};

std::unique_ptr<DisplayRenderer> make_plain_renderer();
std::unique_ptr<DisplayRenderer> make_json_renderer();
// `size` is asked at every painting, so resizing needs no signal.
std::unique_ptr<DisplayRenderer> make_tty_renderer(std::function<TerminalSize()> size);

}  // namespace mullion::cli
