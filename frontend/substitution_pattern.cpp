#include "frontend/substitution_pattern.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

// Reversed, with every escape still before its character.
std::u32string reverse_pattern(std::u32string_view pattern) {
    std::u32string out;
    out.reserve(pattern.size());
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == U'\\' && i + 1 < pattern.size()) {
            out.push_back(pattern[i + 1]);
            ++i;
            out.push_back(U'\\');
        } else {
            out.push_back(pattern[i]);
        }
    }
    std::reverse(out.begin(), out.end());
    return out;
}

}  // namespace

SubstitutionPattern::SubstitutionPattern(std::u32string_view text) : segments_(1) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == U'*') {
            segments_.emplace_back();
        } else if (text[i] == U'?') {
            segments_.back().push_back(kAnyOne);
        } else if (text[i] != U'\\') {
            segments_.back().push_back(text[i]);
        } else {
            const char32_t next = i + 1 < text.size() ? text[i + 1] : kReplacement;
            if (next == U'}' || next == U'/') continue;
            if (next != U'*' && next != U'?' && next != U'\\') {
                std::string shown;
                append_utf8(shown, next);
                throw base::fail(base::ErrorCode::Invalid,
                                 "invalid pattern ({}) in substitution: invalid escape '\\{}'", encode(text),
                                 shown);
            }
            segments_.back().push_back(next);
            ++i;
        }
    }
}

bool SubstitutionPattern::segment_at(const Segment& segment, std::u32string_view text, std::size_t at) {
    if (segment.size() > text.size() - at) return false;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        const char32_t c = text[at + i];
        if (segment[i] == kAnyOne ? c == U'\n' : c != segment[i]) return false;
    }
    return true;
}

// The first place of `segment` that `*` can reach from `from`.
std::optional<std::size_t> SubstitutionPattern::next_in_line(const Segment& segment, std::u32string_view text,
                                                             std::size_t from) const {
    for (std::size_t at = from; at <= text.size(); ++at) {
        if (segment_at(segment, text, at)) return at;
        if (at < text.size() && text[at] == U'\n') break;
    }
    return std::nullopt;
}

// The last one.
std::optional<std::size_t> SubstitutionPattern::last_in_line(const Segment& segment, std::u32string_view text,
                                                             std::size_t from) const {
    const auto line_feed = text.find(U'\n', from);
    for (std::size_t at = std::min(line_feed, text.size()) + 1; at-- > from;)
        if (segment_at(segment, text, at)) return at;
    return std::nullopt;
}

std::optional<SubstitutionPattern::Match> SubstitutionPattern::match_at(std::u32string_view text,
                                                                        std::size_t begin,
                                                                        bool longest) const {
    if (!segment_at(segments_.front(), text, begin)) return std::nullopt;
    std::size_t end = begin + segments_.front().size();
    // Taking the first place for every segment but the last leaves the most room for those behind it.
    for (std::size_t i = 1; i < segments_.size(); ++i) {
        const bool last = i + 1 == segments_.size();
        const auto at =
            last && longest ? last_in_line(segments_[i], text, end) : next_in_line(segments_[i], text, end);
        if (!at) return std::nullopt;
        end = *at + segments_[i].size();
    }
    return Match{begin, end};
}

std::optional<SubstitutionPattern::Match> SubstitutionPattern::find(std::u32string_view text,
                                                                    std::size_t begin) const {
    bool several_lines = false;
    for (const auto& segment : segments_) several_lines |= segment.find(U'\n') != Segment::npos;
    for (std::size_t at = begin; at <= text.size(); ++at) {
        if (!segment_at(segments_.front(), text, at)) continue;
        if (const auto match = match_at(text, at, true)) return match;
        // What cannot be completed from here cannot be completed from further right in the same line.
        if (several_lines) continue;
        const auto line_feed = text.find(U'\n', at);
        if (line_feed == std::u32string_view::npos) break;
        at = line_feed;
    }
    return std::nullopt;
}

std::u32string remove_prefix(std::u32string_view value, std::u32string_view pattern, bool longest) {
    const auto match = SubstitutionPattern(pattern).match_at(value, 0, longest);
    return std::u32string(match ? value.substr(match->end) : value);
}

std::u32string remove_suffix(std::u32string_view value, std::u32string_view pattern, bool longest) {
    const std::u32string reversed(value.rbegin(), value.rend());
    auto rest = remove_prefix(reversed, reverse_pattern(pattern), longest);
    std::reverse(rest.begin(), rest.end());
    return rest;
}

std::u32string replace(std::u32string_view value, std::u32string_view pattern,
                       std::u32string_view replacement, bool all, std::size_t limit) {
    const SubstitutionPattern compiled(pattern);
    std::u32string out;
    std::size_t copied = 0;
    std::size_t from = 0;
    while (from <= value.size()) {
        const auto match = compiled.find(value, from);
        if (!match) break;
        out += value.substr(copied, match->begin - copied);
        // An empty match right behind another match does not count.
        if (match->end > copied || match->begin == 0) out += replacement;
        if (out.size() > limit)
            throw base::fail(base::ErrorCode::Exhausted, "expansion larger than {} characters", limit);
        copied = match->end;
        from = std::max(from + 1, match->end);
        if (!all) break;
    }
    out += value.substr(copied);
    return out;
}

}  // namespace mullion::frontend
