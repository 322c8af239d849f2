#include "tree/delta_times.hpp"

#include <gtest/gtest.h>

#include "tree/delta_compare.hpp"

namespace mullion::tree {
namespace {

constexpr base::FileTime kOld = base::FileTime::from_seconds(1'000);
constexpr base::FileTime kNew = base::FileTime::from_seconds(2'000);
constexpr base::FileTime kStep = base::FileTime::from_seconds(1'500);

NodeRef directory(base::FileTime time, std::string descriptor = "sd") {
    auto node = std::make_shared<Node>();
    node->metadata.attributes = attribute::kDirectory;
    node->metadata.descriptor = std::make_shared<const std::string>(std::move(descriptor));
    node->metadata.set_times(time);
    return node;
}

NodeRef file(base::FileTime time) {
    auto node = std::make_shared<Node>();
    node->kind = NodeKind::File;
    node->content = Content::inline_bytes("x");
    node->content->remember_digest(base::Digest::of("x"));
    node->metadata.set_times(time);
    return node;
}

Tree base_tree(base::FileTime time, std::string descriptor = "sd") {
    TreeEditor editor{Tree(Os::Windows)};
    editor.put("", directory(time));
    editor.put("Program Files", directory(time, std::move(descriptor)));
    return editor.finish();
}

// What putting a file into C:\Program Files makes of `lower`.
Delta layer_on(const Tree& lower) {
    TreeEditor editor(lower);
    editor.put("Program Files/app", directory(kStep));
    editor.put("Program Files/app/a.exe", file(kStep));
    return diff(lower, editor.finish());
}

TEST(StampRepeatedParents, MakesLayersOfLikeBasesTheSame) {
    Delta one = layer_on(base_tree(kOld));
    Delta two = layer_on(base_tree(kNew));
    EXPECT_FALSE(same_delta(one, two));
    stamp_repeated_parents(one, base_tree(kOld), kStep);
    stamp_repeated_parents(two, base_tree(kNew), kStep);
    EXPECT_TRUE(same_delta(one, two));
    EXPECT_EQ(one.files_root->modified, kStep);
    EXPECT_EQ(std::get<Upsert>(one.changes[0]).node->metadata.created, kStep);
}

TEST(StampRepeatedParents, OtherDescriptorsStayOther) {
    Delta one = layer_on(base_tree(kOld));
    Delta two = layer_on(base_tree(kOld, "another"));
    stamp_repeated_parents(one, base_tree(kOld), kStep);
    stamp_repeated_parents(two, base_tree(kOld, "another"), kStep);
    EXPECT_FALSE(same_delta(one, two));
    EXPECT_EQ(*std::get<Upsert>(two.changes[0]).node->metadata.descriptor, "another");
}

TEST(StampRepeatedParents, DirectoriesTheLayerChangedKeepTheirTimes) {
    Tree lower = base_tree(kOld);
    TreeEditor editor(lower);
    editor.put("Program Files", directory(kNew));
    Delta delta = diff(lower, editor.finish());
    stamp_repeated_parents(delta, lower, kStep);
    EXPECT_EQ(std::get<Upsert>(delta.changes.at(0)).node->metadata.modified, kNew);
}

TEST(ClampTimes, LaterOnesOnlyAndNothingElse) {
    Tree lower = base_tree(kOld);
    Delta delta = layer_on(lower);
    Delta clamped = clamp_times(delta, base::FileTime::from_seconds(1'200));
    EXPECT_EQ(std::get<Upsert>(clamped.changes[0]).node->metadata.modified, kOld) << "Program Files";
    EXPECT_EQ(std::get<Upsert>(clamped.changes[2]).node->metadata.created.seconds(), 1'200);
    EXPECT_EQ(std::get<Upsert>(delta.changes[2]).node->metadata.created, kStep) << "the original stays";
    EXPECT_TRUE(same_delta(delta, clamp_times(delta, kNew)));
}

}  // namespace
}  // namespace mullion::tree
