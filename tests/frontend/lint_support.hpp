// Shared by the tests of lint rules: what a Dockerfile is warned about, as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/check.hpp"
#include "support.hpp"

namespace mullion::frontend::test {

struct LintCase {
    Options options;
    bool windows_rules = false;

    explicit LintCase(std::string_view platform = "windows/amd64") {
        options.platform = options.build_platform = oci::Platform::parse(platform);
    }

    CheckResult check(std::string_view text) {
        options.windows_rules = windows_rules;
        AssumedImages images;
        return frontend::check(text, options, images, {});
    }

    // "LINE Rule: message", by line; an error is "LINE error: message" at the end.
    std::vector<std::string> warnings(std::string_view text) {
        const auto result = check(text);
        std::vector<std::string> out;
        for (const auto& warning : result.warnings)
            out.push_back(std::to_string(warning.range.first_line) + " " + std::string(warning.rule->name) +
                          ": " + warning.message);
        if (result.error) out.push_back("error " + described(*result.error));
        return out;
    }
};

inline std::vector<std::string> lint(std::string_view text, std::string_view platform = "windows/amd64") {
    return LintCase(platform).warnings(text);
}

// The rules of ours that `text` breaks, with their lines.
inline std::vector<std::string> own_warnings(std::string_view text) {
    LintCase c;
    c.windows_rules = true;
    std::vector<std::string> out;
    for (const auto& warning : c.check(text).warnings)
        if (warning.rule->group == LintRule::Group::Windows)
            out.push_back(std::to_string(warning.range.first_line) + " " + std::string(warning.rule->name) +
                          ": " + warning.message);
    return out;
}

}  // namespace mullion::frontend::test
