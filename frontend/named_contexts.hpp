// --build-context NAME=SPEC: what replaces stages, base images and --from (dockerfile.md §7).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "frontend/convert.hpp"
#include "oci/platform.hpp"

namespace mullion::frontend {

struct NamedContext {
    enum class Kind { Image, Layout, Local, Git, Http };
    Kind kind;
    std::string value;  // the specification behind its scheme; of Git and Http all of it
};

class NamedContexts {
  public:
    // Throws Invalid for a name that cannot be an image name, Unsupported for schemes we do not have.
    explicit NamedContexts(const KeyValues& given);

    // NAME::PLATFORM before NAME; "scratch" and "context" are never replaced.
    std::optional<NamedContext> find(std::string_view name, const oci::Platform& platform) const;

  private:
    std::map<std::string, NamedContext, std::less<>> contexts_;
};

}  // namespace mullion::frontend
