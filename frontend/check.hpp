// Looking at a Dockerfile without building it (dockerfile.md §16): warnings and the first error.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "frontend/convert.hpp"

namespace mullion::frontend {

// Every image exists, is for the platform that is asked for and has an empty configuration; of Windows there
// is the PATH that base images have. For looking at Dockerfiles where no image can be had.
class AssumedImages final : public ImageResolver {
  public:
    ResolvedImage resolve_image(const oci::Reference& reference, const oci::Platform& platform,
                                const base::CancelToken& cancel) override;
    ResolvedImage resolve_layout(std::string_view layout, const oci::Platform& platform,
                                 const base::CancelToken& cancel) override;
    std::optional<std::string> machine_path(const ResolvedImage& image,
                                            const base::CancelToken& cancel) override;
};

struct CheckResult {
    std::vector<Warning> warnings;  // sorted by line
    std::optional<base::Error> error;
    Outline outline;  // only if there is no error
};

// All stages, or what `options.target` needs if it is given. Throws only Canceled.
CheckResult check(std::string_view text, Options options, ImageResolver& resolver,
                  const base::CancelToken& cancel);

}  // namespace mullion::frontend
