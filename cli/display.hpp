// Progress displays. A display takes events from any thread, never throws and never waits for the terminal: a
// thread of its own renders and writes.
#pragma once

#include <memory>
#include <string>

#include "base/progress.hpp"

namespace mullion::cli {

enum class DisplayMode {
    Auto,     // Tty if the output is a terminal that can be painted on, else Plain
    Tty,      // running steps repainted in place
    Plain,    // lines: "#3 [2/4] RUN x", "#3 0.123 output", "#3 DONE 1.2s"
    RawJson,  // BuildKit's status stream, one JSON object a line
    Quiet,    // nothing
};

// Throws Invalid for anything but auto, tty, plain, rawjson and quiet.
DisplayMode parse_display_mode(const std::string& text);

class Display : public base::ProgressSink {
  public:
    // Shows what is still to be shown and leaves the terminal as it was. Events after that are dropped. The
    // destructor does it if nobody else has.
    virtual void finish() = 0;
};

// Writes to `fd`, which it does not own; by default standard error. Throws Invalid for Tty without a
// terminal.
std::unique_ptr<Display> make_display(DisplayMode mode, int fd = 2);

}  // namespace mullion::cli
