// How bodies report back to the thread that owns the graph.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace mullion::solver {

struct Node;

struct Completion {
    Node* node = nullptr;  // null: look at the cancel token
    std::optional<base::Error> error;
    std::function<void()> apply;  // installs the outcome; run by the owner
};

// The exception being handled, as a value: exception objects do not travel between threads.
base::Error current_error();

// Shared by the owner and the bodies, so that a body that is still leaving push() keeps it alive.
class CompletionQueue {
  public:
    void push(Completion completion);
    // Everything that has arrived; waits for at least one.
    std::vector<Completion> wait();

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Completion> completions_;
};

}  // namespace mullion::solver
