// What happens when bodies fail, or are stopped.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "tests/solver/solver_fixture.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using solver::Category;
using solver::ExecContext;
using solver::VertexRef;
using testing::ElementsAre;
using testing::HasSubstr;

class SolverFailure : public SolverTest {
  protected:
    VertexRef failing(const std::string& name) {
        VertexRef vertex = world.sum(name, {});
        world[name].body = [](const auto&, const ExecContext&) -> int {
            throw base::Error(ErrorCode::Invalid, "it broke");
        };
        return vertex;
    }
};

TEST_F(SolverFailure, ErrorNamesTheVertexAndItsSource) {
    world.options.source = base::SourceRange{"Dockerfile", 3, 4, 0, 0};
    VertexRef bad = failing("RUN bad");
    world.options.source = base::SourceRange{"Dockerfile", 9, 9, 0, 0};
    base::Error error = failure(world.sum("top", {bad}));
    EXPECT_EQ(error.code(), ErrorCode::Invalid);
    EXPECT_STREQ(error.what(), "RUN bad: it broke");
    ASSERT_TRUE(error.source());
    EXPECT_EQ(error.source()->first_line, 3);
    EXPECT_THAT(progress->life("RUN bad"), ElementsAre("announced", "started", "error: it broke"));
    EXPECT_THAT(progress->life("top"), ElementsAre("announced", "error: canceled"));
    EXPECT_EQ(world.count("exec top"), 0u);
}

TEST_F(SolverFailure, OwnSourceOfAnErrorWins) {
    world.options.source = base::SourceRange{"Dockerfile", 3, 4, 0, 0};
    VertexRef bad = world.sum("bad", {});
    world["bad"].body = [](const auto&, const auto&) -> int {
        throw base::Error(ErrorCode::Invalid, "here").at({"other", 1, 1, 0, 0});
    };
    EXPECT_EQ(failure(bad).source()->file, "other");
}

TEST_F(SolverFailure, WhateverIsThrownArrives) {
    VertexRef bad = world.sum("bad", {});
    auto thrown = [&](auto what) {
        world["bad"].body = [what](const auto&, const auto&) -> int { throw what; };
        new_build();
        return failure(bad);
    };
    EXPECT_THAT(thrown(std::runtime_error("plain")).what(), HasSubstr("plain"));
    EXPECT_EQ(thrown(std::bad_alloc()).code(), ErrorCode::Exhausted);
    EXPECT_EQ(thrown(42).code(), ErrorCode::Internal);
    EXPECT_THAT(thrown(base::Error(ErrorCode::Canceled, "I gave up")).what(), HasSubstr("I gave up"));
}

TEST_F(SolverFailure, EveryCallOfAnOpMayFail) {
    VertexRef a = world.constant("a", 1);
    world["a"].on_cache_map = [] { throw std::runtime_error("no manifest"); };
    EXPECT_THAT(failure(world.sum("top", {a})).what(), HasSubstr("no manifest"));
    world["a"].on_cache_map = nullptr;

    keys.failing = {"find"};
    new_build();
    EXPECT_THAT(failure(a).what(), HasSubstr("find failed"));
    keys.failing = {"save"};
    new_build();
    EXPECT_THAT(failure(a).what(), HasSubstr("save failed"));
    keys.failing = {};

    world["a"].contents = {true};  // but it has no inputs
    new_build();
    EXPECT_EQ(failure(a).code(), ErrorCode::Internal);
    world["a"].contents = {};
    new_build();
    EXPECT_EQ(solve(a), 1);
    new_build();
    EXPECT_THROW(solver->solve({{a, 5}}, {}), base::Error) << "there is no output 5";
    EXPECT_THROW(solver->solve({{a, SIZE_MAX}}, {}), base::Error);
    EXPECT_THROW(solver->solve({{nullptr, 0}}, {}), base::Error);
    EXPECT_EQ(solve(a), 1);
}

TEST_F(SolverFailure, UnknownVertexFails) {
    solver::Solver broken([](const VertexRef&) { return nullptr; }, &keys, *progress, limits);
    EXPECT_THROW(broken.solve({{world.constant("a", 1), 0}}, {}), base::Error);
}

TEST_F(SolverFailure, FailureStopsTheRestAndWaitsForIt) {
    Latch started;
    std::atomic<bool> stopped = false;
    VertexRef slow = world.sum("slow", {});
    world["slow"].category = Category::Wait;
    world["slow"].body = [&](const auto&, const ExecContext& context) {
        started.count_down();
        bool canceled = context.cancel.wait_for(std::chrono::seconds(60));
        stopped = true;
        context.cancel.check();
        return canceled ? 0 : 1;
    };
    VertexRef bad = world.sum("bad", {});
    world["bad"].body = [&](const auto&, const auto&) -> int {
        EXPECT_TRUE(started.wait());
        throw std::runtime_error("first");
    };
    base::Error error = failure(world.sum("top", {slow, bad}));
    EXPECT_TRUE(stopped);
    EXPECT_STREQ(error.what(), "bad: first");
    EXPECT_THAT(progress->life("slow"), ElementsAre("announced", "started", "error: canceled"));
    EXPECT_THAT(progress->life("top"), ElementsAre("announced", "error: canceled"));
}

TEST_F(SolverFailure, BodiesNotYetStartedDoNotStart) {
    limits = {1, 1};
    VertexRef bad = failing("bad");
    std::vector<VertexRef> inputs = {bad};
    for (int i = 0; i < 100; ++i) inputs.push_back(world.sum(std::to_string(i), {bad}));
    failure(world.sum("top", inputs));
    EXPECT_THAT(world.log(), ElementsAre("exec bad"));
}

TEST_F(SolverFailure, CancelFromOutsideEndsTheSolve) {
    Latch started;
    VertexRef slow = world.sum("slow", {});
    world["slow"].category = Category::Wait;
    world["slow"].body = [&](const auto&, const ExecContext& context) -> int {
        started.count_down();
        context.cancel.wait_for(std::chrono::seconds(60));
        // What a killed process looks like.
        throw base::Error(ErrorCode::Process, "exit code 137");
    };
    std::thread interrupt([&] {
        EXPECT_TRUE(started.wait());
        cancel.cancel("interrupted");
    });
    base::Error error = failure(world.sum("top", {slow}));
    interrupt.join();
    EXPECT_EQ(error.code(), ErrorCode::Canceled);
    EXPECT_STREQ(error.what(), "interrupted");
    EXPECT_THAT(progress->life("slow"), ElementsAre("announced", "started", "error: canceled"));
    EXPECT_THAT(progress->life("top"), ElementsAre("announced", "error: canceled"));
}

TEST_F(SolverFailure, CancelBeforehandRunsNothing) {
    VertexRef a = world.constant("a", 1);
    cancel.cancel("too late");
    EXPECT_STREQ(failure(a).what(), "too late");
    EXPECT_TRUE(world.log().empty());
}

TEST_F(SolverFailure, CancelBetweenSolvesDoesNotHauntTheNext) {
    VertexRef a = world.constant("a", 1);
    EXPECT_EQ(solve(a), 1);
    cancel.cancel();
    EXPECT_EQ(value_of(solver->solve({{world.constant("b", 2), 0}}, {})[0]), 2);
}

TEST_F(SolverFailure, TheSameSolverCanTryAgain) {
    std::atomic<bool> broken = true;
    VertexRef good = world.constant("good", 1);
    VertexRef flaky = world.sum("flaky", {good});
    world["flaky"].body = [&](const auto&, const auto&) {
        if (broken) throw std::runtime_error("flaky");
        return 5;
    };
    VertexRef top = world.sum("top", {flaky});
    failure(top);
    broken = false;
    EXPECT_EQ(solve(top), 5);
    EXPECT_EQ(world.count("exec good"), 1u);
    EXPECT_EQ(world.count("exec flaky"), 2u);
    EXPECT_THAT(progress->life("flaky"),
                ElementsAre("announced", "started", "error: flaky", "announced", "started", "done"));
}

TEST_F(SolverFailure, FollowerOfAFailedRunFailsWithIt) {
    for (const char* name : {"x", "y"}) {
        world.sum(name, {});
        world[name].key = "the same";
        world[name].body = [](const auto&, const auto&) -> int { throw std::runtime_error("both"); };
    }
    VertexRef top = world.sum("top", {world.sum("x", {}), world.sum("y", {})});
    EXPECT_THAT(failure(top).what(), HasSubstr("both"));
    for (const char* name : {"x", "y"}) world[name].body = [](const auto&, const auto&) { return 1; };
    new_build();
    EXPECT_EQ(solve(top), 2);
}

TEST_F(SolverFailure, NobodyFollowsARunThatFailedEarlier) {
    VertexRef x = failing("x");
    VertexRef y = world.constant("y", 1);
    world["x"].key = world["y"].key = "the same";
    failure(x);
    EXPECT_EQ(solve(y), 1);
    EXPECT_EQ(world.count("exec x"), 1u);
}

TEST_F(SolverFailure, RecordOfALostPayloadIsForgotten) {
    VertexRef a = world.constant("a", 1);
    solve(a);
    ASSERT_EQ(keys.size(), 1u);
    world.lose_payloads();
    world["a"].body = [](const auto&, const auto&) -> int { throw std::runtime_error("no longer possible"); };
    new_build();
    failure(a);
    EXPECT_EQ(keys.size(), 0u);
}

TEST_F(SolverFailure, FailingFanEndsOnce) {
    std::vector<VertexRef> inputs;
    for (int i = 0; i < 500; ++i) inputs.push_back(failing("bad " + std::to_string(i)));
    base::Error error = failure(world.sum("top", inputs));
    EXPECT_THAT(error.what(), HasSubstr("it broke"));
    int reported = 0;
    for (int i = 0; i < 500; ++i) {
        for (const std::string& event : progress->life("bad " + std::to_string(i))) {
            if (event == "error: it broke") ++reported;
        }
    }
    EXPECT_EQ(reported, 1) << "everybody else was canceled";
}

TEST_F(SolverFailure, CancelAtAnyMomentEndsTheSolve) {
    // Cancels after n events, for many n: nothing hangs, nothing is left open.
    for (int n = 0; n < 120; n += 3) {
        World local;
        std::vector<VertexRef> inputs;
        for (int i = 0; i < 10; ++i) {
            VertexRef leaf = local.constant("leaf " + std::to_string(i), 1);
            VertexRef mid = local.sum("mid " + std::to_string(i), {leaf});
            local["mid " + std::to_string(i)].contents = {true};
            local["mid " + std::to_string(i)].category = Category::Wait;
            inputs.push_back(mid);
        }
        VertexRef top = local.sum("top", inputs);
        struct Trigger final : base::ProgressSink {
            explicit Trigger(int n) : left(n) {}
            void emit(const base::ProgressEvent& event) override {
                inner.emit(event);
                if (left-- == 0) source.cancel("enough");
            }
            std::atomic<int> left;
            base::CancelSource source;
            RecordingProgress inner;
        } trigger(n);
        FakeKeyStore store;
        solver::Solver own(local.resolver(), &store, trigger, limits);
        try {
            EXPECT_EQ(value_of(own.solve({{top, 0}}, trigger.source.token())[0]), 10);
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Canceled);
            EXPECT_THAT(trigger.inner.life("top").back(), "error: canceled");
        }
    }
}

}  // namespace
}  // namespace mullion::test
