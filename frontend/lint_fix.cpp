#include "frontend/lint_fix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "frontend/check.hpp"
#include "frontend/lint_file.hpp"
#include "frontend/stages.hpp"
#include "frontend/syntax.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kBlanks = "\t\v\f\r ";
// One repair can make room for another (FROM in lower case wants a lower-case "as"); chains are short.
constexpr int kMaxRounds = 8;
constexpr std::size_t kMaxStagesToCompare = 64;

struct Span {
    std::size_t begin;
    std::size_t end;
};

struct Edit {
    Span span;
    std::string replacement;
};

// A line of the file with its place, line end not included.
struct Line {
    std::size_t begin;
    std::string_view text;
    std::size_t next;  // where the next one begins
};

std::vector<Line> lines_with_places(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    std::vector<Line> out;
    for (std::size_t at = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0; at < text.size();) {
        const auto feed = std::min(text.find('\n', at), text.size());
        auto line = text.substr(at, feed - at);
        while (line.ends_with('\r')) line.remove_suffix(1);
        const auto next = std::min(feed + 1, text.size());
        out.push_back({at, line, next});
        at = next;
    }
    return out;
}

// The repairs of one text. Each rule has a function that adds none where it cannot be sure.
class Repairs {
  public:
    explicit Repairs(std::string_view text) : text_(text), lines_(lines_with_places(text)) {
        dockerfile_ = parse(text, "Dockerfile");
        for (const auto& node : dockerfile_.instructions) {
            by_line_[node.range.first_line] = &node;
            by_last_text_line_[node.last_text_line] = &node;
        }
    }

    void add(const Warning& warning) {
        const auto is = [&](const LintRule& rule) { return warning.rule == &rule; };
        if (is(rules::NoEmptyContinuation)) {
            if (const auto* node = find(by_last_text_line_, warning)) drop_blank_lines(*node);
            return;
        }
        // A trigger's warnings stand at FROM: what is there must be what the rule is about.
        const auto* node = find(by_line_, warning);
        if (node == nullptr) return;
        if (!done_.emplace(warning.rule, node).second) return;
        const bool from = node->keyword == Keyword::From;
        const bool pair = node->keyword == Keyword::Env || node->keyword == Keyword::Label;
        const bool expose = node->keyword == Keyword::Expose;
        if (from && is(rules::StageNameCasing)) stage_name(*node);
        if (from && is(rules::FromAsCasing)) as_keyword(*node);
        if (from && is(rules::RedundantTargetPlatform)) drop_platform(*node);
        if (is(rules::ConsistentInstructionCasing)) instruction_name(*node);
        if (expose && (is(rules::ExposeProtoCasing) || is(rules::ExposeInvalidFormat))) ports(*node);
        if (pair && is(rules::LegacyKeyValueFormat)) key_value(*node);
    }

    bool empty() const { return edits_.empty(); }

    // The repaired text. `count` grows by the number of places.
    std::string apply(std::size_t& count) {
        std::sort(edits_.begin(), edits_.end(),
                  [](const Edit& a, const Edit& b) { return a.span.begin < b.span.begin; });
        std::string out;
        std::size_t at = 0;
        for (const auto& edit : edits_) {
            if (edit.span.begin < at) continue;  // overlaps the one before: the next round's
            out += text_.substr(at, edit.span.begin - at);
            out += edit.replacement;
            at = edit.span.end;
            ++count;
        }
        out += text_.substr(at);
        return out;
    }

  private:
    static const Node* find(const std::map<int, const Node*>& nodes, const Warning& warning) {
        const auto found = nodes.find(warning.range.first_line);
        return found == nodes.end() ? nullptr : found->second;
    }

    std::string_view at(const Span& span) const { return text_.substr(span.begin, span.end - span.begin); }

    void replace(const Span& span, std::string replacement) {
        if (at(span) != replacement) edits_.push_back({span, std::move(replacement)});
    }

    // The words of an instruction as they stand in the file: comments and the ends of continued lines left
    // out.
    std::vector<Span> words(const Node& node) const {
        std::vector<Span> out;
        for (int number = node.range.first_line; number <= node.last_text_line; ++number) {
            const auto& line = lines_[static_cast<std::size_t>(number - 1)];
            if (number > node.range.first_line && trim_left(line.text).starts_with('#')) continue;
            auto text = line.text;
            const auto last = text.find_last_not_of(" \t");
            if (number < node.last_text_line && last != std::string_view::npos &&
                text[last] == dockerfile_.directives.escape)
                text = text.substr(0, last);
            add_words(line.begin, text, out);
        }
        return out;
    }

    static void add_words(std::size_t place, std::string_view text, std::vector<Span>& out) {
        for (auto begin = text.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
            const auto end = std::min(text.find_first_of(kBlanks, begin), text.size());
            out.push_back({place + begin, place + end});
            begin = text.find_first_not_of(kBlanks, end);
        }
    }

    // Replaces the word at `index` (from the end if negative) if it is `expected`.
    void replace_word(const Node& node, std::ptrdiff_t index, const std::string& expected,
                      std::string replacement) {
        const auto found = words(node);
        const auto size = static_cast<std::ptrdiff_t>(found.size());
        if (index < 0) index += size;
        if (index < 0 || index >= size) return;
        const auto& word = found[static_cast<std::size_t>(index)];
        if (at(word) == expected) replace(word, std::move(replacement));
    }

    void stage_name(const Node& node) {
        replace_word(node, -1, node.arguments.back(), lower(node.arguments.back()));
    }

    void as_keyword(const Node& node) {
        const auto& as = node.arguments[1];
        replace_word(node, -2, as, node.name == lower(node.name) ? lower(as) : upper_ascii(as));
    }

    void instruction_name(const Node& node) {
        if (!lower_case_) lower_case_ = majority_is_lower(group_stages(dockerfile_));
        replace_word(node, 0, node.name, *lower_case_ ? lower(node.name) : upper_ascii(node.name));
    }

    // Quotes or escapes?
    bool has_syntax(std::string_view text) const {
        return text.find_first_of("\"'") != std::string_view::npos ||
               text.find(dockerfile_.directives.escape) != std::string_view::npos;
    }

    // With the blanks behind it; one that ends a line stays.
    void drop_platform(const Node& node) {
        const auto found = words(node);
        if (node.flags.size() != 1 || found.size() < 2 || at(found[1]) != node.flags[0]) return;
        const auto next = std::min(text_.find_first_not_of(" \t", found[1].end), text_.size());
        if (found.size() > 2 && found[2].begin == next) replace({found[1].begin, next}, "");
    }

    void ports(const Node& node) {
        const auto found = words(node);
        for (std::size_t i = 1; i < found.size(); ++i) {
            const auto text = at(found[i]);
            if (has_syntax(text) || text.find('$') != std::string_view::npos) continue;
            replace(found[i], lower(text.substr(text.rfind(':') + 1)));
        }
    }

    void drop_blank_lines(const Node& node) {
        for (int number = node.range.first_line + 1; number <= node.last_text_line; ++number) {
            const auto& line = lines_[static_cast<std::size_t>(number - 1)];
            if (trim(line.text).empty()) replace({line.begin, line.next}, "");
        }
    }

    // "ENV name value" on one line; what quotes and escapes mean there is left to people.
    void key_value(const Node& node) {
        if (node.range.first_line != node.range.last_line || node.arguments.size() != 3) return;
        const auto& key = node.arguments[0];
        const auto& value = node.arguments[1];
        if (has_syntax(key) || key.find('$') != std::string::npos || has_syntax(value)) return;
        const auto found = words(node);
        if (found.size() < 3 || at(found[1]) != key) return;
        const Span span{found[1].begin, found.back().end};
        if (!at(span).ends_with(value)) return;
        const auto points = decode_all(value);
        const bool plain = std::none_of(points.begin(), points.end(), is_space);
        replace(span, plain ? fmt::format("{}={}", key, value) : fmt::format("{}=\"{}\"", key, value));
    }

    std::string_view text_;
    std::vector<Line> lines_;
    Dockerfile dockerfile_;
    std::map<int, const Node*> by_line_;
    std::map<int, const Node*> by_last_text_line_;
    std::set<std::pair<const LintRule*, const Node*>> done_;
    std::optional<bool> lower_case_;
    std::vector<Edit> edits_;
};

// What a text builds, stage by stage.
std::vector<std::string> meaning(std::string_view text, Options options, ImageResolver& resolver,
                                 const base::CancelToken& cancel) {
    options.lint_only = true;
    options.windows_rules = false;
    options.build_args.emplace_back("BUILDKIT_DOCKERFILE_CHECK", "skip=all");
    std::vector<std::string> targets{options.target};
    for (const auto& stage : group_stages(parse(text, options.file)).stages)
        if (!stage.from.stage_name.empty() && targets.size() < kMaxStagesToCompare)
            targets.push_back(stage.from.stage_name);
    std::vector<std::string> out;
    for (auto& target : targets) {
        options.target = std::move(target);
        const auto conversion = convert(text, options, resolver, cancel);
        out.push_back(conversion.target.vertex->digest().string() + conversion.config.json());
    }
    return out;
}

}  // namespace

bool is_fixable(const LintRule& rule) {
    const std::array<const LintRule*, 8> fixable{
        &rules::StageNameCasing,      &rules::FromAsCasing,
        &rules::NoEmptyContinuation,  &rules::ConsistentInstructionCasing,
        &rules::LegacyKeyValueFormat, &rules::RedundantTargetPlatform,
        &rules::ExposeProtoCasing,    &rules::ExposeInvalidFormat};
    return std::find(fixable.begin(), fixable.end(), &rule) != fixable.end();
}

FixResult fix(std::string_view text, const Options& options, ImageResolver& resolver,
              const base::CancelToken& cancel) {
    FixResult result{std::string(text), 0};
    for (int round = 0; round < kMaxRounds; ++round) {
        const auto found = check(result.text, options, resolver, cancel);
        if (found.error && found.error->source()) break;
        if (found.warnings.empty()) break;
        Repairs repairs(result.text);
        for (const auto& warning : found.warnings) repairs.add(warning);
        if (repairs.empty()) break;
        std::size_t count = 0;
        auto repaired = repairs.apply(count);
        if (meaning(repaired, options, resolver, cancel) != meaning(result.text, options, resolver, cancel))
            throw fail(ErrorCode::Internal, "a repair would have changed what {} builds", options.file)
                .hint("repair the warnings by hand; nothing was written");
        result.fixed += count;
        result.text = std::move(repaired);
    }
    return result;
}

}  // namespace mullion::frontend
