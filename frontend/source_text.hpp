// The physical side of a Dockerfile: bytes to logical lines (dockerfile.md §2). Knows line ends, parser
// directives, comments, continuation and heredoc bodies; knows nothing of instructions. One pass; a line
// without continuation is not copied.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/source_range.hpp"

namespace mullion::frontend {

struct Directives {
    char escape = '\\';
    std::optional<std::string> syntax;  // an external front end; the one we have is built in
    std::optional<std::string> check;   // lint options, unparsed
    int check_line = 0;
};

struct LogicalLine {
    std::string_view text;  // joined, untrimmed; valid until the next call of SourceText
    int first_line = 0;
    int last_line = 0;
    std::vector<std::string> comments;  // text of the comment lines directly above
    bool empty_continuation = false;    // a blank line stood between continued ones
};

class SourceText {
  public:
    static constexpr std::size_t kMaxSize = std::size_t{16} << 20;  // a larger file is Invalid
    static constexpr std::size_t kMaxLine = 65535;                  // bytes, without the line feed

    // `text` must outlive this object. `file` names it in errors.
    SourceText(std::string_view text, std::string file);

    // The next instruction's text; nullopt at the end. Throws Invalid with the line for a bad directive.
    std::optional<LogicalLine> next();
    // The raw lines up to one that is `terminator` (behind tabs if `chomp`); nullopt if there is none.
    std::optional<std::string_view> heredoc_body(std::string_view terminator, bool chomp);

    std::string_view text() const { return text_; }
    const Directives& directives() const { return directives_; }
    int line() const { return line_; }  // physical lines read so far
    // Reading stopped before the end, at a line longer than kMaxLine.
    bool stopped_at_long_line() const { return too_long_; }
    base::SourceRange range(int first, int last) const { return {file_, first, last, 0, 0}; }

  private:
    std::optional<std::string_view> physical_line();  // with its line end
    bool directive(std::string_view line);
    void set_directive(std::string_view name, std::string_view value);
    void comment(std::string_view line);
    bool continued(std::string_view& line) const;
    void join(LogicalLine& line);

    std::string_view text_;
    std::string file_;
    std::size_t at_ = 0;
    int line_ = 0;
    bool too_long_ = false;
    bool in_directives_ = true;
    Directives directives_;
    std::vector<std::string> seen_directives_;
    std::vector<std::string> comments_;
    std::string joined_;
};

}  // namespace mullion::frontend
