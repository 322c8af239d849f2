#include "oci/os_match.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "oci/offer.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::fail;

constexpr int kMaxDepth = 4;

// Long-term servicing releases since process isolation spans builds.
constexpr std::array<std::uint32_t, 2> kLongTermBuilds = {20348, 26100};

std::string build_of(const OsVersion& version) {
    return fmt::format("{}.{}.{}", version.major, version.minor, version.build);
}

// The release before the newest that is not newer than the host.
std::uint32_t floor_for(std::uint32_t host) {
    auto newer = std::upper_bound(kLongTermBuilds.begin(), kLongTermBuilds.end(), host);
    auto index = newer - kLongTermBuilds.begin();
    return kLongTermBuilds[static_cast<std::size_t>(index > 1 ? index - 2 : 0)];
}

bool same_version(const std::string& offered, const Platform& wanted, const OsRule& rule) {
    if (!wanted.os_version.empty()) return offered == wanted.os_version;
    return !rule.host || OsVersion::parse(offered) == rule.host;
}

// An image that names no version runs anywhere, as far as anybody can tell.
bool allowed(const std::string& offered, const Platform& wanted, const OsRule& rule) {
    if (!wanted.is_windows() || offered.empty()) return true;
    if (rule.match == OsMatch::Exact) return same_version(offered, wanted, rule);
    if (rule.match == OsMatch::Base || !rule.host) return true;
    auto version = OsVersion::parse(offered);
    if (!version) return false;
    return rule.match == OsMatch::Auto ? can_run_on(*version, *rule.host) : runs_on(*version, *rule.host);
}

base::Error no_match(const Platform& wanted, const OsRule& rule, const std::string& offer) {
    std::string demand;
    if (wanted.is_windows() && rule.match == OsMatch::Host && rule.host) {
        demand = fmt::format(" that runs on Windows {}", build_of(*rule.host));
    } else if (wanted.is_windows() && rule.match == OsMatch::Exact) {
        demand = " of exactly that version";
        if (wanted.os_version.empty() && rule.host) demand = " of exactly the host's version";
    }
    base::Error error = fail(ErrorCode::NotFound, "no match for platform {}{}; the image offers {}",
                             wanted.string(), demand, offer);
    if (!demand.empty()) {
        error.hint(
            "name another tag of the image, ask for a version it has (--platform "
            "\"windows(VERSION)/amd64\"), or say --os-match=auto and run it with --isolation=hyperv, "
            "which runs builds up to the host's own");
    } else {
        error.hint("name another tag, or ask for a platform it has with --platform");
    }
    return error;
}

std::string reason_of(const Descriptor& entry, std::size_t candidates, const Platform& wanted,
                      const OsRule& rule) {
    if (!entry.platform) return "the only one without a platform";
    if (!wanted.is_windows()) return "the platform asked for";
    if (candidates == 1) return "the only one that fits";
    if (!wanted.os_version.empty()) {
        return entry.platform->os_version == wanted.os_version ? "the version asked for"
                                                               : "of the build asked for";
    }
    if (rule.match == OsMatch::Host && rule.host) {
        return fmt::format("the highest of {} that run on Windows {}", candidates, build_of(*rule.host));
    }
    if (rule.match == OsMatch::Auto && rule.host) {
        return fmt::format("the highest of {} that are not newer than Windows {}", candidates,
                           build_of(*rule.host));
    }
    return fmt::format("the highest of {} versions offered", candidates);
}

}  // namespace

bool runs_on(const OsVersion& image, const OsVersion& host) {
    if (image.major != host.major || image.minor != host.minor) return false;
    if (host.build < kLongTermBuilds.front()) return image.build == host.build;
    return image.build >= floor_for(host.build) && image.build <= host.build;
}

bool can_run_on(const OsVersion& image, const OsVersion& host) {
    return image.major == host.major && image.minor == host.minor && image.build <= host.build;
}

OsChoice choose(const Index& index, const Platform& wanted, const OsRule& rule) {
    Index fitting;
    std::vector<const Descriptor*> entries;
    for (const Descriptor& entry : index.manifests) {
        if (is_attestation(entry)) continue;
        if (entry.platform &&
            (!satisfies(*entry.platform, wanted) || !allowed(entry.platform->os_version, wanted, rule))) {
            continue;
        }
        fitting.manifests.push_back(entry);
        entries.push_back(&entry);
    }
    if (entries.empty()) {
        // Files can be put on top of an image that cannot run here.
        if (rule.match == OsMatch::Auto) return choose(index, wanted, {OsMatch::Base, rule.host});
        throw no_match(wanted, rule, offered_platforms(index));
    }
    const Descriptor& best = select(fitting, wanted);
    const Descriptor* chosen = entries[static_cast<std::size_t>(&best - fitting.manifests.data())];
    return {chosen, reason_of(*chosen, entries.size(), wanted, rule)};
}

ChosenImage load_chosen_image(BlobSource& source, const Descriptor& root, const Platform& wanted,
                              const OsRule& rule, const base::CancelToken& cancel) {
    Descriptor at = root;
    std::string reason = "the only one there is";
    std::string offer;
    for (int depth = 0; media_type::is_index(at.media_type); ++depth) {
        if (depth == kMaxDepth) throw fail(ErrorCode::Invalid, "indexes nested deeper than {}", kMaxDepth);
        Index index = Index::parse(read_blob(source, at, Index::kMaxSize, cancel));
        OsChoice choice = choose(index, wanted, rule);
        offer = offered_platforms(index);
        reason = choice.reason;
        at = Descriptor(*choice.entry);
    }
    Image image = load_image(source, at, wanted, cancel);
    const Platform& found = image.config.platform;
    bool fits = allowed(found.os_version, wanted, rule);
    if (!satisfies(found, wanted) || (!fits && rule.match != OsMatch::Auto)) {
        throw no_match(wanted, rule, offer.empty() ? found.string() : offer);
    }
    std::string choice = found.string() + ": " + reason;
    if (!fits) choice += fmt::format(", which Windows {} cannot run", build_of(*rule.host));
    return {std::move(image), std::move(choice)};
}

}  // namespace mullion::oci
