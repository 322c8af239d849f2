#include "frontend/named_contexts.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "frontend/remote_source.hpp"
#include "frontend/unicode.hpp"
#include "oci/reference.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

// Names compare as image names do, without ":latest".
std::string canonical(std::string_view name) {
    return base::with_context([&] { return fmt::format("invalid context name {}", name); },
                              [&] {
                                  auto text = oci::Reference::parse(name).familiar();
                                  if (text.ends_with(":latest")) text.resize(text.size() - 7);
                                  return text;
                              });
}

std::string key_of(std::string_view name) {
    const auto platform = name.find("::");
    if (platform == std::string_view::npos) return canonical(name);
    return canonical(name.substr(0, platform)) +
           "::" + oci::Platform::parse(name.substr(platform + 2)).string();
}

NamedContext parse_spec(std::string_view name, std::string_view spec) {
    const auto behind = [&](std::string_view scheme) { return std::string(spec.substr(scheme.size())); };
    if (spec.starts_with("docker-image://")) return {NamedContext::Kind::Image, behind("docker-image://")};
    if (spec.starts_with("oci-layout://")) return {NamedContext::Kind::Layout, behind("oci-layout://")};
    if (spec.starts_with("local:")) return {NamedContext::Kind::Local, behind("local:")};
    if (is_git_context(spec)) return {NamedContext::Kind::Git, std::string(spec)};
    if (is_url_source(spec)) return {NamedContext::Kind::Http, std::string(spec)};
    throw fail(ErrorCode::Unsupported,
               "build context {}={}: only directories, docker-image://, oci-layout://, git repositories and "
               "http(s):// are supported",
               name, spec);
}

}  // namespace

NamedContexts::NamedContexts(const KeyValues& given) {
    for (const auto& [name, spec] : given) contexts_[key_of(name)] = parse_spec(name, spec);
}

std::optional<NamedContext> NamedContexts::find(std::string_view name, const oci::Platform& platform) const {
    if (equal_ignoring_case(name, "scratch") || equal_ignoring_case(name, "context") || contexts_.empty())
        return std::nullopt;
    const auto key = canonical(name);
    for (const auto& candidate :
         {key + "::" + platform.string(), key + "::" + platform.string_without_version(), key}) {
        const auto found = contexts_.find(candidate);
        if (found != contexts_.end()) return found->second;
    }
    return std::nullopt;
}

}  // namespace mullion::frontend
