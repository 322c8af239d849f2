// Which vertices run, load or are left alone, by what is in the key store.
#include <gtest/gtest.h>

#include "tests/solver/solver_fixture.hpp"

namespace mullion::test {
namespace {

using solver::VertexRef;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class SolverCache : public SolverTest {};

TEST_F(SolverCache, DefinitionHitLoadsTheTargetOnly) {
    VertexRef target = world.sum("sum", {world.constant("a", 1), world.constant("b", 2)});
    EXPECT_EQ(solve(target), 3);
    EXPECT_THAT(world.log(), UnorderedElementsAre("exec a", "exec b", "exec sum"));
    new_build();
    EXPECT_EQ(solve(target), 3);
    EXPECT_THAT(world.log(), ElementsAre("load sum"));
    for (const char* name : {"a", "b", "sum"}) {
        EXPECT_THAT(progress->life(name), ElementsAre("announced", "cached")) << name;
    }
}

TEST_F(SolverCache, InputOfAHitWithoutRecordIsNeitherRunNorReported) {
    world["a"].kept = false;
    VertexRef target = world.sum("sum", {world.constant("a", 1)});
    solve(target);
    new_build();
    EXPECT_EQ(solve(target), 1);
    EXPECT_THAT(world.log(), ElementsAre("load sum"));
    EXPECT_THAT(progress->life("a"), ElementsAre("announced"));
}

TEST_F(SolverCache, ContentHitStopsTheRebuild) {
    // The context has another key in every build, as a local directory has; its content stays.
    VertexRef context = world.constant("context", 7);
    VertexRef copy = world.sum("copy", {world.constant("base", 1), context});
    world["copy"].contents = {false, true};
    VertexRef run = world.sum("run", {copy});
    world["context"].key = "session 1";
    EXPECT_EQ(solve(run), 8);

    world["context"].key = "session 2";
    new_build();
    EXPECT_EQ(solve(run), 8);
    EXPECT_THAT(world.log(), ElementsAre("exec context", "digest copy", "load run"));
    EXPECT_THAT(progress->life("copy"), ElementsAre("announced", "cached"));
    EXPECT_THAT(progress->life("run"), ElementsAre("announced", "cached"));
    EXPECT_THAT(progress->life("context"), ElementsAre("announced", "started", "done"));
}

TEST_F(SolverCache, ChangedContentRunsWhatReadsItAndWhatFollows) {
    VertexRef context = world.constant("context", 7);
    VertexRef copy = world.sum("copy", {context});
    world["copy"].contents = {true};
    VertexRef run = world.sum("run", {copy});
    world["context"].key = "session 1";
    solve(run);
    world["context"] = {"session 2", [](const auto&, const auto&) { return 9; }};
    new_build();
    EXPECT_EQ(solve(run), 9);
    EXPECT_THAT(world.log(), ElementsAre("exec context", "digest copy", "exec copy", "exec run"));
}

TEST_F(SolverCache, RebuiltButIdenticalInputStopsTheRebuildThroughItsCanonicalKey) {
    // "compile" changes its definition but makes the same; "link" reads its content; "pack" sees only link's
    // canonical key.
    VertexRef compile = world.constant("compile", 5);
    VertexRef link = world.sum("link", {compile});
    world["link"].contents = {true};
    VertexRef pack = world.sum("pack", {link});
    solve(pack);
    world["compile"].key = "compile with another flag";
    new_build();
    EXPECT_EQ(solve(pack), 5);
    EXPECT_THAT(world.log(), ElementsAre("exec compile", "digest link", "load pack"));
    // Now it is known by definition too.
    new_build();
    EXPECT_EQ(solve(pack), 5);
    EXPECT_THAT(world.log(), ElementsAre("load pack"));
}

TEST_F(SolverCache, SessionOnlyKeysAreNeitherStoredNorLookedUp) {
    VertexRef context = world.constant("context", 7);
    world["context"].session_only = true;
    VertexRef plain = world.sum("plain", {context});
    solve(plain);
    EXPECT_EQ(keys.size(), 0u);
    new_build();
    EXPECT_EQ(solve(plain), 7);
    EXPECT_THAT(world.log(), ElementsAre("exec context", "exec plain"));
    EXPECT_EQ(keys.size(), 0u);
}

TEST_F(SolverCache, ContentKeysOfSessionOnlyInputsAreStored) {
    VertexRef context = world.constant("context", 7);
    world["context"].session_only = true;
    VertexRef copy = world.sum("copy", {context});
    world["copy"].contents = {true};
    solve(copy);
    EXPECT_EQ(keys.size(), 1u);
    new_build();
    EXPECT_EQ(solve(copy), 7);
    EXPECT_THAT(world.log(), ElementsAre("exec context", "digest copy", "load copy"));
}

TEST_F(SolverCache, FullyCachedSolveWritesNothing) {
    VertexRef context = world.constant("context", 7);
    world["context"].session_only = true;
    VertexRef copy = world.sum("copy", {context});
    world["copy"].contents = {true};
    VertexRef run = world.sum("run", {copy});
    solve(run);
    std::size_t before = keys.saves();
    for (int i = 0; i < 2; ++i) {
        new_build();
        EXPECT_EQ(solve(run), 7);
        EXPECT_EQ(world.count("exec copy") + world.count("exec run"), 0u);
    }
    EXPECT_EQ(keys.saves(), before);
    // Nor does it need to.
    keys.failing = {"save"};
    new_build();
    EXPECT_EQ(solve(run), 7);
}

TEST_F(SolverCache, ContentHitIsRecordedOnceByDefinition) {
    VertexRef compile = world.constant("compile", 5);
    VertexRef link = world.sum("link", {compile});
    world["link"].contents = {true};
    solve(link);
    world["compile"].key = "compile with another flag";
    std::size_t before = keys.size();
    new_build();
    solve(link);
    // The new compile, and link by its new definition.
    EXPECT_EQ(keys.size(), before + 2);
    std::size_t saves = keys.saves();
    new_build();
    EXPECT_EQ(solve(link), 5);
    EXPECT_THAT(world.log(), ElementsAre("load link"));
    EXPECT_EQ(keys.saves(), saves);
}

TEST_F(SolverCache, IgnoreCacheRunsAndStores) {
    VertexRef a = world.constant("a", 1);
    solve(a);
    world.options.ignore_cache = true;
    world["a"].body = [](const auto&, const auto&) { return 2; };
    VertexRef again = world.sum("a", {});
    new_build();
    EXPECT_EQ(solve(again), 2);
    EXPECT_THAT(world.log(), ElementsAre("exec a"));
    EXPECT_THAT(progress->life("a"), ElementsAre("announced", "started", "done"));
    new_build();
    EXPECT_EQ(solve(a), 2);
    EXPECT_THAT(world.log(), ElementsAre("load a"));
}

TEST_F(SolverCache, NothingMadeFromAnIgnoredResultIsReused) {
    VertexRef sum = world.sum("sum", {world.constant("a", 1)});
    solve(sum);
    world["a"].body = [](const auto&, const auto&) { return 2; };
    world.options.ignore_cache = true;
    VertexRef again = world.sum("a", {});
    world.options.ignore_cache = false;
    new_build();
    EXPECT_EQ(solve(world.sum("sum", {again})), 2);
    EXPECT_THAT(world.log(), ElementsAre("exec a", "exec sum"));
    // A later build without the option sees the new results.
    new_build();
    EXPECT_EQ(solve(sum), 2);
    EXPECT_THAT(world.log(), ElementsAre("load sum"));
}

TEST_F(SolverCache, IgnoredResultWithTheSameContentStopsTheRebuild) {
    VertexRef copy = world.sum("copy", {world.constant("a", 1)});
    world["copy"].contents = {true};
    solve(copy);
    world.options.ignore_cache = true;
    VertexRef again = world.sum("a", {});
    world.options.ignore_cache = false;
    new_build();
    EXPECT_EQ(solve(world.sum("copy", {again})), 1);
    EXPECT_THAT(world.log(), ElementsAre("exec a", "digest copy", "load copy"));
}

TEST_F(SolverCache, IgnoreCacheOfOneOfTwoEqualVerticesCountsForBoth) {
    VertexRef a = world.constant("a", 1);
    solve(a);
    world.options.ignore_cache = true;
    VertexRef again = world.sum("a", {});
    world.options.ignore_cache = false;
    new_build();
    EXPECT_EQ(solve(world.sum("sum", {a, again})), 2);
    EXPECT_EQ(world.count("exec a"), 1u);
}

TEST_F(SolverCache, IgnoreCacheInALaterSolveRunsWhatWasOnlyLoaded) {
    VertexRef sum = world.sum("sum", {world.constant("a", 1)});
    solve(sum);
    new_build();
    solve(sum);
    world.clear_log();
    world.options.ignore_cache = true;
    VertexRef again = world.sum("a", {});
    world.options.ignore_cache = false;
    EXPECT_EQ(solve(world.sum("sum", {again})), 1);
    EXPECT_THAT(world.log(), ElementsAre("exec a", "exec sum"));
}

TEST_F(SolverCache, LostPayloadRunsTheVertex) {
    VertexRef sum = world.sum("sum", {world.constant("a", 1)});
    solve(sum);
    world.lose_payloads();
    new_build();
    EXPECT_EQ(solve(sum), 1);
    EXPECT_THAT(world.log(), ElementsAre("load sum", "load a", "exec a", "exec sum"));
    EXPECT_THAT(progress->life("sum"), ElementsAre("announced", "cached", "started", "done"));
}

TEST_F(SolverCache, LostPayloadKeepsDependantsValid) {
    VertexRef a = world.constant("a", 1);
    VertexRef sum = world.sum("sum", {a});
    solve(sum);
    world.lose_payloads();
    new_build();
    solve(a);
    EXPECT_THAT(world.log(), ElementsAre("load a", "exec a"));
    std::size_t records = keys.size();
    EXPECT_EQ(records, 2u) << "recorded again under the same keys";
}

TEST_F(SolverCache, CheapVertexIsCachedWithoutPayloadAndRecomputedWhenNeeded) {
    VertexRef a = world.constant("a", 1);
    VertexRef cheap = world.sum("cheap", {a});
    world["cheap"].cheap = true;
    world["cheap"].kept = false;
    solve(cheap);
    new_build();
    EXPECT_EQ(solve(cheap), 1);
    EXPECT_THAT(world.log(), ElementsAre("load a", "exec cheap"));
    EXPECT_THAT(progress->life("cheap"), ElementsAre("announced", "cached"));
}

TEST_F(SolverCache, CheapInputOfAHitIsLeftAlone) {
    VertexRef cheap = world.sum("cheap", {world.constant("a", 1)});
    world["cheap"].cheap = true;
    world["cheap"].kept = false;
    VertexRef target = world.sum("target", {cheap});
    solve(target);
    new_build();
    solve(target);
    EXPECT_THAT(world.log(), ElementsAre("load target"));
    EXPECT_THAT(progress->life("cheap"), ElementsAre("announced", "cached"));
}

TEST_F(SolverCache, VertexWithoutPayloadThatIsNotCheapRuns) {
    VertexRef a = world.constant("a", 1);
    world["a"].kept = false;
    solve(a);
    new_build();
    solve(a);
    EXPECT_THAT(world.log(), ElementsAre("exec a"));
    EXPECT_THAT(progress->life("a"), ElementsAre("announced", "started", "done"));
}

TEST_F(SolverCache, LatePayloadIsUsedByTheNextBuild) {
    bool exported = false;
    VertexRef a = world.constant("a", 1);
    world["a"].durable = &exported;
    new_build();
    auto results = solver->solve({{a, 0}}, {});
    solver->save_late({a, 0}, results[0]);  // too early: nothing to keep yet
    new_build();
    results = solver->solve({{a, 0}}, {});
    EXPECT_THAT(world.log(), ElementsAre("exec a"));
    exported = true;
    solver->save_late({a, 0}, results[0]);
    new_build();
    EXPECT_EQ(solve(a), 1);
    EXPECT_THAT(world.log(), ElementsAre("load a"));
}

TEST_F(SolverCache, KnownResultsAreThoseThatWereEvaluated) {
    VertexRef a = world.constant("a", 1);
    VertexRef sum = world.sum("sum", {a});
    new_build();
    EXPECT_EQ(solver->known_result({sum, 0}), nullptr);
    solve(sum);
    EXPECT_EQ(value_of(solver->known_result({a, 0})), 1);
    EXPECT_EQ(solver->known_result({a, 1}), nullptr);
    EXPECT_EQ(solver->known_result({nullptr, 0}), nullptr);
    new_build();
    solve(sum);
    EXPECT_EQ(value_of(solver->known_result({sum, 0})), 1);
    EXPECT_EQ(solver->known_result({a, 0}), nullptr) << "cached and not loaded";
}

TEST_F(SolverCache, LateResultOfSomethingNeverSolvedIsRefused) {
    new_build();
    EXPECT_THROW(solver->save_late({world.constant("a", 1), 0}, std::make_shared<Number>(1)), base::Error);
}

TEST_F(SolverCache, WithoutStoreEverythingRunsOnce) {
    VertexRef copy = world.sum("copy", {world.constant("a", 1)});
    world["copy"].contents = {true};
    for (int build = 0; build < 2; ++build) {
        world.clear_log();
        solver::Solver no_cache(world.resolver(), nullptr, *progress, limits);
        EXPECT_EQ(value_of(no_cache.solve({{copy, 0}}, {})[0]), 1);
        EXPECT_THAT(world.log(), ElementsAre("exec a", "exec copy"));
    }
}

TEST_F(SolverCache, OutputsHaveRecordsOfTheirOwn) {
    VertexRef a = world.constant("a", 1);
    world["a"].outputs = 3;
    EXPECT_THAT(solve_all({{a, 2}}), ElementsAre(3));
    new_build();
    EXPECT_THAT(solve_all({{a, 1}, {a, 0}}), ElementsAre(2, 1));
    EXPECT_EQ(world.count("load a"), 2u);
    EXPECT_EQ(world.count("exec a"), 0u);
    EXPECT_THAT(solve_all({{a, 2}}), ElementsAre(3)) << "another output, later, on the same solver";
    EXPECT_EQ(world.count("exec a"), 0u);
}

}  // namespace
}  // namespace mullion::test
