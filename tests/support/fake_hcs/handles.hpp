// Handles of a double: numbers that stand for objects, so that a closed or made-up handle is found out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace mullion::fake {

template <typename Handle, typename Object>
class Handles {
  public:
    Handle add(std::shared_ptr<Object> object) {
        std::lock_guard lock(mutex_);
        auto handle = reinterpret_cast<Handle>(last_ += 4);
        objects_.emplace(handle, std::move(object));
        return handle;
    }
    // Null for what is no open handle.
    std::shared_ptr<Object> get(Handle handle) const {
        std::lock_guard lock(mutex_);
        auto found = objects_.find(handle);
        return found == objects_.end() ? nullptr : found->second;
    }
    std::shared_ptr<Object> remove(Handle handle) {
        std::lock_guard lock(mutex_);
        auto found = objects_.extract(handle);
        return found.empty() ? nullptr : std::move(found.mapped());
    }
    std::size_t size() const {
        std::lock_guard lock(mutex_);
        return objects_.size();
    }

  private:
    mutable std::mutex mutex_;
    std::uintptr_t last_ = 0x1000;
    std::map<Handle, std::shared_ptr<Object>> objects_;
};

}  // namespace mullion::fake
