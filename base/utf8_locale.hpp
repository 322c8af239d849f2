// Libraries that ask the C library for "the" character set (libarchive) get UTF-8 from it, whatever the
// user's locale says: what we make of a file must not depend on that.
#pragma once

namespace mullion::base {

// For the calling thread, while it lives. Nests.
class Utf8Locale {
  public:
    Utf8Locale();
    ~Utf8Locale();
    Utf8Locale(const Utf8Locale&) = delete;
    Utf8Locale& operator=(const Utf8Locale&) = delete;

  private:
    void* before_;
};

}  // namespace mullion::base
