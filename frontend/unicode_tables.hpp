// The parts of the Unicode character database (15.0) that the language rests on, as sorted ranges. Only
// unicode.cpp reads them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mullion::frontend {

// Letter: general category L*. Digit: Nd. Print: what else prints visibly, N*, M*, P*, S*.
enum class CharacterClass : std::uint8_t { Other, Letter, Digit, Print };

}  // namespace mullion::frontend

namespace mullion::frontend::tables {

struct ClassRange {
    char32_t first;
    char32_t last;
    CharacterClass kind;
};
extern const ClassRange kClasses[];
extern const std::size_t kClassCount;

// Every `stride`-th code point from `first` to `last` has its lower-case form `delta` further.
struct LowerRange {
    char32_t first;
    char32_t last;
    std::uint8_t stride;
    std::int32_t delta;
};
extern const LowerRange kLower[];
extern const std::size_t kLowerCount;

}  // namespace mullion::frontend::tables
