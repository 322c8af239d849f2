// What a solve tells its user.
#include <gtest/gtest.h>

#include "tests/solver/solver_fixture.hpp"

namespace mullion::test {
namespace {

using solver::ExecContext;
using solver::VertexRef;

class SolverProgress : public SolverTest {};

TEST_F(SolverProgress, VertexEventsCarryDigestInputsAndTimes) {
    VertexRef a = world.constant("a", 1);
    VertexRef sum = world.sum("sum", {a});
    solve(sum);
    std::optional<base::FileTime> started;
    int seen = 0;
    for (const base::ProgressEvent& event : progress->events()) {
        const auto& vertex = std::get<base::VertexEvent>(event);
        if (vertex.name != "sum") continue;
        ++seen;
        EXPECT_EQ(vertex.digest, sum->digest());
        EXPECT_EQ(vertex.inputs, std::vector<base::Digest>{a->digest()});
        if (vertex.completed) {
            EXPECT_EQ(vertex.started, started) << "the whole state again";
            EXPECT_GE(*vertex.completed, *vertex.started);
        } else {
            started = vertex.started;
        }
    }
    EXPECT_EQ(seen, 3);
}

TEST_F(SolverProgress, HiddenVerticesAreNotToldOf) {
    world.options.hidden = true;
    VertexRef nothing = world.constant("nothing", 0);
    world.options.hidden = false;
    VertexRef sum = world.sum("sum", {nothing});
    solve(sum);
    EXPECT_TRUE(progress->life("nothing").empty());
    ASSERT_FALSE(progress->life("sum").empty());
    for (const base::ProgressEvent& event : progress->events()) {
        EXPECT_TRUE(std::get<base::VertexEvent>(event).inputs.empty());
    }
}

TEST_F(SolverProgress, WhatAnOpEmitsBelongsToItsVertex) {
    VertexRef noisy = world.sum("noisy", {});
    base::Digest other = base::Digest::of("other");
    world["noisy"].body = [&](const auto&, const ExecContext& context) {
        context.progress->emit(base::LogEvent{other, 2, "text", {}});
        context.progress->emit(base::LogEvent{context.vertex, 1, "own", {}});
        context.progress->emit(base::StatusEvent{other, "id", 1, 2, {}, {}, {}});
        context.progress->emit(base::WarningEvent{{}, 1, "careful", "", "", {}});
        return 0;
    };
    solve(noisy);
    int seen = 0;
    for (const base::ProgressEvent& event : progress->events()) {
        if (const auto* log = std::get_if<base::LogEvent>(&event)) {
            EXPECT_EQ(log->vertex, noisy->digest());
            EXPECT_EQ(log->data, ++seen == 1 ? "text" : "own");
        }
        if (const auto* status = std::get_if<base::StatusEvent>(&event)) {
            EXPECT_EQ(status->vertex, noisy->digest());
            ++seen;
        }
        if (const auto* warning = std::get_if<base::WarningEvent>(&event)) {
            EXPECT_EQ(warning->vertex, noisy->digest());
            ++seen;
        }
    }
    EXPECT_EQ(seen, 4);
}

TEST_F(SolverProgress, LogsComeBetweenStartAndCompletion) {
    VertexRef noisy = world.sum("noisy", {});
    world["noisy"].body = [&](const auto&, const ExecContext& context) {
        context.progress->emit(base::LogEvent{context.vertex, 1, "text", {}});
        return 0;
    };
    solve(noisy);
    std::vector<std::size_t> kinds;
    for (const base::ProgressEvent& event : progress->events()) kinds.push_back(event.index());
    EXPECT_EQ(kinds, (std::vector<std::size_t>{0, 0, 2, 0})) << "announced, started, log, done";
}

TEST_F(SolverProgress, AStatusOfAnOpThatIsPinningStartsItsVertex) {
    VertexRef source = world.constant("source", 1);
    VertexRef sum = world.sum("sum", {source});
    world["source"].pins_remotely = world["source"].reports_pinning = true;
    solve(sum);
    EXPECT_EQ(progress->life("source"), (std::vector<std::string>{"announced", "started", "done"}));
    new_build();
    VertexRef again = world.sum("sum", {world.constant("source", 1)});
    solve(again);
    EXPECT_EQ(progress->life("source"), (std::vector<std::string>{"announced", "started", "cached"}));
}

}  // namespace
}  // namespace mullion::test
