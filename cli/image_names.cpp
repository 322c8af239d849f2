#include "cli/image_names.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "oci/image.hpp"
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

// What of `named` has an ID that begins with `digits`: the whole, or one of its platforms' images.
std::optional<oci::Descriptor> match(cache::State& state, const cache::NamedImage& named,
                                     std::string_view digits) {
    auto begins = [&](const base::Digest& digest) { return digest.hex().substr(0, digits.size()) == digits; };
    if (begins(named.target.digest)) return named.target;
    for (const oci::Image& image : oci::load_images(state.content(), named.target, {})) {
        if (begins(image.descriptor.digest) || begins(image.manifest.config.digest)) return image.descriptor;
    }
    return {};
}

std::vector<cache::NamedImage> find_by_digest(cache::State& state, std::string_view text) {
    if (text.substr(0, 7) == "sha256:") text.remove_prefix(7);
    if (!looks_like_digest(text)) return {};
    std::vector<cache::NamedImage> found;
    for (const cache::NamedImage& named : state.images().list()) {
        auto target = match(state, named, text);
        if (!target) continue;
        if (!found.empty() && found.front().target.digest != target->digest) {
            throw fail(ErrorCode::Invalid, "image ID {} is ambiguous", text);
        }
        found.push_back({named.name, *target});
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

bool has_image(cache::State& state, const std::string& text) {
    try {
        find_images(state, text);
        return true;
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::NotFound) throw;
        return false;
    }
}

std::vector<cache::NamedImage> find_images(cache::State& state, const std::string& text) {
    if (text.substr(0, 7) != "sha256:") {
        // 64 hex digits are no valid name, so an ID never hides one.
        if (!(text.size() == 64 && looks_like_digest(text))) {
            if (auto image = state.images().find(full_name(text))) return {*image};
        }
    }
    if (auto images = find_by_digest(state, text); !images.empty()) return images;
    throw fail(ErrorCode::NotFound, "no image \"{}\" in the local store", text)
        .hint("\"mullion images\" lists them");
}

cache::NamedImage find_image(cache::State& state, const std::string& text) {
    return find_images(state, text).front();
}

}  // namespace mullion::cli
