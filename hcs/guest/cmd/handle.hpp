// A handle of Windows, closed when it goes.
#pragma once

#include <windows.h>

#include <utility>

namespace mullion::cmd {

class Handle {
  public:
    // CreateFile's mark of failure is no handle either.
    explicit Handle(HANDLE handle = nullptr) : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}
    Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Handle() { close(); }
    explicit operator bool() const { return handle_ != nullptr; }
    HANDLE get() const { return handle_; }
    void close() {
        if (handle_) CloseHandle(std::exchange(handle_, nullptr));
    }

  private:
    HANDLE handle_;
};

}  // namespace mullion::cmd
