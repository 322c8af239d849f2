// Comparing a benchmark with a naive baseline measured in the same run.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>

namespace mullion::bench {

// Remembers what the baseline took. The baseline is registered first, so it has run when others compare.
class Baseline {
  public:
    // Runs `body` as the benchmark's loop and remembers the best round. `prepare`, if given, runs before each
    // round, untimed.
    void measure(benchmark::State& state, const std::function<void()>& body,
                 const std::function<void()>& prepare = {});
    // Runs `body` as the benchmark's loop and adds the counter "times_<name>": how many times faster its best
    // round was than the baseline's. `prepare` as above.
    void compare(benchmark::State& state, const std::string& name, const std::function<void()>& body,
                 const std::function<void()>& prepare = {}) const;

  private:
    double seconds_ = 0;
};

}  // namespace mullion::bench
