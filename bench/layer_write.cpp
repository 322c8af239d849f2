// A layer of 128 MiB in 4 000 files, from the directory to a gzip file with both digests, against
// `tar --create --gzip` of the same directory (one core, one digest less).
#include <benchmark/benchmark.h>

#include "base/process.hpp"
#include "bench/corpus.hpp"
#include "bench/ratio.hpp"
#include "oci/compress.hpp"
#include "tree/delta.hpp"
#include "tree/layer_tar.hpp"
#include "tree/scan.hpp"
#include "worker/prefetch.hpp"

namespace mullion::bench {
namespace {

const Corpus& corpus() {
    static const Corpus corpus({4'000, 50, 32 << 10});
    return corpus;
}

Baseline tar_gzip;

void count_bytes(benchmark::State& state) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(corpus().bytes()));
}

void tar_and_gzip(benchmark::State& state) {
    corpus();
    tar_gzip.measure(state, [&] {
        base::ProcessOptions options;
        options.argv = {"tar",
                        "--create",
                        "--gzip",
                        "--file",
                        corpus().scratch("tar.tgz").string(),
                        "--directory",
                        corpus().path().string(),
                        "."};
        if (base::run_process(options, {}) != 0) state.SkipWithError("tar failed");
    });
    count_bytes(state);
}

void write_layer(oci::Compression compression) {
    tree::Tree tree = tree::scan(corpus().path(), {}, {});
    tree::Delta delta = tree::diff(tree::Tree(tree::Os::Windows), tree);
    base::AtomicFile file(corpus().scratch("layer.tgz"));
    base::HashSink blob(&file);
    auto compressed = oci::compress_to(blob, compression);
    base::HashSink tar(compressed.get());
    tree::HostContent host;
    {
        worker::Prefetcher contents(delta, host, {});
        tree::write_layer(delta, contents, tar, {});
    }
    tar.finish();
    benchmark::DoNotOptimize(tar.digest());
    benchmark::DoNotOptimize(blob.digest());
}

void layer_gzip(benchmark::State& state) {
    tar_gzip.compare(state, "tar_and_gzip", [] { write_layer(oci::Compression::Gzip); });
    count_bytes(state);
}

void layer_zstd(benchmark::State& state) {
    tar_gzip.compare(state, "tar_and_gzip", [] { write_layer(oci::Compression::Zstd); });
    count_bytes(state);
}

void layer_uncompressed(benchmark::State& state) {
    tar_gzip.compare(state, "tar_and_gzip", [] { write_layer(oci::Compression::None); });
    count_bytes(state);
}

BENCHMARK(tar_and_gzip)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(layer_gzip)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(layer_zstd)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(layer_uncompressed)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mullion::bench

BENCHMARK_MAIN();
