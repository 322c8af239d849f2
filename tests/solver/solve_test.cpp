// Merging, order, parallelism and size.
#include "solver/solve.hpp"

#include <gtest/gtest.h>

#include "tests/solver/solver_fixture.hpp"

namespace mullion::test {
namespace {

using solver::Category;
using solver::VertexRef;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class Solve : public SolverTest {};

TEST_F(Solve, SumsConstants) {
    VertexRef inner = world.sum("inner", {world.constant("a", 1), world.constant("b", 2)});
    EXPECT_EQ(solve(world.sum("outer", {inner, world.constant("c", 10)})), 13);
}

TEST_F(Solve, EqualVerticesRunOnce) {
    auto branch = [&](const std::string& name) { return world.sum(name, {world.constant("shared", 5)}); };
    EXPECT_EQ(solve(world.sum("top", {branch("left"), branch("right"), branch("left")})), 15);
    EXPECT_EQ(world.count("exec shared"), 1u);
    EXPECT_EQ(world.count("exec left"), 1u);
    EXPECT_THAT(progress->life("shared"), ElementsAre("announced", "started", "done"));
}

TEST_F(Solve, ResultsComeInTheOrderOfTargets) {
    VertexRef a = world.constant("a", 1);
    VertexRef b = world.constant("b", 2);
    world["b"].outputs = 2;
    EXPECT_THAT(solve_all({{b, 1}, {a, 0}, {b, 0}, {a, 0}}), ElementsAre(3, 1, 2, 1));
    EXPECT_THAT(world.log(), UnorderedElementsAre("exec a", "exec b"));
    EXPECT_TRUE(solve_all({}).empty());
}

TEST_F(Solve, DifferentVerticesWithEqualKeysShareOneRun) {
    // Equal keys, different operations: as when only something outside the key differs.
    Latch both(2);
    for (const char* name : {"x", "y"}) {
        world.constant(name, 4);
        world[name].key = "the same";
        world[name].on_cache_map = [&] {
            both.count_down();
            EXPECT_TRUE(both.wait());
        };
    }
    VertexRef top = world.sum("top", {world.sum("x", {}), world.sum("y", {})});
    EXPECT_EQ(solve(top), 8);
    EXPECT_EQ(world.count("exec x") + world.count("exec y"), 1u);
    const std::string follower = world.count("exec x") == 1 ? "y" : "x";
    EXPECT_THAT(progress->life(follower), ElementsAre("announced", "cached"));
}

TEST_F(Solve, OutputThatTheEqualVertexDoesNotMakeIsAnError) {
    // x makes one output; y, which follows it, is asked for a second one.
    for (const char* name : {"x", "y"}) {
        world.constant(name, 4);
        world[name].key = "the same";
    }
    VertexRef x = world.sum("x", {});
    VertexRef y = world.sum("y", {});
    solve(x);
    try {
        solve_all({{y, 1}});
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Internal);
        EXPECT_NE(std::string(error.what()).find("made no output 1"), std::string::npos) << error.what();
    }
    EXPECT_EQ(world.count("exec x") + world.count("exec y"), 2u);
}

TEST_F(Solve, AskingServersHoldsNoProcessor) {
    // More questions at once than there are threads for computing; they end only together.
    Latch all(3);
    std::vector<VertexRef> sources;
    for (const char* name : {"a", "b", "c"}) {
        sources.push_back(world.constant(name, 1));
        world[name].pins_remotely = true;
        world[name].on_cache_map = [&] {
            all.count_down();
            EXPECT_TRUE(all.wait());
        };
    }
    limits = {1, 3};
    EXPECT_EQ(solve(world.sum("top", sources)), 3);
}

TEST_F(Solve, EqualContentMergesWhileRunning) {
    // Two copies of equal content from different contexts.
    VertexRef x = world.sum("copy x", {world.constant("x", 4)});
    VertexRef y = world.sum("copy y", {world.constant("y", 4)});
    for (const char* name : {"copy x", "copy y"}) {
        world[name].key = "copy";
        world[name].contents = {true};
    }
    EXPECT_EQ(solve(world.sum("top", {x, y})), 8);
    EXPECT_EQ(world.count("exec copy x") + world.count("exec copy y"), 1u);
}

TEST_F(Solve, LaterSolveReusesResults) {
    VertexRef a = world.constant("a", 1);
    EXPECT_EQ(solve(a), 1);
    EXPECT_EQ(solve(world.sum("sum", {a, world.constant("b", 2)})), 3);
    EXPECT_EQ(solve(a), 1);
    EXPECT_THAT(world.log(), UnorderedElementsAre("exec a", "exec b", "exec sum"));
    EXPECT_THAT(progress->life("a"), ElementsAre("announced", "started", "done"));
}

TEST_F(Solve, WaitsOverlapAndHoldNoCpuSlot) {
    // Four waits need all of each other and a Cpu body to get on; there is one Cpu slot.
    limits = {1, 4};
    Latch all_waiting(4);
    Latch cpu_ran;
    std::vector<VertexRef> inputs;
    for (int i = 0; i < 4; ++i) {
        std::string name = "wait " + std::to_string(i);
        inputs.push_back(world.sum(name, {}));
        world[name].category = Category::Wait;
        world[name].body = [&](const auto&, const auto&) {
            all_waiting.count_down();
            return all_waiting.wait() && cpu_ran.wait() ? 1 : 1000;
        };
    }
    inputs.push_back(world.sum("cpu", {}));
    world["cpu"].body = [&](const auto&, const auto&) {
        bool waited = all_waiting.wait();
        cpu_ran.count_down();
        return waited ? 10 : 1000;
    };
    EXPECT_EQ(solve(world.sum("top", inputs)), 14);
}

TEST_F(Solve, CpuBodiesOverlapUpToTheLimit) {
    limits = {2, 1};
    Latch both(2);
    auto meet = [&](const auto&, const auto&) {
        both.count_down();
        return both.wait() ? 1 : 1000;
    };
    VertexRef x = world.sum("x", {});
    VertexRef y = world.sum("y", {});
    world["x"].body = world["y"].body = meet;
    EXPECT_EQ(solve(world.sum("top", {x, y})), 2);
}

TEST_F(Solve, WaitsAreBounded) {
    limits = {1, 2};
    std::mutex mutex;
    int now = 0;
    int most = 0;
    std::vector<VertexRef> inputs;
    for (int i = 0; i < 20; ++i) {
        std::string name = "wait " + std::to_string(i);
        inputs.push_back(world.sum(name, {}));
        world[name].category = Category::Wait;
        world[name].body = [&](const auto&, const auto&) {
            std::unique_lock lock(mutex);
            most = std::max(most, ++now);
            lock.unlock();
            std::this_thread::yield();
            lock.lock();
            --now;
            return 1;
        };
    }
    EXPECT_EQ(solve(world.sum("top", inputs)), 20);
    EXPECT_LE(most, 2);
}

TEST_F(Solve, InputsCompleteBeforeDependantsStart) {
    VertexRef chain = world.constant("0", 0);
    for (int i = 1; i < 50; ++i) {
        std::string name = std::to_string(i);
        chain = world.sum(name, {chain});
        world[name].body = [i](const std::vector<int>& inputs, const auto&) {
            EXPECT_EQ(inputs.at(0), i - 1);
            return i;
        };
    }
    EXPECT_EQ(solve(chain), 49);
}

TEST_F(Solve, DiamondsOfDiamondsAreLinear) {
    // 2^40 paths, 81 vertices.
    VertexRef tip = world.constant("tip", 1);
    for (int i = 0; i < 40; ++i) {
        std::string level = std::to_string(i);
        VertexRef left = world.sum("left " + level, {tip});
        VertexRef right = world.sum("right " + level, {tip});
        tip = world.sum("tip " + level, {left, right});
        world["tip " + level].body = [](const std::vector<int>& in, const auto&) { return in[0]; };
    }
    EXPECT_EQ(solve(tip), 1);
    EXPECT_EQ(world.log().size(), 121u);
}

TEST_F(Solve, ChainOfTenThousand) {
    VertexRef chain = world.constant("0", 1);
    for (int i = 1; i < 10'000; ++i) chain = world.sum(std::to_string(i), {chain});
    EXPECT_EQ(solve(chain), 1);
    EXPECT_EQ(world.log().size(), 10'000u);
    new_build();
    EXPECT_EQ(solve(chain), 1);
    EXPECT_THAT(world.log(), ElementsAre("load 9999"));
}

TEST_F(Solve, FanOfTenThousand) {
    std::vector<VertexRef> inputs;
    for (int i = 0; i < 10'000; ++i) inputs.push_back(world.constant(std::to_string(i), 1));
    VertexRef top = world.sum("top", inputs);
    EXPECT_EQ(solve(top), 10'000);
    new_build();
    EXPECT_EQ(solve(top), 10'000);
    EXPECT_THAT(world.log(), ElementsAre("load top"));
}

// Random graphs against arithmetic, twice over the same store: what is cached must not change the sum.
TEST_F(Solve, RandomGraphsGiveTheirSums) {
    std::uint32_t seed = 12345;
    auto random = [&](std::uint32_t below) {
        seed = seed * 1664525 + 1013904223;
        return (seed >> 8) % below;
    };
    for (int round = 0; round < 20; ++round) {
        std::vector<VertexRef> vertices;
        std::vector<int> values;
        for (int i = 0; i < 60; ++i) {
            std::string name = "r" + std::to_string(round % 10) + "v" + std::to_string(i);
            std::vector<VertexRef> inputs;
            int value = i == 0 ? 1 : 0;
            for (std::uint32_t n = i == 0 ? 0 : 1 + random(3); n > 0; --n) {
                std::uint32_t input = random(static_cast<std::uint32_t>(i));
                inputs.push_back(vertices[input]);
                value = (value + values[input]) % 1000;
            }
            vertices.push_back(world.sum(name, inputs));
            values.push_back(value);
            Spec& spec = world[name];
            spec = {};
            spec.category = random(2) == 0 ? Category::Cpu : Category::Wait;
            spec.pins_remotely = random(3) == 0;
            spec.cheap = random(3) == 0;
            spec.kept = !spec.cheap || random(2) == 0;
            spec.session_only = random(6) == 0;
            if (random(2) == 0) {
                for (std::size_t n = 0; n < inputs.size(); ++n) spec.contents.push_back(random(2) == 0);
            }
            spec.body = [i](const std::vector<int>& in, const auto&) {
                int sum = i == 0 ? 1 : 0;
                for (int v : in) sum = (sum + v) % 1000;
                return sum;
            };
        }
        for (int build = 0; build < 2; ++build) {
            new_build();
            EXPECT_EQ(solve(vertices.back()), values.back());
            EXPECT_EQ(solve(vertices[30]), values[30]);
        }
    }
}

}  // namespace
}  // namespace mullion::test
