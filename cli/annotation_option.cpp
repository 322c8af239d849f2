#include "cli/annotation_option.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "cli/key_values.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::array<std::string_view, 4> kTypes = {"index", "index-descriptor", "manifest",
                                                    "manifest-descriptor"};

// "manifest[linux/amd64]" -> "annotation-manifest[linux/amd64]".
std::string attribute_of(const std::string& type, const std::string& option) {
    std::size_t bracket = std::min(type.find('['), type.size());
    std::string name = type.substr(0, bracket);
    bool closed = bracket == type.size() || (type.ends_with(']') && type.size() - bracket > 2);
    if (std::find(kTypes.begin(), kTypes.end(), name) == kTypes.end() || !closed) {
        throw fail(ErrorCode::Invalid, "invalid --annotation {}: unknown annotation type \"{}\"", option,
                   type)
            .hint(
                "expected index, index-descriptor, manifest or manifest-descriptor, then [PLATFORM] if it is "
                "for one; a key with a colon needs its type in front: manifest:KEY=VALUE");
    }
    return "annotation-" + type;
}

void add_option(const std::string& option, worker::Attributes& attributes) {
    std::size_t equals = option.find('=');
    std::size_t colon = option.find(':');
    if (equals == std::string::npos) {
        throw fail(ErrorCode::Invalid, "invalid --annotation \"{}\": expected key=value", option);
    }
    bool has_types = colon < equals;
    std::string types = has_types ? option.substr(0, colon) : "manifest";
    std::string key = has_types ? option.substr(colon + 1, equals - colon - 1) : option.substr(0, equals);
    if (key.empty()) throw fail(ErrorCode::Invalid, "invalid --annotation \"{}\": no key", option);
    for (const std::string& type : split_commas(types)) {
        attributes.emplace_back(attribute_of(type, option) + "." + key, option.substr(equals + 1));
    }
}

}  // namespace

worker::Attributes annotation_attributes(const std::vector<std::string>& options) {
    worker::Attributes attributes;
    for (const std::string& option : options) add_option(option, attributes);
    return attributes;
}

}  // namespace mullion::cli
