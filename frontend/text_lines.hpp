// A text as lines.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace mullion::frontend {

// Without their ends (LF, any run of CR before it). A last line without an end counts, an empty one does not.
inline std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        while (line.ends_with('\r')) line.remove_suffix(1);
        out.push_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

}  // namespace mullion::frontend
