#include "base/path_text.hpp"

#include "base/error.hpp"

namespace mullion::base {

std::filesystem::path to_path(std::string_view text) {
    try {
        return std::u8string_view(reinterpret_cast<const char8_t*>(text.data()), text.size());
    } catch (const std::system_error&) {
        throw fail(ErrorCode::Invalid, "\"{}\" is not UTF-8", text.substr(0, 200));
    }
}

}  // namespace mullion::base
