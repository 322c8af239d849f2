#include "base/utf8_locale.hpp"

namespace mullion::base {

// The C library has no such locale. Whoever needs it asks the library for UTF-16 instead.
Utf8Locale::Utf8Locale() : before_(nullptr) {}

Utf8Locale::~Utf8Locale() = default;

}  // namespace mullion::base
