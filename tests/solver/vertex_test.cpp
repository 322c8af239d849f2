#include "solver/vertex.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/error.hpp"

namespace mullion::solver {
namespace {

TEST(Vertex, EqualOperationAndInputsGiveEqualDigests) {
    VertexRef base = Vertex::make("base", {}, {});
    VertexRef a = Vertex::make("op", {{base, 0}}, {"one name", false, {}});
    VertexRef b = Vertex::make("op", {{Vertex::make("base", {}, {}), 0}}, {"another", true, {}});
    EXPECT_EQ(a->digest(), b->digest());
}

TEST(Vertex, WhateverInfluencesTheOutputChangesTheDigest) {
    VertexRef x = Vertex::make("x", {}, {});
    VertexRef y = Vertex::make("y", {}, {});
    std::set<base::Digest> digests = {
        x->digest(),
        y->digest(),
        Vertex::make("op", {}, {})->digest(),
        Vertex::make("op", {{x, 0}}, {})->digest(),
        Vertex::make("op", {{x, 1}}, {})->digest(),
        Vertex::make("op", {{y, 0}}, {})->digest(),
        Vertex::make("op", {{x, 0}, {y, 0}}, {})->digest(),
        Vertex::make("op", {{y, 0}, {x, 0}}, {})->digest(),
    };
    EXPECT_EQ(digests.size(), 8u);
}

TEST(Vertex, AnEdgeWithoutVertexIsRefused) {
    EXPECT_THROW(Vertex::make("op", {{nullptr, 0}}, {}), base::Error);
}

TEST(Vertex, LongChainsAreReleasedWithoutRecursion) {
    VertexRef last = Vertex::make("first", {}, {});
    for (int i = 0; i < 200'000; ++i) last = Vertex::make("next", {{last, 0}}, {});
    std::weak_ptr<const Vertex> watch = last->inputs()[0].vertex;
    last.reset();
    EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace mullion::solver
