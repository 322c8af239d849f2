#include "frontend/lint_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "frontend/expand.hpp"
#include "frontend/suggest.hpp"
#include "frontend/swallowed_line.hpp"
#include "frontend/text_lines.hpp"
#include "frontend/unicode.hpp"
#include "oci/reference.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;

constexpr std::size_t kMaxSuggestions = 100;  // names compared with a misspelt one

bool is_lower_case(std::string_view name) {
    return name == lower(name);
}

bool is_upper_case(std::string_view name) {
    return name == upper_ascii(name);
}

void lint_from_syntax(const Node& node, Linter& linter) {
    const auto& words = node.arguments;
    if (words.size() == 3 && !is_lower_case(words[2]))
        linter.report(rules::StageNameCasing, node.range,
                      fmt::format("Stage name '{}' should be lowercase", words[2]));
    const bool is_lower = is_lower_case(node.name);
    const bool uniform = is_lower || is_upper_case(node.name);
    if (words.size() >= 3 && uniform && !(is_lower ? is_lower_case(words[1]) : is_upper_case(words[1])))
        linter.report(rules::FromAsCasing, node.range,
                      fmt::format("'{}' and '{}' keywords' casing do not match", words[1], node.name));
}

// The comment above describes one of `names`, or should.
void lint_description(const Node& node, std::string_view instruction, const std::vector<std::string>& names,
                      Linter& linter) {
    if (node.comments.empty() || names.empty()) return;
    const auto& comment = node.comments.back();
    const auto described = comment.substr(0, comment.find(' '));
    if (std::find(names.begin(), names.end(), described) != names.end()) return;
    linter.report(rules::InvalidDefinitionDescription, node.range,
                  fmt::format("Comment for {} should follow the format: `# {} <description>`", instruction,
                              names.size() == 1 ? names[0] : "<arg_key>"));
}

std::vector<std::string> defined_names(const Node& node) {
    std::vector<std::string> out;
    if (node.keyword == Keyword::From && node.arguments.size() == 3) out.push_back(lower(node.arguments[2]));
    if (node.keyword == Keyword::Arg)
        for (const auto& word : node.arguments) out.push_back(word.substr(0, word.find('=')));
    return out;
}

void lint_node(const Node& node, Linter& linter) {
    const Linter::Scope scope(linter, node.comments);
    if (node.keyword == Keyword::Maintainer)
        linter.report(rules::MaintainerDeprecated, node.range,
                      "Maintainer instruction is deprecated in favor of using label");
    if (node.keyword == Keyword::From) lint_from_syntax(node, linter);
    if (node.keyword == Keyword::From || node.keyword == Keyword::Arg)
        lint_description(node, node.keyword == Keyword::From ? "FROM" : "ARG", defined_names(node), linter);
}

base::SourceRange one_line(const base::SourceRange& range, int line) {
    return {range.file, line, line, 0, 0};
}

void lint_continuation(const std::vector<std::string_view>& lines, const Node& node, Linter& linter) {
    const Linter::Scope scope(linter, node.comments);
    if (!linter.wants(rules::BackslashContinuesLine)) return;
    const auto line = line_swallowing_next(lines, node.range.first_line, node.last_text_line);
    if (!line) return;
    linter.report(
        rules::BackslashContinuesLine, one_line(node.range, *line),
        fmt::format("The backslash at the end of line {} continues the instruction with line {}: put "
                    "\"# escape=`\" at the top of the file or end the path with a slash",
                    *line, *line + 1));
}

void lint_casing(const std::string& name, bool lower_case, const base::SourceRange& range, Linter& linter) {
    if (lower_case ? is_lower_case(name) : is_upper_case(name)) return;
    linter.report(rules::ConsistentInstructionCasing, range,
                  fmt::format("Command '{}' should match the case of the command majority ({})", name,
                              lower_case ? "lowercase" : "uppercase"));
}

std::set<std::string, std::less<>> declared_names(const BuildFile& file) {
    std::set<std::string, std::less<>> out;
    for (const auto& instruction : file.global_args)
        for (const auto& declared : std::get<ArgInstruction>(instruction.body).declarations)
            out.insert(declared.name);
    return out;
}

// Linting FROM: what all stages share.
class FromLint {
  public:
    FromLint(const BuildFile& file, const Environment& globals, Linter& linter)
        : globals_(globals),
          linter_(linter),
          escape_(file.directives.escape),
          declared_(declared_names(file)) {
        for (const auto& [name, value] : globals.entries()) declared_.insert(name);
    }

    void lint(const Stage& stage) {
        const Linter::Scope scope(linter_, stage.comments);
        report_undeclared(stage, use_of(stage.from.base).second);
        if (stage.from.platform.empty()) return;
        const auto [value, use] = use_of(stage.from.platform);
        report_undeclared(stage, use);
        report_redundant(stage, value, use);
        report_constant(stage, value, use);
    }

  private:
    std::pair<std::string, VariableUse> use_of(const std::string& written) const {
        VariableUse use;
        auto value = process_word(written, globals_, {.escape = escape_, .use = &use});
        return {std::move(value), std::move(use)};
    }

    void report_undeclared(const Stage& stage, const VariableUse& use) {
        if (!linter_.wants(rules::UndefinedArgInFrom)) return;
        for (const auto& name : use.unset) {
            if (declared_.contains(name)) continue;
            std::vector<std::string_view> known;
            for (const auto& other : declared_) {
                if (known.size() == kMaxSuggestions) break;
                known.emplace_back(other);
            }
            linter_.report(
                rules::UndefinedArgInFrom, stage.range,
                fmt::format("FROM argument '{}' is not declared{}", name, did_you_mean(name, known)));
        }
    }

    void report_redundant(const Stage& stage, const std::string& value, const VariableUse& use) {
        constexpr std::string_view kTarget = "TARGETPLATFORM";
        const auto* target = globals_.find(kTarget);
        if (use.set.size() != 1 || !use.unset.empty() || *use.set.begin() != kTarget) return;
        if (target == nullptr || value != *target) return;
        linter_.report(
            rules::RedundantTargetPlatform, stage.range,
            fmt::format("Setting platform to predefined {} in FROM is redundant as this is the default "
                        "behavior",
                        stage.from.platform));
    }

    void report_constant(const Stage& stage, const std::string& value, const VariableUse& use) {
        if (!use.set.empty() || !use.unset.empty()) return;
        oci::Platform platform;
        try {
            platform = oci::Platform::parse(value);
        } catch (const base::Error& error) {
            if (error.code() != ErrorCode::Invalid) throw;
            return;
        }
        const auto& name = stage.from.stage_name;
        if (name.find(platform.os) != std::string::npos ||
            name.find(platform.architecture) != std::string::npos)
            return;
        linter_.report(rules::FromPlatformFlagConstDisallowed, stage.range,
                       fmt::format("FROM --platform flag should not use constant value {}", quote(value)));
    }

    const Environment& globals_;
    Linter& linter_;
    char escape_;
    std::set<std::string, std::less<>> declared_;
};

bool is_reference(const std::string& name) {
    try {
        oci::Reference::parse(name);
        return true;
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::Invalid) throw;
        return false;
    }
}

void lint_default_bases(const BuildFile& file, const Environment& defaults, Linter& linter) {
    for (const auto& stage : file.stages) {
        if (is_reference(process_word(stage.from.base, defaults, {.escape = file.directives.escape})))
            continue;
        linter.report(rules::InvalidDefaultArgInFrom, stage.range,
                      fmt::format("Default value for ARG {} results in empty or invalid base image name",
                                  stage.from.base));
    }
}

// What cannot be expanded is for the conversion to refuse.
template <typename Body>
void up_to_first_error(Body&& body) {
    try {
        body();
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::Invalid && error.code() != ErrorCode::Exhausted) throw;
    }
}

}  // namespace

void lint_syntax(std::string_view text, const Dockerfile& dockerfile, const oci::Platform& target,
                 Linter& linter) {
    const bool backslash = target.is_windows() && dockerfile.directives.escape == '\\';
    const auto lines = backslash ? lines_of(text) : std::vector<std::string_view>();
    for (const auto& node : dockerfile.instructions) {
        if (node.empty_continuation)
            linter.report(rules::NoEmptyContinuation, one_line(node.range, node.last_text_line),
                          "Empty continuation line");
        lint_node(node, linter);
        if (backslash) lint_continuation(lines, node, linter);
    }
}

bool majority_is_lower(const BuildFile& file) {
    std::ptrdiff_t lead = 0;  // of lower case
    const auto count = [&](const std::string& name) {
        if (is_lower_case(name))
            ++lead;
        else if (is_upper_case(name))
            --lead;
    };
    for (const auto& stage : file.stages) {
        count(stage.name);
        for (const auto& instruction : stage.instructions) count(instruction.name);
    }
    return lead > 0;
}

void lint_stages(const BuildFile& file, Linter& linter) {
    std::set<std::string_view> names;
    for (const auto& stage : file.stages) {
        const auto& name = stage.from.stage_name;
        if (name.empty()) continue;
        if (name == "context" || name == "scratch")
            linter.report(
                rules::ReservedStageName, stage.range,
                fmt::format("Stage name should not use the same name as reserved stage {}", quote(name)));
        if (!names.insert(name).second)
            linter.report(rules::DuplicateStageName, stage.range,
                          fmt::format("Duplicate stage name {}, stage names should be unique", quote(name)));
    }
    const bool lower_case = majority_is_lower(file);
    for (const auto& stage : file.stages) {
        lint_casing(stage.name, lower_case, stage.range, linter);
        for (const auto& instruction : stage.instructions)
            lint_casing(instruction.name, lower_case, instruction.range, linter);
    }
}

void lint_from(const BuildFile& file, const Environment& globals, const std::optional<Environment>& defaults,
               Linter& linter) {
    if (defaults) up_to_first_error([&] { lint_default_bases(file, *defaults, linter); });
    FromLint lint(file, globals, linter);
    up_to_first_error([&] {
        for (const auto& stage : file.stages) lint.lint(stage);
    });
}

}  // namespace mullion::frontend
