#include <algorithm>

#include "base/error.hpp"
#include "oci/offer.hpp"

namespace mullion::oci {
namespace {

constexpr std::size_t kMaxListed = 20;

// Higher is better; equal keeps the order of the index.
struct Rank {
    bool has_platform = false;
    bool exact = false;
    OsVersion version;
    auto operator<=>(const Rank&) const = default;
};

std::optional<Rank> rank(const Descriptor& entry, const Platform& wanted) {
    if (is_attestation(entry)) return {};
    if (!entry.platform) return Rank{};
    if (!satisfies(*entry.platform, wanted)) return {};
    Rank result{.has_platform = true};
    if (wanted.os_version.empty()) {
        result.version = OsVersion::parse(entry.platform->os_version).value_or(OsVersion{});
    } else {
        result.exact = entry.platform->os_version == wanted.os_version;
    }
    return result;
}

}  // namespace

std::string offered_platforms(const Index& index) {
    std::vector<std::string> names;
    for (const Descriptor& entry : index.manifests) {
        if (is_attestation(entry)) continue;
        std::string name = entry.platform ? entry.platform->string() : "(no platform)";
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    }
    if (names.empty()) return "nothing";
    std::size_t more = names.size() > kMaxListed ? names.size() - kMaxListed : 0;
    names.resize(names.size() - more);
    std::string text = fmt::format("{}", fmt::join(names, ", "));
    return more > 0 ? fmt::format("{} and {} more", text, more) : text;
}

bool is_attestation(const Descriptor& entry) {
    auto type = entry.annotations.find("vnd.docker.reference.type");
    return (type != entry.annotations.end() && type->second == "attestation-manifest") ||
           (entry.platform && entry.platform->os == "unknown" && entry.platform->architecture == "unknown");
}

const Descriptor& select(const Index& index, const Platform& wanted) {
    const Descriptor* best = nullptr;
    Rank best_rank;
    for (const Descriptor& entry : index.manifests) {
        std::optional<Rank> candidate = rank(entry, wanted);
        if (!candidate || (best != nullptr && *candidate <= best_rank)) continue;
        best = &entry;
        best_rank = *candidate;
    }
    if (best != nullptr) return *best;
    throw base::fail(base::ErrorCode::NotFound, "no match for platform {}; the image offers {}",
                     wanted.string(), offered_platforms(index));
}

}  // namespace mullion::oci
