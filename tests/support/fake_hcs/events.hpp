// Callbacks of a handle: called on foreign threads, never after the handle was closed.
#pragma once

#include <windows.h>
// Needs the declarations above.
#include <computecore.h>

#include <mutex>
#include <string>

namespace mullion::fake {

class EventTarget {
  public:
    void set(void* context, HCS_EVENT_CALLBACK callback) {
        std::lock_guard lock(mutex_);
        context_ = context;
        callback_ = callback;
    }
    // Waits for a callback that runs.
    void clear() { set(nullptr, nullptr); }
    // The data is gone when this returns.
    void deliver(HCS_EVENT_TYPE type, const std::wstring& data) {
        std::lock_guard lock(mutex_);
        if (callback_ == nullptr) return;
        HCS_EVENT event{type, data.empty() ? nullptr : data.c_str(), nullptr};
        callback_(&event, context_);
    }

  private:
    std::recursive_mutex mutex_;  // a callback may close its own handle
    void* context_ = nullptr;
    HCS_EVENT_CALLBACK callback_ = nullptr;
};

}  // namespace mullion::fake
