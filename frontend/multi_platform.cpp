#include "frontend/multi_platform.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "base/error.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kMultiPlatformArgument = "BUILDKIT_MULTI_PLATFORM";

std::optional<bool> parse_boolean(std::string_view text) {
    constexpr std::array<std::string_view, 6> yes{"1", "t", "T", "TRUE", "true", "True"};
    constexpr std::array<std::string_view, 6> no{"0", "f", "F", "FALSE", "false", "False"};
    if (std::find(yes.begin(), yes.end(), text) != yes.end()) return true;
    if (std::find(no.begin(), no.end(), text) != no.end()) return false;
    return std::nullopt;
}

// Asks for each image once, however often a build is converted.
class Remembering final : public ImageResolver {
  public:
    explicit Remembering(ImageResolver& next) : next_(next) {}

    ResolvedImage resolve_image(const oci::Reference& reference, const oci::Platform& platform,
                                const base::CancelToken& cancel) override {
        return remembered("image " + reference.string(), platform,
                          [&] { return next_.resolve_image(reference, platform, cancel); });
    }
    ResolvedImage resolve_layout(std::string_view layout, const oci::Platform& platform,
                                 const base::CancelToken& cancel) override {
        return remembered("layout " + std::string(layout), platform,
                          [&] { return next_.resolve_layout(layout, platform, cancel); });
    }
    std::optional<std::string> machine_path(const ResolvedImage& image,
                                            const base::CancelToken& cancel) override {
        return next_.machine_path(image, cancel);
    }

  private:
    template <typename Ask>
    ResolvedImage remembered(const std::string& name, const oci::Platform& platform, Ask&& ask) {
        const auto key = name + " " + platform.string();
        const auto known = images_.find(key);
        if (known != images_.end()) return known->second;
        return images_.emplace(key, ask()).first->second;
    }

    ImageResolver& next_;
    std::map<std::string, ResolvedImage> images_;
};

bool differ_by_version_only(const oci::Platform& a, const oci::Platform& b) {
    return a.os == b.os && a.architecture == b.architecture && a.variant == b.variant;
}

bool has_siblings(const std::vector<oci::Platform>& platforms, const oci::Platform& platform) {
    return std::count_if(platforms.begin(), platforms.end(), [&](const oci::Platform& other) {
               return differ_by_version_only(platform, other);
           }) > 1;
}

std::vector<Conversion> convert_each(std::string_view text, Options options,
                                     const std::vector<oci::Platform>& platforms, ImageResolver& resolver,
                                     const base::CancelToken& cancel, Findings& findings) {
    std::vector<Conversion> out;
    for (const auto& platform : platforms) {
        options.platform = platform;
        options.uniform_parents = has_siblings(platforms, platform);
        Findings of_others;
        const bool first = out.empty();
        out.push_back(convert(text, options, resolver, cancel, first ? findings : of_others));
        if (!first) out.back().warnings.clear();
    }
    return out;
}

// "windows/amd64" and "windows(10.0.20348)/amd64" may mean the same image of a base.
void refuse_equal_platforms(const std::vector<oci::Platform>& wanted, const std::vector<Conversion>& made) {
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < made.size(); ++i) {
        const auto platform = made[i].config.platform.string();
        const auto [first, is_new] = seen.emplace(platform, i);
        if (!is_new)
            throw fail(ErrorCode::Invalid, "the platforms {} and {} both come out as {}",
                       wanted[first->second].string(), wanted[i].string(), platform)
                .hint("name each platform once; a version is written windows(10.0.20348.2700)/amd64");
    }
}

}  // namespace

bool makes_index(const KeyValues& build_args, const std::optional<std::string>& attribute,
                 std::size_t platforms) {
    auto text = attribute;
    for (const auto& [name, value] : build_args)
        if (name == kMultiPlatformArgument && !value.empty()) text = value;
    if (!text || text->empty()) return platforms > 1;
    const auto wanted = parse_boolean(*text);
    if (!wanted) throw fail(ErrorCode::Invalid, "invalid boolean value for multi-platform: {}", *text);
    if (!*wanted && platforms > 1)
        throw fail(ErrorCode::Invalid, "{} platforms cannot be built with multi-platform=false", platforms)
            .hint("leave multi-platform out, or name one --platform");
    return *wanted;
}

std::vector<Conversion> convert_platforms(std::string_view text, const Options& options,
                                          const std::vector<oci::Platform>& platforms,
                                          ImageResolver& resolver, const base::CancelToken& cancel,
                                          Findings& findings) {
    std::vector<Conversion> out;
    if (platforms.empty()) {
        out.push_back(convert(text, options, resolver, cancel, findings));
        return out;
    }
    Remembering remembering(resolver);
    out = convert_each(text, options, platforms, remembering, cancel, findings);
    refuse_equal_platforms(platforms, out);
    const auto by_time = [](const Conversion& a, const Conversion& b) { return a.file_time < b.file_time; };
    const auto [first, last] = std::minmax_element(out.begin(), out.end(), by_time);
    if (first->file_time == last->file_time) return out;
    // The bases were made at different times, which only became known by looking at them.
    auto unified = options;
    unified.file_time = last->file_time;
    findings = {};
    return convert_each(text, unified, platforms, remembering, cancel, findings);
}

}  // namespace mullion::frontend
