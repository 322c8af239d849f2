#include "solver/cache_key.hpp"

#include <gtest/gtest.h>

#include <set>

namespace mullion::solver {
namespace {

using base::Digest;

TEST(CacheKey, EqualPartsGiveEqualKeys) {
    Digest op = Digest::of("op");
    Digest a = Digest::of("a");
    EXPECT_EQ(definition_root(op, {a}), definition_root(op, {a}));
    EXPECT_EQ(content_root(op, {{a, true}}), content_root(op, {{a, true}}));
    EXPECT_EQ(output_key(a, 1), output_key(a, 1));
}

TEST(CacheKey, EveryPartCounts) {
    Digest op = Digest::of("op");
    Digest a = Digest::of("a");
    Digest b = Digest::of("b");
    std::set<Digest> keys = {
        definition_root(op, {}),
        definition_root(op, {a}),
        definition_root(op, {b}),
        definition_root(op, {a, b}),
        definition_root(op, {b, a}),
        definition_root(a, {op}),
        content_root(op, {}),
        content_root(op, {{a, true}}),
        content_root(op, {{a, false}}),
        content_root(op, {{a, true}, {b, false}}),
        content_root(op, {{a, false}, {b, true}}),
        output_key(op, 0),
        output_key(op, 1),
        output_key(a, 0),
    };
    EXPECT_EQ(keys.size(), 14u);
}

TEST(CacheKey, FreshKeysNeverRepeat) {
    std::set<Digest> keys;
    for (int i = 0; i < 1000; ++i) keys.insert(fresh_key(Digest::of("root"), 0));
    EXPECT_EQ(keys.size(), 1000u);
}

}  // namespace
}  // namespace mullion::solver
