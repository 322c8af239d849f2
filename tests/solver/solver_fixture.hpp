// One world, one key store, and solvers that come and go like builds.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "tests/solver/fake_world.hpp"

namespace mullion::test {

class SolverTest : public testing::Test {
  protected:
    using Strings = std::vector<std::string>;

    // A new build: another Solver over the same key store, with empty records of what happened.
    void new_build() {
        world.clear_log();
        progress = std::make_unique<RecordingProgress>();
        solver = std::make_unique<solver::Solver>(world.resolver(), &keys, *progress, limits);
    }

    int solve(const solver::VertexRef& target) { return solve_all({{target, 0}}).front(); }

    std::vector<int> solve_all(const std::vector<solver::Edge>& targets) {
        if (!solver) new_build();
        std::vector<int> values;
        for (const auto& result : solver->solve(targets, cancel.token())) values.push_back(value_of(result));
        return values;
    }

    // The error of a solve that must fail.
    base::Error failure(const solver::VertexRef& target) {
        try {
            solve(target);
        } catch (const base::Error& error) {
            return error;
        }
        ADD_FAILURE() << "solved";
        return base::Error(base::ErrorCode::Internal, "solved");
    }

    World world;
    FakeKeyStore keys;
    base::CancelSource cancel;
    solver::Limits limits{2, 4};
    std::unique_ptr<RecordingProgress> progress = std::make_unique<RecordingProgress>();
    std::unique_ptr<solver::Solver> solver;
};

}  // namespace mullion::test
