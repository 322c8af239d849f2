// A context of 20 000 files as a Tree, against a plain recursive walk that asks for the same of every file.
#include <benchmark/benchmark.h>
#include <sys/stat.h>

#include "bench/corpus.hpp"
#include "bench/ratio.hpp"
#include "tree/scan.hpp"

namespace mullion::bench {
namespace {

const Corpus& corpus() {
    static const Corpus corpus({20'000, 50, 200});
    return corpus;
}

Baseline walk;

void count_files(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(corpus().files()));
}

void naive_walk(benchmark::State& state) {
    corpus();
    walk.measure(state, [] {
        std::uint64_t bytes = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus().path())) {
            struct stat status {};
            if (::lstat(entry.path().c_str(), &status) == 0)
                bytes += static_cast<std::uint64_t>(status.st_size);
        }
        benchmark::DoNotOptimize(bytes);
    });
    count_files(state);
}

void scan(benchmark::State& state) {
    walk.compare(state, "naive_walk", [] {
        tree::Tree tree = tree::scan(corpus().path(), {}, {});
        benchmark::DoNotOptimize(tree.root().get());
    });
    count_files(state);
}

BENCHMARK(naive_walk)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(scan)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mullion::bench

BENCHMARK_MAIN();
