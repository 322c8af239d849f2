#include "tree/glob_program.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "tree/utf8.hpp"

namespace mullion::tree {

class GlobProgram::Parser {
  public:
    Parser(std::string_view pattern, Dialect dialect) : rest_(pattern), dialect_(dialect) {}

    std::vector<Step> run() {
        if (dialect_ == Dialect::IgnoreFile && is_plain_suffix()) {
            rest_.remove_prefix(2);
            add(Op::Everything);
        }
        while (!rest_.empty()) next();
        return std::move(steps_);
    }

  private:
    [[noreturn]] static void bad() { throw base::fail(base::ErrorCode::Invalid, "syntax error in pattern"); }

    void add(Op op) { steps_.push_back({op, 0, false, {}}); }
    void add_literal(char32_t point) { steps_.push_back({Op::Literal, point, false, {}}); }

    // "**x" with nothing special in x; "**/x" is left to the general rule, which says the same.
    bool is_plain_suffix() const {
        if (!rest_.starts_with("**") || rest_.starts_with("**/")) return false;
        return rest_.find_first_of("*?[]\\", 2) == std::string_view::npos;
    }

    bool accept(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    char32_t take() {
        CodePoint point = decode_utf8(rest_);
        rest_.remove_prefix(point.length);
        return point.value;
    }

    void next() {
        if (accept('*')) {
            star();
        } else if (accept('?')) {
            add(Op::AnyOne);
        } else if (accept('[')) {
            character_class();
        } else if (accept('\\')) {
            if (rest_.empty()) bad();
            add_literal(take());
        } else {
            add_literal(take());
        }
    }

    void star() {
        if (dialect_ == Dialect::Glob || !accept('*')) return add(Op::AnyRun);
        accept('/');
        if (rest_.empty()) return add(Op::Everything);
        add(Op::OptionalDirs);
        add(Op::DirsRun);
    }

    void character_class() {
        Step step{Op::Class, 0, accept('^'), {}};
        do {
            Range range{};
            range.low = range.high = class_member();
            if (accept('-')) range.high = class_member();
            step.ranges.push_back(range);
        } while (!accept(']'));
        steps_.push_back(std::move(step));
    }

    char32_t class_member() {
        if (rest_.empty() || rest_.front() == '-' || rest_.front() == ']') bad();
        accept('\\');
        if (rest_.empty() || !decode_utf8(rest_).valid) bad();
        char32_t point = take();
        if (rest_.empty()) bad();
        return point;
    }

    std::string_view rest_;
    Dialect dialect_;
    std::vector<Step> steps_;
};

namespace {

template <typename Steps, typename IsLiteral>
std::string literal_run(Steps begin, Steps end, IsLiteral is_literal) {
    std::string text;
    for (; begin != end && is_literal(*begin); ++begin) append_utf8(text, begin->literal);
    return text;
}

}  // namespace

GlobProgram::GlobProgram(std::string_view pattern, Dialect dialect, bool fold_case)
    : steps_(Parser(pattern, dialect).run()), fold_case_(fold_case) {
    if (fold_case_) return;
    // Stray bytes are left to the steps: they have no encoding to compare with.
    auto is_literal = [](const Step& s) {
        return s.op == Op::Literal && !(s.literal >= 0xD800 && s.literal <= 0xDFFF);
    };
    literal_head_ = literal_run(steps_.begin(), steps_.end(), is_literal);
    auto tail = std::find_if_not(steps_.rbegin(), steps_.rend(), is_literal).base();
    literal_tail_ = literal_run(tail, steps_.end(), is_literal);
    all_literal_ = tail == steps_.begin();
}

bool GlobProgram::in_class(const Step& step, char32_t point) {
    return std::any_of(step.ranges.begin(), step.ranges.end(),
                       [&](const Range& range) { return range.low <= point && point <= range.high; });
}

bool GlobProgram::takes_one(const Step& step, char32_t point) const {
    switch (step.op) {
        case Op::Literal:
            return step.literal == point || (fold_case_ && upcase(step.literal) == upcase(point));
        case Op::AnyOne:
            return point != '/';
        case Op::Class: {
            bool inside = in_class(step, point);
            if (fold_case_ && !inside)
                inside = in_class(step, upcase(point)) || in_class(step, downcase(point));
            return inside != step.negated;
        }
        default:
            return false;
    }
}

// Follows the steps that need no text. They only lead forward, so that one pass does.
void GlobProgram::enter_optional(Active& active) const {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        if (!active[i]) continue;
        Op op = steps_[i].op;
        if (op == Op::AnyRun || op == Op::Everything) active[i + 1] = 1;
        if (op == Op::OptionalDirs) active[i + 1] = active[i + 2] = 1;
    }
}

// All places one code point leads to; false if none.
bool GlobProgram::step(const Active& active, char32_t point, Active& next) const {
    bool alive = false;
    std::fill(next.begin(), next.end(), std::uint8_t{0});
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        if (!active[i]) continue;
        Op op = steps_[i].op;
        bool stays = (op == Op::AnyRun && point != '/') || op == Op::Everything || op == Op::DirsRun;
        bool moves = takes_one(steps_[i], point) || (op == Op::DirsRun && point == '/');
        if (stays) next[i] = 1;
        if (moves) next[i + 1] = 1;
        alive = alive || stays || moves;
    }
    return alive;
}

bool GlobProgram::run(std::string_view text, Active& active) const {
    active.assign(steps_.size() + 1, 0);
    active[0] = 1;
    enter_optional(active);
    Active next(active.size());
    while (!text.empty()) {
        CodePoint point = decode_utf8(text);
        text.remove_prefix(point.length);
        if (!step(active, point.value, next)) return false;
        active.swap(next);
        enter_optional(active);
    }
    return true;
}

bool GlobProgram::matches(std::string_view text) const {
    if (!text.starts_with(literal_head_) || !text.ends_with(literal_tail_)) return false;
    if (all_literal_) return text.size() == literal_head_.size();
    Active active;
    return run(text, active) && active.back();
}

bool GlobProgram::matches_beyond(std::string_view text) const {
    std::size_t common = std::min(text.size(), literal_head_.size());
    if (text.substr(0, common) != std::string_view(literal_head_).substr(0, common)) return false;
    Active active;
    if (!run(text, active)) return false;
    return std::find(active.begin(), active.end() - 1, 1) != active.end() - 1;
}

}  // namespace mullion::tree
