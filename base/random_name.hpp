// Names for temporary files.
#pragma once

#include <string>

namespace mullion::base {

// 16 hexadecimal digits. Random, because process numbers repeat between the containers that may share a
// directory.
std::string random_name();

}  // namespace mullion::base
