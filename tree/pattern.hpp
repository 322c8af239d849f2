// Glob patterns: `.dockerignore` and the wildcards of COPY. The rules are those of BuildKit's front end
// (dockerfile.md §10, §14): Go's filepath.Match plus `**` in ignore files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::tree {

// One filepath.Match pattern over one or several path elements: `*`, `?`, `[a-z]`, `[^x]`, `\` escapes. A
// wildcard never matches '/'. Case-insensitive when asked (Windows images).
class Glob {
  public:
    // Throws Invalid ("syntax error in pattern").
    explicit Glob(std::string pattern, bool fold_case = false);
    bool matches(std::string_view text) const;
    static bool has_wildcard(std::string_view pattern);

  private:
    std::string pattern_;
    bool fold_case_;
};

// An ordered list of ignore patterns, `!` negations included; last effective one wins. Also used for
// --exclude.
class IgnorePatterns {
  public:
    IgnorePatterns();
    // From the text of an ignore file. Throws Invalid for a bare "!" or broken syntax, naming the line.
    static IgnorePatterns parse(std::string_view file_text);
    static IgnorePatterns from_lines(const std::vector<std::string>& lines);
    ~IgnorePatterns();
    IgnorePatterns(IgnorePatterns&&) noexcept;
    IgnorePatterns& operator=(IgnorePatterns&&) noexcept;
    IgnorePatterns(const IgnorePatterns&);

    bool empty() const;
    // Is the path (or, through one of its parents, everything it lies in) ignored? "/"-separated, relative.
    bool ignored(std::string_view path) const;
    // May a walk skip this ignored directory, because no negation can match below it?
    bool can_skip_directory(std::string_view path) const;
    // The patterns as they count, for cache keys.
    const std::vector<std::string>& normalised() const;

  private:
    struct State;
    std::shared_ptr<const State> state_;
};

}  // namespace mullion::tree
