// The content digest of a tree of 256 MiB, against hashing its files one after the other.
#include <benchmark/benchmark.h>

#include <optional>

#include "bench/corpus.hpp"
#include "bench/ratio.hpp"
#include "tree/scan.hpp"

namespace mullion::bench {
namespace {

const Corpus& corpus() {
    static const Corpus corpus({2'000, 50, 128 << 10});
    return corpus;
}

Baseline sequential;

void count_bytes(benchmark::State& state) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(corpus().bytes()));
}

void single_thread_hashing(benchmark::State& state) {
    corpus();
    sequential.measure(state, [] {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus().path())) {
            if (!entry.is_regular_file()) continue;
            base::FileSource source(entry.path());
            base::HashSink hash;
            base::copy(source, hash);
            benchmark::DoNotOptimize(hash.digest());
        }
    });
    count_bytes(state);
}

void tree_digest(benchmark::State& state) {
    std::optional<tree::Tree> tree;
    sequential.compare(
        state, "single_thread_hashing",
        [&] {
            tree::HostContent contents;
            benchmark::DoNotOptimize(tree->digest("", contents, {}));
        },
        // A new tree every round: digests are remembered in it.
        [&] { tree = tree::scan(corpus().path(), {}, {}); });
    count_bytes(state);
}

BENCHMARK(single_thread_hashing)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(tree_digest)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mullion::bench

BENCHMARK_MAIN();
