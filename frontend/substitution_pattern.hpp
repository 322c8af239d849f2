// The patterns of ${v#p}, ${v%p} and ${v/p/r} (dockerfile.md §5): `*` any run, `?` any one character, neither
// across a line feed; everything else literal; `\` before `*`, `?` and `\`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mullion::frontend {

class SubstitutionPattern {
  public:
    // Throws Invalid ("invalid pattern (P) in substitution: invalid escape '\c'").
    explicit SubstitutionPattern(std::u32string_view text);

    struct Match {
        std::size_t begin;
        std::size_t end;
    };
    // The shortest or longest match that begins at `begin`. Linear in the text for patterns without `?`.
    std::optional<Match> match_at(std::u32string_view text, std::size_t begin, bool longest) const;
    // The leftmost match at or after `begin`, longest from there.
    std::optional<Match> find(std::u32string_view text, std::size_t begin) const;

  private:
    static constexpr char32_t kAnyOne = 0x110000;  // `?`; no character has this value
    using Segment = std::u32string;                // what stands between two `*`

    static bool segment_at(const Segment& segment, std::u32string_view text, std::size_t at);
    std::optional<std::size_t> next_in_line(const Segment& segment, std::u32string_view text,
                                            std::size_t from) const;
    std::optional<std::size_t> last_in_line(const Segment& segment, std::u32string_view text,
                                            std::size_t from) const;

    std::vector<Segment> segments_;
};

std::u32string remove_prefix(std::u32string_view value, std::u32string_view pattern, bool longest);
std::u32string remove_suffix(std::u32string_view value, std::u32string_view pattern, bool longest);
// Throws Exhausted for a result of more than `limit` characters.
std::u32string replace(std::u32string_view value, std::u32string_view pattern,
                       std::u32string_view replacement, bool all, std::size_t limit);

}  // namespace mullion::frontend
