#include "bench/ratio.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace mullion::bench {
namespace {

double best_round(benchmark::State& state, const std::function<void()>& body,
                  const std::function<void()>& prepare) {
    double best = std::numeric_limits<double>::max();
    for (auto _ : state) {
        if (prepare) prepare();
        auto begin = std::chrono::steady_clock::now();
        body();
        double taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        state.SetIterationTime(taken);
        best = std::min(best, taken);
    }
    return best;
}

}  // namespace

void Baseline::measure(benchmark::State& state, const std::function<void()>& body,
                       const std::function<void()>& prepare) {
    seconds_ = best_round(state, body, prepare);
}

void Baseline::compare(benchmark::State& state, const std::string& name, const std::function<void()>& body,
                       const std::function<void()>& prepare) const {
    double own = best_round(state, body, prepare);
    if (seconds_ > 0) state.counters["times_" + name] = seconds_ / own;
}

}  // namespace mullion::bench
