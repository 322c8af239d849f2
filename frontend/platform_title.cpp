#include "frontend/platform_title.hpp"

#include <optional>

#include "base/error.hpp"

namespace mullion::frontend {

namespace {

// What TARGETPLATFORM, or else TARGETOS, TARGETARCH and TARGETVARIANT say; what they leave out is as in
// `platform`.
std::optional<oci::Platform> target_of(const oci::Platform& platform, const Environment& environment) {
    if (const auto* whole = environment.find("TARGETPLATFORM")) {
        try {
            return oci::Platform::parse(*whole);
        } catch (const base::Error&) {
            // Users may set it to anything; then the others count.
        }
    }
    const auto* os = environment.find("TARGETOS");
    const auto* architecture = environment.find("TARGETARCH");
    const auto* variant = environment.find("TARGETVARIANT");
    if (os == nullptr && architecture == nullptr && variant == nullptr) return std::nullopt;
    oci::Platform target;
    target.os = os != nullptr && !os->empty() ? *os : platform.os;
    target.architecture =
        architecture != nullptr && !architecture->empty() ? *architecture : platform.architecture;
    if (variant != nullptr) target.variant = *variant;
    return target.normalized();
}

}  // namespace

std::string platform_title(const oci::Platform& platform, const Environment& environment) {
    const auto target = target_of(platform, environment);
    if (!target) return platform.string();
    if (target->os != platform.os) return platform.string() + "->" + target->string();
    if (target->architecture == platform.architecture) return platform.string();
    return platform.string() + "->" + target->architecture +
           (target->variant.empty() ? "" : "/" + target->variant);
}

}  // namespace mullion::frontend
