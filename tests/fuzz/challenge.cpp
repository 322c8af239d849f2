// The value of a WWW-Authenticate header. What was read has schemes and names in lower case.
#include <algorithm>
#include <cstdlib>

#include "oci/registry_auth.hpp"
#include "tests/fuzz/target.hpp"

namespace mullion::test {
namespace {

void require_lower(std::string_view text) {
    if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) std::abort();
}

}  // namespace

void fuzz(std::string_view input) {
    for (const oci::AuthChallenge& challenge : oci::parse_challenges(input)) {
        if (challenge.scheme.empty()) std::abort();
        require_lower(challenge.scheme);
        for (const auto& [name, value] : challenge.parameters) require_lower(name);
    }
}

}  // namespace mullion::test
