// Debug information out of PE files: Wine's programs and libraries are four fifths DWARF.
#pragma once

#include <string>

namespace mullion::hcs {

// `image` without its trailing .debug sections and symbol table; unchanged if it is no PE file or is laid out
// in another way than GNU ld does.
std::string strip_debug_sections(std::string image);

}  // namespace mullion::hcs
