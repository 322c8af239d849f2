#include "frontend/check.hpp"

#include <algorithm>

namespace mullion::frontend {

namespace {

constexpr const char* kBasePath =
    "C:\\Windows\\system32;C:\\Windows;C:\\Windows\\System32\\Wbem;"
    "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\";

ResolvedImage assumed(std::string name, const oci::Platform& platform) {
    oci::ImageConfig config;
    config.platform = platform;
    const auto digest = base::Digest::of(name);
    return {std::move(name), digest, std::move(config), {}, {}, true};
}

}  // namespace

ResolvedImage AssumedImages::resolve_image(const oci::Reference& reference, const oci::Platform& platform,
                                           const base::CancelToken&) {
    return assumed(reference.string(), platform);
}

ResolvedImage AssumedImages::resolve_layout(std::string_view layout, const oci::Platform& platform,
                                            const base::CancelToken&) {
    return assumed("oci-layout://" + std::string(layout), platform);
}

std::optional<std::string> AssumedImages::machine_path(const ResolvedImage&, const base::CancelToken&) {
    return kBasePath;
}

CheckResult check(std::string_view text, Options options, ImageResolver& resolver,
                  const base::CancelToken& cancel) {
    options.lint_only = true;
    options.every_stage = options.target.empty();
    CheckResult result;
    Findings findings;
    try {
        convert(text, options, resolver, cancel, findings);
    } catch (const base::Error& error) {
        if (error.code() == base::ErrorCode::Canceled) throw;
        result.error = error;
    }
    result.warnings = std::move(findings.warnings);
    std::erase_if(result.warnings, [](const Warning& warning) { return warning.rule == nullptr; });
    result.outline = std::move(findings.outline);
    std::stable_sort(result.warnings.begin(), result.warnings.end(), [](const Warning& a, const Warning& b) {
        return a.range.first_line < b.range.first_line;
    });
    return result;
}

}  // namespace mullion::frontend
