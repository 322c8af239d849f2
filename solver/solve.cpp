#include "solver/solve.hpp"

#include <mutex>
#include <utility>

#include "solver/scheduler.hpp"

namespace mullion::solver {

struct Solver::State {
    std::mutex turn;
    Scheduler scheduler;
};

Solver::Solver(OpResolver resolver, cache::KeyStore* keys, base::ProgressSink& progress, Limits limits)
    : state_(new State{{}, {std::move(resolver), keys, progress, limits}}) {}

Solver::~Solver() = default;

std::vector<ResultRef> Solver::solve(const std::vector<Edge>& targets, const base::CancelToken& cancel) {
    std::lock_guard lock(state_->turn);
    return state_->scheduler.solve(targets, cancel);
}

ResultRef Solver::known_result(const Edge& edge) {
    std::lock_guard lock(state_->turn);
    return state_->scheduler.known_result(edge);
}

void Solver::save_late(const Edge& edge, const ResultRef& result) {
    std::lock_guard lock(state_->turn);
    state_->scheduler.save_late(edge, result);
}

}  // namespace mullion::solver
