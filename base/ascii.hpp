// Letters of ASCII, whatever the locale says: names of protocols and options ignore their case, and no other
// letter's.
#pragma once

#include <string>
#include <string_view>

namespace mullion::base {

inline std::string lower_ascii(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

}  // namespace mullion::base
