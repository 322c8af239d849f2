#include "frontend/suggest.hpp"

#include <algorithm>

#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

constexpr std::size_t kMaxDistance = 2;
constexpr std::size_t kLongestCharacter = 4;  // in UTF-8
constexpr std::size_t kMaxLength = 64;        // longer words are no misspellings of our names

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& options) {
    if (word.empty() || word.size() > kMaxLength) return {};
    const auto wanted = lower(word);
    std::size_t best = kMaxDistance + 1;
    std::string_view choice;
    for (const auto option : options) {
        if (option.size() > wanted.size() + kMaxDistance * kLongestCharacter) continue;
        const auto distance = edit_distance(wanted, lower(option));
        if (distance < best && distance < option.size()) {
            best = distance;
            choice = option;
        }
    }
    return choice.empty() ? "" : " (did you mean " + std::string(choice) + "?)";
}

}  // namespace mullion::frontend
