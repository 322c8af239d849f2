// Glob patterns: `.dockerignore` and the wildcards of COPY. The rules are those of BuildKit's front end
// (dockerfile.md §10, §14): Go's filepath.Match plus `**` in ignore files. Matching takes time linear in
// pattern times text, whatever the pattern.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::tree {

class GlobProgram;

// One filepath.Match pattern over one or several path elements: `*`, `?` (neither matches '/'), `[a-z]`,
// `[^x]`, `\` escapes. Case-insensitive when asked (Windows images).
class Glob {
  public:
    // Throws Invalid ("syntax error in pattern").
    explicit Glob(std::string_view pattern, bool fold_case = false);
    bool matches(std::string_view text) const;
    // Has it `*`, `?` or `[` that is not escaped?
    static bool has_wildcard(std::string_view pattern);

  private:
    std::shared_ptr<const GlobProgram> program_;
};

// An ordered list of ignore patterns, `!` negations included. A path is affected by a pattern that matches it
// or one of its parents; the last pattern that affects it decides. Also used for --exclude. Case-sensitive. A
// value; thread-safe.
class IgnorePatterns {
  public:
    IgnorePatterns();
    // From the text of an ignore file. Throws Invalid for a bare "!" or broken syntax, naming the line.
    static IgnorePatterns parse(std::string_view file_text);
    // One pattern each; '#' has no meaning here.
    static IgnorePatterns from_lines(const std::vector<std::string>& lines);

    bool empty() const;
    // Is the path (or, through one of its parents, everything it lies in) ignored? "/"-separated, relative.
    // The root ("" or ".") never is.
    bool ignored(std::string_view path) const;
    // May a walk skip this ignored directory, because no negation can match below it?
    bool can_skip_directory(std::string_view path) const;
    // The patterns as they count, cleaned, in order, for cache keys.
    const std::vector<std::string>& normalised() const;

    // For walks, which know what the patterns made of the parent: which of them affect a directory. The empty
    // trail is the root's.
    using Trail = std::vector<std::uint8_t>;
    Trail trail(std::string_view path, const Trail& parent) const;
    bool ignored(const Trail& trail) const;  // the trail's own path
    // `path`, a direct child of what `parent` stands for.
    bool ignored(std::string_view path, const Trail& parent) const;
    bool can_skip_directory(std::string_view path, const Trail& trail) const;

  private:
    struct State;
    explicit IgnorePatterns(std::shared_ptr<const State> state);
    Trail full_trail(std::string_view path) const;
    std::shared_ptr<const State> state_;
};

}  // namespace mullion::tree
