// Text of unknown origin (names, the output of steps) as it may be shown: valid UTF-8 without control
// characters, so that nothing a step prints can move the cursor or change the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::cli {

// One line: escape sequences (ECMA-48 CSI and OSC) are dropped, tabs become blanks up to the next multiple of
// 8 columns; other control characters, direction overrides and bytes that are not UTF-8 become U+FFFD. Of
// what was overwritten with carriage returns the last version stays.
std::string shown_line(std::string_view line);

// Columns that shown text takes.
std::size_t display_width(std::string_view text);
// Cut to `columns`, ending in "..." if something was cut and there is room for that.
std::string fit(std::string_view text, std::size_t columns);

// Puts lines together from pieces cut anywhere. A line longer than 64 KiB is broken.
class LineBuffer {
  public:
    // The lines completed by `data`, shown.
    std::vector<std::string> add(std::string_view data);
    // The unfinished line, shown; empty if there is none.
    std::string rest() const;
    // The same, and forgets it.
    std::string flush();

  private:
    std::string partial_;
};

// True for the errors of vertices that were stopped, not failed.
bool is_cancellation(std::string_view error);

}  // namespace mullion::cli
