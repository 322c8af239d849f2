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

oci::Image choose_image(oci::BlobSource& source, const oci::Descriptor& root, const oci::Platform& wanted,
                        const std::string& name, const base::CancelToken& cancel) {
    oci::Image image = base::with_context([&] { return name; },
                                          [&] { return oci::load_image(source, root, wanted, cancel); });
    const oci::Platform& found = image.config.platform;
    if (oci::satisfies(found, wanted) && !is_other_revision(found.os_version, wanted.os_version)) {
        return image;
    }
    throw fail(ErrorCode::NotFound, "{} has no image for {}; it offers {}", name, wanted.string(),
               offered(source, root, image, cancel))
        .hint(
            "ask for a platform it has with --platform, leave the revision or the whole version out, or name "
            "another tag");
}

}  // namespace mullion::cli
