// The program's standard input as a Source.
//
// A read waits for whoever types or writes; interrupt() ends the wait, so that a command does not outlive its
// work because nobody closes the other end.
#pragma once

#include <memory>

#include "base/stream.hpp"

namespace mullion::cli {

class StandardInput final : public base::Source {
  public:
    // Reads a copy of `descriptor`, from where it stands. Throws Io.
    explicit StandardInput(int descriptor);
    ~StandardInput() override;

    // 0 at the end, and after interrupt(). Throws Io.
    std::size_t read(char* buffer, std::size_t size) override;
    // From any thread: a read that waits, and every later one, returns 0.
    void interrupt();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mullion::cli
