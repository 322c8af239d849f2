#include <locale.h>

#include "base/utf8_locale.hpp"

namespace mullion::base {

Utf8Locale::Utf8Locale() {
    static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    before_ = ::uselocale(utf8);  // null, where there is no such locale, changes nothing
}

Utf8Locale::~Utf8Locale() {
    ::uselocale(static_cast<locale_t>(before_));
}

}  // namespace mullion::base
