#include "hcs/guest/cmd/attributes.hpp"

#include <algorithm>

namespace mullion::cmd {

std::optional<WantedAttributes> parse_attributes(View text) {
    WantedAttributes wanted{0, 0};
    if (text.starts_with(L":")) text.remove_prefix(1);
    bool negated = false;
    for (wchar_t c : text) {
        static constexpr std::pair<wchar_t, DWORD> kBits[] = {{L'D', FILE_ATTRIBUTE_DIRECTORY},
                                                              {L'R', FILE_ATTRIBUTE_READONLY},
                                                              {L'H', FILE_ATTRIBUTE_HIDDEN},
                                                              {L'S', FILE_ATTRIBUTE_SYSTEM},
                                                              {L'A', FILE_ATTRIBUTE_ARCHIVE},
                                                              {L'L', FILE_ATTRIBUTE_REPARSE_POINT},
                                                              {L'I', FILE_ATTRIBUTE_NOT_CONTENT_INDEXED},
                                                              {L'O', FILE_ATTRIBUTE_OFFLINE}};
        if (c == L'-') {
            negated = true;
            continue;
        }
        auto bit = std::find_if(std::begin(kBits), std::end(kBits),
                                [&](const auto& each) { return each.first == upper(c); });
        if (bit == std::end(kBits)) return std::nullopt;
        (negated ? wanted.clear : wanted.set) |= bit->second;
        negated = false;
    }
    return wanted;
}

}  // namespace mullion::cmd
