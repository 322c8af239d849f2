#include "base/cancel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/error.hpp"

namespace mullion::base {
namespace {

using namespace std::chrono_literals;

TEST(CancelToken, WithoutSourceNeverFires) {
    CancelToken token;
    EXPECT_FALSE(token.canceled());
    EXPECT_NO_THROW(token.check());
    EXPECT_FALSE(token.wait_for(1ms));
    auto registration = token.on_cancel([] { FAIL(); });
}

TEST(CancelToken, CheckThrowsTheReason) {
    CancelSource source;
    CancelToken token = source.token();
    token.check();
    source.cancel("stop it");
    source.cancel("too late");
    try {
        token.check();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Canceled);
        EXPECT_STREQ(error.what(), "stop it");
    }
}

TEST(CancelToken, WaitEndsAtOnceOnCancel) {
    CancelSource source;
    std::thread canceler([&] {
        std::this_thread::sleep_for(10ms);
        source.cancel();
    });
    EXPECT_TRUE(source.token().wait_for(1h));
    canceler.join();
}

TEST(CancelToken, WaitTakesTheLongestDuration) {
    CancelSource source;
    std::thread canceler([&] {
        std::this_thread::sleep_for(10ms);
        source.cancel();
    });
    EXPECT_TRUE(source.token().wait_for(CancelToken::Clock::duration::max()));
    canceler.join();
}

TEST(CancelToken, CallbackRunsOnceOnCancelOrAtOnceAfter) {
    CancelSource source;
    int calls = 0;
    auto before = source.token().on_cancel([&] { ++calls; });
    source.cancel();
    source.cancel();
    EXPECT_EQ(calls, 1);
    auto after = source.token().on_cancel([&] { ++calls; });
    EXPECT_EQ(calls, 2);
}

TEST(CancelToken, DroppedCallbackDoesNotRun) {
    CancelSource source;
    {
        auto registration = source.token().on_cancel([] { FAIL(); });
    }
    source.cancel();
}

TEST(CancelToken, FailingCallbackStopsNobodyElse) {
    CancelSource source;
    bool ran = false;
    auto bad = source.token().on_cancel([] { throw std::runtime_error("bad callback"); });
    auto good = source.token().on_cancel([&] { ran = true; });
    EXPECT_NO_THROW(source.cancel());
    EXPECT_TRUE(ran);
}

TEST(CancelToken, CallbackMayDropItsOwnAndOtherRegistrations) {
    CancelSource source;
    CancelToken::Registration own, other;
    own = source.token().on_cancel([&] {
        own = {};
        other = {};
    });
    other = source.token().on_cancel([] { FAIL(); });
    source.cancel();
}

TEST(CancelToken, DestroyingARegistrationWaitsForItsCallback) {
    CancelSource source;
    std::atomic<bool> inside{false}, done{false};
    auto registration = source.token().on_cancel([&] {
        inside = true;
        std::this_thread::sleep_for(20ms);
        done = true;
    });
    std::thread canceler([&] { source.cancel(); });
    while (!inside) std::this_thread::yield();
    registration = {};
    EXPECT_TRUE(done);
    canceler.join();
}

TEST(CancelSource, ChildFiresWithItsParentAndForItsReason) {
    CancelSource parent;
    CancelSource child(parent.token());
    parent.cancel("the parent's reason");
    try {
        child.token().check();
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "the parent's reason");
    }
}

TEST(CancelSource, ParentIsUntouchedByItsChild) {
    CancelSource parent;
    CancelSource child(parent.token());
    child.cancel();
    EXPECT_FALSE(parent.token().canceled());
}

TEST(CancelSource, ChildOfACanceledParentIsCanceled) {
    CancelSource parent;
    parent.cancel();
    EXPECT_TRUE(CancelSource(parent.token()).token().canceled());
}

TEST(CancelSource, RacingRegistrationsAndCancels) {
    for (int round = 0; round < 50; ++round) {
        CancelSource parent;
        std::atomic<int> calls{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int j = 0; j < 20; ++j) {
                    CancelSource child(parent.token());
                    auto registration = child.token().on_cancel([&] { ++calls; });
                }
            });
        }
        parent.cancel();
        for (std::thread& thread : threads) thread.join();
        EXPECT_LE(calls, 80);
    }
}

}  // namespace
}  // namespace mullion::base
