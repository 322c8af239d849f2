#include "solver/task_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "tests/solver/fake_world.hpp"

namespace mullion::solver {
namespace {

TEST(TaskPool, DestructorWaitsForEverything) {
    for (int round = 0; round < 50; ++round) {
        std::atomic<int> done = 0;
        {
            TaskPool pool(2, 3);
            for (int i = 0; i < 40; ++i) {
                pool.submit(i % 2 == 0 ? Category::Cpu : Category::Wait, [&] { ++done; });
            }
        }
        EXPECT_EQ(done, 40);
    }
}

TEST(TaskPool, AnyNumberOfThreadsMakesProgress) {
    for (std::size_t threads : {std::size_t{0}, std::size_t{1}, std::size_t{7}}) {
        test::Latch done(20);
        TaskPool pool(threads, threads);
        for (int i = 0; i < 10; ++i) {
            pool.submit(Category::Cpu, [&] { done.count_down(); });
            pool.submit(Category::Wait, [&] { done.count_down(); });
        }
        EXPECT_TRUE(done.wait());
    }
}

TEST(TaskPool, CpuThreadsMayExceedTheProcessors) {
    constexpr int kThreads = 6;
    test::Latch all(kThreads);
    std::atomic<int> met = 0;
    {
        TaskPool pool(kThreads, 1);
        for (int i = 0; i < kThreads; ++i) {
            pool.submit(Category::Cpu, [&] {
                all.count_down();
                if (all.wait()) ++met;
            });
        }
    }
    EXPECT_EQ(met, kThreads);
}

}  // namespace
}  // namespace mullion::solver
