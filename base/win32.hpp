// What every Windows file of ours needs: text and paths for wide calls, errors, owners of handles. Windows
// only; names no type of windows.h.
#pragma once

#include <filesystem>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace mullion::base {

// UTF-8 to UTF-16; throws Invalid if `text` is not UTF-8.
std::wstring to_wide(std::string_view text);
// UTF-16 to UTF-8. Unpaired surrogates, which file names may have, become U+FFFD.
std::string from_wide(std::wstring_view text);

// `path` for a wide call: absolute and with \\?\ before it where it might be longer than MAX_PATH allows,
// whatever the machine's LongPathsEnabled says.
std::wstring native_path(const std::filesystem::path& path);

// `path` with \\?\ whatever its length: what comes after it is taken as it is, "CON" and "a." included.
std::wstring verbatim_path(const std::filesystem::path& path);

// An Error for a failed call: the code chosen from GetLastError's value, text "WHAT: system's message".
[[nodiscard]] Error windows_error(unsigned long code, std::string what,
                                  std::source_location where = std::source_location::current());
// Of the call that has just failed on this thread.
[[nodiscard]] Error last_error(std::string what,
                               std::source_location where = std::source_location::current());

// A kernel handle, closed on destruction. Both null and INVALID_HANDLE_VALUE are "none".
class UniqueHandle {
  public:
    UniqueHandle() = default;
    explicit UniqueHandle(void* handle);
    UniqueHandle(UniqueHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    UniqueHandle& operator=(UniqueHandle&& other) noexcept {
        if (this != &other) {
            reset();
            handle_ = std::exchange(other.handle_, nullptr);
        }
        return *this;
    }
    ~UniqueHandle() { reset(); }

    void* get() const { return handle_; }
    explicit operator bool() const { return handle_ != nullptr; }
    void* release() { return std::exchange(handle_, nullptr); }
    void reset();

  private:
    void* handle_ = nullptr;
};

}  // namespace mullion::base
