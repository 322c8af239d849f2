#include "cli/platform_choice.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "cli/key_values.hpp"
#include "oci/offer.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

// Matching ignores the revision (hcs.md §5); who names one means it.
bool is_other_revision(const std::string& found, const std::string& wanted) {
    bool names_revision = std::count(wanted.begin(), wanted.end(), '.') == 3;
    return names_revision && !found.empty() && found != wanted;
}

// Of an index what it says itself: not every image of it need be here.
std::string offered(oci::BlobSource& source, const oci::Descriptor& root, const oci::Image& found,
                    const base::CancelToken& cancel) {
    if (!oci::media_type::is_index(root.media_type)) return found.config.platform.string();
    return oci::offered_platforms(
        oci::Index::parse(oci::read_blob(source, root, oci::Index::kMaxSize, cancel)));
}

base::Error no_image(const std::string& name, const oci::Platform& wanted, const std::string& offer) {
    return fail(ErrorCode::NotFound, "{} has no image for {}; it offers {}", name, wanted.string(), offer)
        .hint(
            "ask for a platform it has with --platform, leave the revision or the whole version out, or name "
            "another tag");
}

}  // namespace

std::vector<oci::Platform> parse_platforms(const std::vector<std::string>& options) {
    std::vector<oci::Platform> platforms;
    for (const std::string& option : options) {
        for (const std::string& text : split_commas(option)) {
            oci::Platform platform = oci::Platform::parse(text);
            bool known = std::any_of(platforms.begin(), platforms.end(), [&](const oci::Platform& other) {
                return other.normalized() == platform.normalized();
            });
            if (!known) platforms.push_back(std::move(platform));
        }
    }
    return platforms;
}

oci::ChosenImage matching_image(oci::BlobSource& source, const oci::Descriptor& root,
                                const oci::Platform& wanted, const oci::OsRule& rule, const std::string& name,
                                const base::CancelToken& cancel) {
    if (rule.match != oci::OsMatch::Base) {
        return base::with_context([&] { return name; },
                                  [&] { return oci::load_chosen_image(source, root, wanted, rule, cancel); });
    }
    oci::Image image = base::with_context([&] { return name; },
                                          [&] { return oci::load_image(source, root, wanted, cancel); });
    // An image must be for the wanted platform even where there was no index to choose from.
    if (oci::satisfies(image.config.platform, wanted)) return {std::move(image), {}};
    throw no_image(name, wanted, offered(source, root, image, cancel));
}

std::string offered_instead(oci::BlobSource& source, const oci::Descriptor& root, const oci::Image& found,
                            const oci::Platform& wanted, const base::CancelToken& cancel) {
    bool other = is_other_revision(found.config.platform.os_version, wanted.os_version);
    return other ? offered(source, root, found, cancel) : std::string();
}

oci::Image choose_image(oci::BlobSource& source, const oci::Descriptor& root, const oci::Platform& wanted,
                        const oci::OsRule& rule, const std::string& name, const base::CancelToken& cancel) {
    oci::Image image = matching_image(source, root, wanted, rule, name, cancel).image;
    std::string instead = offered_instead(source, root, image, wanted, cancel);
    if (!instead.empty()) throw no_image(name, wanted, instead);
    return image;
}

}  // namespace mullion::cli
