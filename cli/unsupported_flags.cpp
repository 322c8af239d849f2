#include "cli/unsupported_flags.hpp"

#include "base/error.hpp"
#include "cli/key_values.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

[[noreturn]] void refuse(std::string_view flag, std::string_view reason, std::string_view hint) {
    throw fail(ErrorCode::Unsupported, "{}: {}", flag, reason).hint(std::string(hint));
}

// "type=sbom,disabled=true", "false".
bool is_switched_off(const std::string& text, std::string_view flag) {
    if (text == "false" || text == "0") return true;
    if (text.find('=') == std::string::npos) return false;
    for (const auto& [key, value] : parse_key_value_csv(text, flag)) {
        if (key == "disabled" && (value == "true" || value == "1")) return true;
    }
    return false;
}

void refuse_attestation(const std::string& text, const std::string& flag) {
    if (text.empty() || is_switched_off(text, flag)) return;
    refuse(flag + "=" + text, "attestations are not made yet", "leave it out, or say " + flag + "=false");
}

}  // namespace

void refuse_unsupported_flags(const BuildFlags& flags) {
    for (const std::string& text : flags.attestations) {
        if (is_switched_off(text, "--attest")) continue;
        refuse("--attest " + text, "attestations are not made yet", "leave it out");
    }
    refuse_attestation(flags.provenance, "--provenance");
    refuse_attestation(flags.sbom, "--sbom");
    constexpr const char* cache = "the local cache is always used, and several builds may share one --state";
    if (!flags.cache_from.empty()) refuse("--cache-from", "remote caches are not built yet", cache);
    if (!flags.cache_to.empty()) refuse("--cache-to", "remote caches are not built yet", cache);
}

}  // namespace mullion::cli
