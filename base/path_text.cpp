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

std::size_t drive_size([[maybe_unused]] std::string_view text) {
#ifdef _WIN32
    bool letter = !text.empty() && ((text[0] >= 'A' && text[0] <= 'Z') || (text[0] >= 'a' && text[0] <= 'z'));
    if (letter && text.size() > 2 && text[1] == ':' && (text[2] == '\\' || text[2] == '/')) return 2;
#endif
    return 0;
}

}  // namespace mullion::base
