// Choosing one platform's image of what a name stands for.
#pragma once

#include <string>
#include <vector>

#include "oci/blob_source.hpp"
#include "oci/image.hpp"
#include "oci/os_match.hpp"
#include "oci/platform.hpp"

namespace mullion::cli {

// `--platform A,B` and repeated: the platforms in order, each once. Throws Invalid.
std::vector<oci::Platform> parse_platforms(const std::vector<std::string>& options);

// The image below `root` that serves `wanted` under the rule: without an os.version the highest that the rule
// allows, with one an image of that build, the same revision if there is one. Throws NotFound saying what
// there is. `name` is for messages. The choice is told unless the rule is Base.
oci::ChosenImage matching_image(oci::BlobSource& source, const oci::Descriptor& root,
                                const oci::Platform& wanted, const oci::OsRule& rule, const std::string& name,
                                const base::CancelToken& cancel);

// What there is below `root`, if `found` is of another revision than `wanted` names; else empty.
std::string offered_instead(oci::BlobSource& source, const oci::Descriptor& root, const oci::Image& found,
                            const oci::Platform& wanted, const base::CancelToken& cancel);

// matching_image(), but a revision that is named is meant: NotFound for another one.
oci::Image choose_image(oci::BlobSource& source, const oci::Descriptor& root, const oci::Platform& wanted,
                        const oci::OsRule& rule, const std::string& name, const base::CancelToken& cancel);

}  // namespace mullion::cli
