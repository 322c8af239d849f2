#include "cli/image_names.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "oci/reference.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

bool looks_like_digest(std::string_view text) {
    return text.size() >= 4 && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::optional<cache::NamedImage> find_by_digest(cache::State& state, std::string_view text) {
    if (text.substr(0, 7) == "sha256:") text.remove_prefix(7);
    if (!looks_like_digest(text)) return {};
    std::optional<cache::NamedImage> found;
    for (const cache::NamedImage& image : state.images().list()) {
        if (image.target.digest.hex().substr(0, text.size()) != text) continue;
        if (found && found->target.digest != image.target.digest) {
            throw fail(ErrorCode::Invalid, "image ID {} is ambiguous", text);
        }
        found = image;
    }
    return found;
}

}  // namespace

std::string full_name(const std::string& text) {
    return oci::Reference::parse(text).with_default_tag().string();
}

std::string short_name(const std::string& full) {
    return oci::Reference::parse(full).familiar();
}

cache::NamedImage find_image(cache::State& state, const std::string& text) {
    if (text.substr(0, 7) != "sha256:") {
        // 64 hex digits are no valid name, so an ID never hides one.
        if (!(text.size() == 64 && looks_like_digest(text))) {
            if (auto image = state.images().find(full_name(text))) return *image;
        }
    }
    if (auto image = find_by_digest(state, text)) return *image;
    throw fail(ErrorCode::NotFound, "no image \"{}\" in the local store", text)
        .hint("\"mullion images\" lists them");
}

}  // namespace mullion::cli
