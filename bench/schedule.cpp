// The scheduler's own cost: 10 000 vertices whose bodies do next to nothing, with keys kept in memory,
// against calling the bodies in a loop. "per_vertex" is what to look at.
#include <benchmark/benchmark.h>

#include <mutex>
#include <unordered_map>

#include "bench/ratio.hpp"
#include "solver/solve.hpp"

namespace mullion::bench {
namespace {

using solver::Edge;
using solver::ResultRef;
using solver::Vertex;
using solver::VertexRef;

constexpr int kVertices = 10'000;

class Nothing final : public solver::Result {};

class NullOp final : public solver::Op {
  public:
    explicit NullOp(base::Digest digest) : digest_(digest) {}
    solver::Category category() const override { return solver::Category::Cpu; }
    solver::CacheMap cache_map(const solver::ExecContext&) override { return {digest_, false, {}}; }
    std::vector<ResultRef> exec(const std::vector<ResultRef>&, const solver::ExecContext&) override {
        return {std::make_shared<Nothing>()};
    }
    std::string save(const ResultRef&, std::size_t) override { return "kept"; }
    ResultRef load(const std::string&, std::size_t) override { return std::make_shared<Nothing>(); }

  private:
    base::Digest digest_;
};

class MemoryKeys final : public cache::KeyStore {
  public:
    std::optional<cache::KeyRecord> find(const base::Digest& key) override {
        std::lock_guard lock(mutex_);
        auto found = records_.find(key);
        if (found == records_.end()) return {};
        return found->second;
    }
    void save(const std::vector<base::Digest>& keys, const cache::KeyRecord& record) override {
        std::lock_guard lock(mutex_);
        for (const base::Digest& key : keys) records_.insert_or_assign(key, record);
    }
    void forget(const base::Digest& key) override {
        std::lock_guard lock(mutex_);
        records_.erase(key);
    }

  private:
    std::mutex mutex_;
    std::unordered_map<base::Digest, cache::KeyRecord> records_;
};

std::unique_ptr<solver::Op> resolve(const VertexRef& vertex) {
    return std::make_unique<NullOp>(vertex->digest());
}

// Every vertex reads the one before.
Edge chain() {
    VertexRef last = Vertex::make("first", {}, {});
    for (int i = 1; i < kVertices; ++i) last = Vertex::make(std::to_string(i), {{last, 0}}, {});
    return {last, 0};
}

// 100 layers of 100 vertices, each of which reads three of the layer below, and a top.
Edge mesh() {
    std::vector<Edge> below;
    for (int layer = 0; layer < 100; ++layer) {
        std::vector<Edge> edges;
        for (std::size_t i = 0; i < kVertices / 100; ++i) {
            std::vector<Edge> inputs;
            for (std::size_t n = 0; n < 3 && !below.empty(); ++n)
                inputs.push_back(below[(i + n * 7) % below.size()]);
            edges.push_back({Vertex::make(std::to_string(layer) + "." + std::to_string(i), inputs, {}), 0});
        }
        below = std::move(edges);
    }
    return {Vertex::make("top", below, {}), 0};
}

void solve(const Edge& target, cache::KeyStore& keys) {
    base::NullProgress progress;
    solver::Solver solver(resolve, &keys, progress);
    benchmark::DoNotOptimize(solver.solve({target}, {}).data());
}

Baseline loop;

void count_vertices(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * kVertices);
    state.counters["per_vertex"] = benchmark::Counter(
        kVertices, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void bodies_in_a_loop(benchmark::State& state) {
    base::NullProgress progress;
    const solver::ExecContext context{{}, &progress, base::Digest::of("")};
    loop.measure(state, [&] {
        std::vector<ResultRef> results;
        for (int i = 0; i < kVertices; ++i) {
            NullOp op(base::Digest::of(std::to_string(i)));
            results = op.exec(results, context);
        }
        benchmark::DoNotOptimize(results.data());
    });
    count_vertices(state);
}

void run_all(benchmark::State& state, const Edge& target) {
    std::unique_ptr<MemoryKeys> keys;
    loop.compare(
        state, "bodies_in_a_loop", [&] { solve(target, *keys); },
        [&] { keys = std::make_unique<MemoryKeys>(); });
    count_vertices(state);
}

void find_all(benchmark::State& state, const Edge& target) {
    MemoryKeys keys;
    solve(target, keys);
    loop.compare(state, "bodies_in_a_loop", [&] { solve(target, keys); });
    count_vertices(state);
}

void chain_run(benchmark::State& state) {
    run_all(state, chain());
}
void chain_cached(benchmark::State& state) {
    find_all(state, chain());
}
void mesh_run(benchmark::State& state) {
    run_all(state, mesh());
}
void mesh_cached(benchmark::State& state) {
    find_all(state, mesh());
}

BENCHMARK(bodies_in_a_loop)->MeasureProcessCPUTime()->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(chain_run)->MeasureProcessCPUTime()->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(chain_cached)->MeasureProcessCPUTime()->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(mesh_run)->MeasureProcessCPUTime()->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(mesh_cached)->MeasureProcessCPUTime()->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mullion::bench

BENCHMARK_MAIN();
