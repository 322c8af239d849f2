#include "tree/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "tree/glob_program.hpp"
#include "tree/name.hpp"

namespace mullion::tree {

using base::ErrorCode;
using base::fail;

Glob::Glob(std::string_view pattern, bool fold_case)
    : program_(std::make_shared<const GlobProgram>(pattern, GlobProgram::Dialect::Glob, fold_case)) {}

bool Glob::matches(std::string_view text) const {
    return program_->matches(text);
}

bool Glob::has_wildcard(std::string_view pattern) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '\\') {
            ++i;
        } else if (pattern[i] == '*' || pattern[i] == '?' || pattern[i] == '[') {
            return true;
        }
    }
    return false;
}

struct IgnorePatterns::State {
    struct Pattern {
        bool negated;
        GlobProgram program;
    };
    std::vector<Pattern> patterns;
    std::vector<std::string> normalised;

    void add(std::string_view line);
};

namespace {

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\n\v\f\r";
    std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// The shortest path that says the same lexically (Go's path.Clean): no "//", ".", inner "..", trailing '/'.
std::string clean(std::string_view path) {
    bool rooted = path.starts_with('/');
    std::vector<std::string_view> elements;
    for (std::string_view element : split(path)) {
        if (element.empty() || element == ".") continue;
        if (element != ".." || (!rooted && (elements.empty() || elements.back() == ".."))) {
            elements.push_back(element);
        } else if (!elements.empty()) {
            elements.pop_back();
        }
    }
    std::string cleaned = fmt::format("{}{}", rooted ? "/" : "", fmt::join(elements, "/"));
    return cleaned.empty() ? "." : cleaned;
}

}  // namespace

void IgnorePatterns::State::add(std::string_view line) {
    line = trim(line);
    if (line.empty()) return;
    bool negated = line.front() == '!';
    if (negated) line = trim(line.substr(1));
    if (line.empty()) throw fail(ErrorCode::Invalid, "illegal exclusion pattern: \"!\"");
    std::string pattern = clean(line);
    if (pattern.size() > 1 && pattern.front() == '/') pattern.erase(0, 1);
    base::with_context(
        [&] { return printable(line); },
        [&] {
            patterns.push_back({negated, GlobProgram(pattern, GlobProgram::Dialect::IgnoreFile, false)});
        });
    normalised.push_back((negated ? "!" : "") + pattern);
}

IgnorePatterns::IgnorePatterns() : IgnorePatterns(std::make_shared<const State>()) {}
IgnorePatterns::IgnorePatterns(std::shared_ptr<const State> state) : state_(std::move(state)) {}

IgnorePatterns IgnorePatterns::parse(std::string_view file_text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (file_text.starts_with(kByteOrderMark)) file_text.remove_prefix(kByteOrderMark.size());
    auto state = std::make_shared<State>();
    for (std::size_t number = 1; !file_text.empty(); ++number) {
        std::string_view line = file_text.substr(0, file_text.find('\n'));
        file_text.remove_prefix(std::min(line.size() + 1, file_text.size()));
        if (line.starts_with('#')) continue;
        base::with_context([&] { return fmt::format("line {}", number); }, [&] { state->add(line); });
    }
    return IgnorePatterns(std::move(state));
}

IgnorePatterns IgnorePatterns::from_lines(const std::vector<std::string>& lines) {
    auto state = std::make_shared<State>();
    for (const std::string& line : lines) state->add(line);
    return IgnorePatterns(std::move(state));
}

bool IgnorePatterns::empty() const {
    return state_->patterns.empty();
}

const std::vector<std::string>& IgnorePatterns::normalised() const {
    return state_->normalised;
}

IgnorePatterns::Trail IgnorePatterns::trail(std::string_view path, const Trail& parent) const {
    Trail own = parent;
    own.resize(state_->patterns.size(), 0);
    for (std::size_t i = 0; i < own.size(); ++i) {
        if (!own[i]) own[i] = state_->patterns[i].program.matches(path);
    }
    return own;
}

bool IgnorePatterns::ignored(const Trail& trail) const {
    for (std::size_t i = trail.size(); i-- > 0;) {
        if (trail[i]) return !state_->patterns[i].negated;
    }
    return false;
}

bool IgnorePatterns::ignored(std::string_view path, const Trail& parent) const {
    for (std::size_t i = state_->patterns.size(); i-- > 0;) {
        const State::Pattern& pattern = state_->patterns[i];
        if ((i < parent.size() && parent[i]) || pattern.program.matches(path)) return !pattern.negated;
    }
    return false;
}

bool IgnorePatterns::can_skip_directory(std::string_view path, const Trail& trail) const {
    std::string inside = std::string(path) + "/";
    // A negation before the pattern that ignores the directory cannot win below it either.
    for (std::size_t i = state_->patterns.size(); i-- > 0;) {
        const State::Pattern& pattern = state_->patterns[i];
        if (!pattern.negated && i < trail.size() && trail[i]) return true;
        if (pattern.negated && pattern.program.matches_beyond(inside)) return false;
    }
    return true;
}

// The trail of any path, through all of its parents.
IgnorePatterns::Trail IgnorePatterns::full_trail(std::string_view path) const {
    Trail trail;
    if (path.empty() || path == ".") return trail;
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
         slash = path.find('/', slash + 1)) {
        trail = this->trail(path.substr(0, slash), trail);
    }
    return this->trail(path, trail);
}

bool IgnorePatterns::ignored(std::string_view path) const {
    return ignored(full_trail(path));
}

bool IgnorePatterns::can_skip_directory(std::string_view path) const {
    return can_skip_directory(path, full_trail(path));
}

}  // namespace mullion::tree
