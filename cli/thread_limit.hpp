// $MULLION_THREADS: how many threads CPU work may use.
#pragma once

#include <memory>

namespace mullion::cli {

// Holds the limit while it lives.
class ThreadLimit {
  public:
    // From the environment; no limit if it is not set. Throws Invalid.
    ThreadLimit();
    ~ThreadLimit();

  private:
    struct Control;
    std::unique_ptr<Control> control_;
};

}  // namespace mullion::cli
