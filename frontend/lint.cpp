#include "frontend/lint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kReferencePages = "https://docs.docker.com/go/dockerfile/rule/";
constexpr std::string_view kOwnPages = "docs/rules/";
constexpr std::size_t kMaxOptions = 3;

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

std::string_view before_blank(std::string_view text) {
    return text.substr(0, text.find(' '));
}

bool parse_bool(std::string_view option, std::string_view value) {
    for (const auto* word : {"1", "t", "T", "true", "TRUE", "True"})
        if (value == word) return true;
    for (const auto* word : {"0", "f", "F", "false", "FALSE", "False"})
        if (value == word) return false;
    throw fail(ErrorCode::Invalid, "failed to parse check option {}: {} is no boolean", quote(option),
               quote(value))
        .about(value);
}

// "all" or a list of rules.
void add_rules(std::string_view value, bool& every, std::set<std::string, std::less<>>& names) {
    if (value == "all") {
        every = true;
        return;
    }
    names.clear();
    while (true) {
        const auto comma = value.find(',');
        names.emplace(trim(value.substr(0, comma)));
        if (comma == std::string_view::npos) return;
        value.remove_prefix(comma + 1);
    }
}

void add_option(LintOptions& options, std::string_view option) {
    const auto equals = option.find('=');
    if (equals == std::string_view::npos)
        throw fail(ErrorCode::Invalid, "invalid check option {}", quote(option)).about(option);
    const auto key = trim(option.substr(0, equals));
    const auto value = trim(option.substr(equals + 1));
    if (key == "skip")
        add_rules(value, options.skip_all, options.skip);
    else if (key == "experimental")
        add_rules(value, options.experimental_all, options.experimental);
    else if (key == "error")
        options.error = parse_bool(option, value);
    else
        throw fail(ErrorCode::Invalid, "invalid check option {}", quote(key)).about(key);
}

// A directive: "NAME = VALUE", NAME letters and digits, as it stands behind the "#".
struct NameAndValue {
    std::string name;  // lower case
    std::string_view value;
};

std::optional<NameAndValue> directive(std::string_view comment) {
    constexpr std::string_view kSpace = "\t\n\f\r ";
    const auto equals = comment.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    auto name = trim_left(comment.substr(0, equals));
    name = name.substr(0, name.find_last_not_of(kSpace) + 1);
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const bool plain =
        std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
    if (name.empty() || !is_letter(name[0]) || !plain) return std::nullopt;
    auto value = comment.substr(equals + 1);
    value.remove_prefix(std::min(value.find_first_not_of(kSpace), value.size()));
    value = value.substr(0, value.find_last_not_of(kSpace) + 1);
    if (value.empty()) return std::nullopt;
    return NameAndValue{lower(name), value};
}

std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

}  // namespace

std::string LintRule::page() const {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool begins_word = i > 0 && is_upper(name[i]) &&
                                 (!is_upper(name[i - 1]) || (i + 1 < name.size() && !is_upper(name[i + 1])));
        if (begins_word) out += '-';
        out += is_upper(name[i]) ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
    }
    return out;
}

std::string LintRule::url() const {
    if (group == Group::Reference) return fmt::format("{}{}/", kReferencePages, page());
    return fmt::format("{}{}.md", kOwnPages, page());
}

LintOptions LintOptions::parse(std::string_view text) {
    return base::with_context([] { return std::string("failed to parse check options"); },
                              [&] {
                                  LintOptions out;
                                  auto rest = trim(before_blank(text));
                                  if (rest.empty()) return out;
                                  for (std::size_t i = 1;; ++i) {
                                      const auto end =
                                          i == kMaxOptions ? std::string_view::npos : rest.find(';');
                                      add_option(out, rest.substr(0, end));
                                      if (end == std::string_view::npos) return out;
                                      rest.remove_prefix(end + 1);
                                  }
                              });
}

LintOptions LintOptions::from_directive(std::string_view dockerfile, const std::string& file) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (dockerfile.starts_with(kByteOrderMark)) dockerfile.remove_prefix(kByteOrderMark.size());
    int number = 0;
    for (bool first = true; !dockerfile.empty(); first = false) {
        const auto line = take_line(dockerfile);
        ++number;
        if (first && line.starts_with("#!")) continue;
        if (!line.starts_with('#')) break;
        const auto found = directive(line.substr(1));
        if (!found) break;
        if (found->name != "check" && found->name != "syntax" && found->name != "escape") break;
        if (found->name != "check") continue;
        try {
            return parse(found->value);
        } catch (base::Error& error) {
            error.at({file, number, number, 0, 0});
            throw;
        }
    }
    return {};
}

bool LintOptions::wants(const LintRule& rule) const {
    if (rule.experimental) return experimental_all || experimental.contains(rule.name);
    return !skip_all && !skip.contains(rule.name);
}

void LintOptions::merge(const LintOptions& other) {
    skip_all |= other.skip_all;
    experimental_all |= other.experimental_all;
    error |= other.error;
    skip.insert(other.skip.begin(), other.skip.end());
    experimental.insert(other.experimental.begin(), other.experimental.end());
}

Linter::Scope::Scope(Linter& linter, const std::vector<std::string>& comments)
    : linter_(linter), outer_(linter.local_) {
    for (const auto& comment : comments) {
        const auto found = directive(comment);
        if (!found || found->name != "check") continue;
        try {
            own_ = LintOptions::parse(found->value);
        } catch (const base::Error& error) {
            if (error.code() != ErrorCode::Invalid) throw;
            return;
        }
        own_.merge(linter.options_);
        linter.local_ = &own_;
        return;
    }
}

bool Linter::wants(const LintRule& rule) const {
    if (rule.group == LintRule::Group::Windows && !windows_rules_) return false;
    return (local_ != nullptr ? *local_ : options_).wants(rule) && warnings_.size() < kMaxWarnings;
}

void Linter::report(const LintRule& rule, const base::SourceRange& range, std::string message) {
    if (!wants(rule) || !seen_.emplace(rule.name, range.first_line, message).second) return;
    warnings_.push_back({&rule, std::move(message), range});
}

void Linter::note(const base::SourceRange& range, std::string message) {
    if (warnings_.size() < kMaxWarnings) warnings_.push_back({nullptr, std::move(message), range});
}

void Linter::fail_if_asked() const {
    if (!options_.error) return;
    std::set<std::string_view> names;
    for (const auto& warning : warnings_)
        if (warning.rule != nullptr && warning.rule->group == LintRule::Group::Reference)
            names.insert(warning.rule->name);
    if (!names.empty())
        throw fail(ErrorCode::Invalid, "lint violation found for rules: {}", fmt::join(names, ", "))
            .hint(
                "the warnings above name the lines; \"error=true\" of the check directive makes errors of "
                "them");
}

}  // namespace mullion::frontend
