// docs/rules/ and the table of rules agree.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/file.hpp"
#include "frontend/lint.hpp"
#include "frontend/lint_fix.hpp"
#include "lint_support.hpp"

namespace mullion::frontend {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

std::string page_text(const std::string& name) {
    return base::read_file(fs::path(MULLION_RULE_PAGES) / name, 1 << 20);
}

TEST(RulePages, EveryRuleHasOne) {
    for (const auto* rule : rules::all()) {
        const auto text = page_text(rule->page() + ".md");
        EXPECT_THAT(text, testing::StartsWith("# " + std::string(rule->name) + "\n"));
        EXPECT_THAT(text, AllOf(HasSubstr("\nBad:\n"), HasSubstr("\nGood:\n"))) << rule->name;
        EXPECT_EQ(text.find("`mullion dockerfile check --fix`") != std::string::npos, is_fixable(*rule))
            << rule->name;
    }
}

// The first block of code behind `heading`, on a base of its own.
std::string example(const std::string& text, const std::string& heading) {
    const std::string fence = "```dockerfile\n";
    const auto begin = text.find(fence, text.find("\n" + heading + ":\n")) + fence.size();
    const auto code = text.substr(begin, text.find("```", begin) - begin);
    return code.find("FROM ") == std::string::npos ? "FROM base\n" + code : code;
}

bool breaks(const std::string& dockerfile, const LintRule& rule) {
    test::LintCase c;
    c.windows_rules = true;
    c.options.build_args = {{"BUILDKIT_DOCKERFILE_CHECK", "experimental=all"}};
    const auto result = c.check(dockerfile);
    return std::any_of(result.warnings.begin(), result.warnings.end(),
                       [&](const Warning& warning) { return warning.rule == &rule; });
}

TEST(RulePages, ExamplesAreBadAndGood) {
    // These take more than a Dockerfile: an ignore file, an image, a checkout, a path nobody wants to read.
    const std::set<const LintRule*> need_more{&rules::CopyIgnoredFile, &rules::InvalidBaseImagePlatform,
                                              &rules::HeredocLineEnds, &rules::PathTooLong};
    for (const auto* rule : rules::all()) {
        const auto text = page_text(rule->page() + ".md");
        if (!need_more.contains(rule)) {
            EXPECT_TRUE(breaks(example(text, "Bad"), *rule)) << rule->name;
        }
        EXPECT_FALSE(breaks(example(text, "Good"), *rule)) << rule->name;
    }
}

TEST(RulePages, EveryPageHasARule) {
    std::set<std::string> pages{"README.md"};
    for (const auto* rule : rules::all()) pages.insert(rule->page() + ".md");
    for (const auto& name : base::list_directory(MULLION_RULE_PAGES))
        EXPECT_TRUE(pages.contains(name)) << name;
}

TEST(RulePages, TheIndexNamesEveryRule) {
    const auto index = page_text("README.md");
    for (const auto* rule : rules::all())
        EXPECT_THAT(index, HasSubstr("[" + std::string(rule->name) + "](" + rule->page() + ".md)"));
}

TEST(RulePages, AddressesOfTheReference) {
    EXPECT_EQ(rules::JSONArgsRecommended.url(),
              "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/");
    EXPECT_EQ(rules::SecretsUsedInArgOrEnv.page(), "secrets-used-in-arg-or-env");
    EXPECT_EQ(rules::PathWiped.url(), "docs/rules/path-wiped.md");
}

}  // namespace
}  // namespace mullion::frontend
