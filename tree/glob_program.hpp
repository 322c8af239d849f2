// A compiled glob: what Glob and IgnorePatterns match with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::tree {

class GlobProgram {
  public:
    // Glob: Go's filepath.Match. IgnoreFile: the same, and `**` as moby's patternmatcher has it:
    //   `**/` or `**` inside   any number of whole elements, also none: "a**b" is "ab" and "ax/b", not "axb"
    //   `**` at the end        everything
    //   `**` at the start, all else literal   any text that ends so
    enum class Dialect { Glob, IgnoreFile };

    // Throws Invalid: "syntax error in pattern".
    GlobProgram(std::string_view pattern, Dialect dialect, bool fold_case);

    bool matches(std::string_view text) const;
    // Could it match `text` with something more after it?
    bool matches_beyond(std::string_view text) const;

  private:
    enum class Op : std::uint8_t {
        Literal,       // this code point
        AnyOne,        // one, not '/'
        Class,         // one of ranges (or none of them)
        AnyRun,        // any number, no '/'
        Everything,    // any number
        OptionalDirs,  // skips the next step or enters it
        DirsRun,       // any number, then '/'
    };
    struct Range {
        char32_t low;
        char32_t high;
    };
    struct Step {
        Op op;
        char32_t literal = 0;
        bool negated = false;
        std::vector<Range> ranges;
    };
    // One flag per step, and a last one for "matched".
    using Active = std::vector<std::uint8_t>;

    class Parser;

    static bool in_class(const Step& step, char32_t point);
    bool takes_one(const Step& step, char32_t point) const;
    void enter_optional(Active& active) const;
    bool step(const Active& active, char32_t point, Active& next) const;
    bool run(std::string_view text, Active& active) const;

    std::vector<Step> steps_;
    std::string literal_head_;  // bytes every match starts with
    std::string literal_tail_;  // bytes every match ends with
    bool all_literal_ = false;
    bool fold_case_;
};

}  // namespace mullion::tree
