// Debug information out of PE files: Wine's programs and libraries are four fifths DWARF.
#pragma once

#include <string>
#include <string_view>

namespace mullion::hcs {

// `image` (which may be mapped: what is dropped is hardly looked at) without its trailing .debug sections and
// symbol table; unchanged if it is no PE file or is laid out
// in another way than GNU ld does.
std::string strip_debug_sections(std::string_view image);

}  // namespace mullion::hcs
