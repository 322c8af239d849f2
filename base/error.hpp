// The one exception type of the project.
//
// Throw it for what ends the step at hand; return std::optional for an absence that is expected. Whoever
// knows more adds a frame on the way up (`with_context`), so the text is built only on failure. Rendering for
// the user happens in `cli`; `what()` is the one-line form "outer: inner: cause".
#pragma once

#include <fmt/format.h>

#include <exception>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/source_range.hpp"

namespace mullion::base {

enum class ErrorCode {
    NotFound,     // the named thing does not exist
    Exists,       // it exists already and must not
    Invalid,      // the user's or a peer's input breaks a rule
    Unavailable,  // a service or resource cannot be had now (network, busy)
    Canceled,     // the user or a sibling failure stopped it
    TimedOut,     // a deadline passed
    Denied,       // permission
    Exhausted,    // disk full, memory cap, pids cap
    Io,           // any other failing read or write
    Process,      // a program we ran failed; see exit_status
    Unsupported,  // valid, but this engine or backend cannot do it
    Corrupt,      // stored or received bytes do not match their digest, size or format
    Internal,     // a broken invariant of our own
};

const char* to_string(ErrorCode code);

class Error : public std::exception {
  public:
    struct Frame {
        std::string text;
        std::source_location where;
    };

    Error(ErrorCode code, std::string text, std::source_location where = std::source_location::current());

    const char* what() const noexcept override { return what_.c_str(); }
    ErrorCode code() const { return code_; }
    // Innermost first.
    const std::vector<Frame>& frames() const { return frames_; }

    // The innermost source range wins: a later, wider one is ignored.
    const std::optional<SourceRange>& source() const { return source_; }
    Error& at(SourceRange range);
    // What in that range is to blame, as written there: excerpts mark it. The innermost wins. Empty: all of
    // it.
    const std::string& subject() const { return subject_; }
    Error& about(std::string_view subject);

    // What the user can try. Shown on a line of its own.
    const std::string& hint() const { return hint_; }
    Error& hint(std::string text);

    // For Process: the full 32-bit exit code and the tail of what the program printed.
    const std::optional<std::uint32_t>& exit_status() const { return exit_status_; }
    const std::string& output_tail() const { return output_tail_; }
    Error& process(std::uint32_t exit_status, std::string output_tail);

    const std::error_code& system() const { return system_; }
    Error& system(std::error_code code);

    Error& add_frame(std::string text, std::source_location where);

  private:
    void render();

    ErrorCode code_;
    std::vector<Frame> frames_;
    std::optional<SourceRange> source_;
    std::string subject_;
    std::string hint_;
    std::optional<std::uint32_t> exit_status_;
    std::string output_tail_;
    std::error_code system_;
    std::string what_;
};

// A format string that remembers where it was written.
template <typename... Args>
struct LocatedFormat {
    fmt::format_string<Args...> text;
    std::source_location where;
    template <typename S>
    consteval LocatedFormat(const S& s, std::source_location w = std::source_location::current())
        : text(s), where(w) {}
};

// throw fail(ErrorCode::NotFound, "no image named {}", name)
template <typename... Args>
[[nodiscard]] Error fail(ErrorCode code, LocatedFormat<std::type_identity_t<Args>...> format,
                         Args&&... args) {
    return Error(code, fmt::format(format.text, std::forward<Args>(args)...), format.where);
}

// An Error for a failed system call: code chosen from errno (ENOSPC -> Exhausted, ENOENT -> NotFound, ...),
// text "WHAT: strerror".
[[nodiscard]] Error system_error(int error_number, std::string what,
                                 std::source_location where = std::source_location::current());
// The same for what std::filesystem reports.
[[nodiscard]] Error system_error(const std::error_code& code, std::string what,
                                 std::source_location where = std::source_location::current());

// Runs `body`; an Error leaving it gets the frame that `text()` makes.
template <typename Text, typename Body>
decltype(auto) with_context(Text&& text, Body&& body,
                            std::source_location where = std::source_location::current()) {
    try {
        return std::forward<Body>(body)();
    } catch (Error& error) {
        error.add_frame(std::forward<Text>(text)(), where);
        throw;
    }
}

}  // namespace mullion::base
