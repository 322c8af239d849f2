// How folders of layers go: by whoever makes them, and never in their place.
#include <gmock/gmock.h>

#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using base::ErrorCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LayerRemovalTest : public StateFixture {
  protected:
    // Sees what goes, with the names of its entries, and cannot remove it if it is in use.
    RemoveLayer remover() {
        return [this](const fs::path& folder) {
            EXPECT_EQ(folder.parent_path().parent_path().parent_path(), fs::canonical(state() / "tmp"));
            removed_.push_back(base::list_directory(folder));
            if (in_use_)
                throw base::fail(ErrorCode::Unavailable, "in use").hint("it is used by scanner (17)");
            base::remove_tree(folder);
        };
    }
    std::unique_ptr<State> open() { return std::make_unique<State>(state(), remover()); }
    static void unpack(const fs::path& folder) { base::write_file_atomic(folder / "file", "12345"); }
    fs::path folder() const { return state() / "layers" / key(1).hex(); }
    // By a process that has ended: nobody needs it.
    void leave_garbage() { open()->layers().unpacked(key(1), unpack); }
    // What sessions of ended processes have left.
    std::vector<std::string> left() const { return base::list_directory(state() / "tmp"); }

    std::vector<std::vector<std::string>> removed_;
    bool in_use_ = false;
};

TEST_F(LayerRemovalTest, CollectedFoldersGoByTheRemoverAndNothingElseDoes) {
    leave_garbage();
    EXPECT_THAT(removed_, IsEmpty());
    open()->content().put_bytes("garbage");
    EXPECT_EQ(open()->images().collect_garbage(), 5u + std::string_view("garbage").size());
    EXPECT_THAT(removed_, ElementsAre(ElementsAre("file")));
    EXPECT_FALSE(fs::exists(folder()));
    EXPECT_FALSE(fs::exists(folder().concat(".lock")));
    EXPECT_THAT(left(), IsEmpty());
}

TEST_F(LayerRemovalTest, WhatIsInUseIsOutOfTheWayAndALaterStartTriesAgain) {
    leave_garbage();
    in_use_ = true;
    EXPECT_EQ(open()->images().collect_garbage(), 0u);
    EXPECT_FALSE(fs::exists(folder()));
    EXPECT_EQ(removed_.size(), 1u);
    EXPECT_EQ(left().size(), 1u);
    // The layer can be made anew meanwhile.
    open()->layers().unpacked(key(1), unpack);
    EXPECT_EQ(removed_.size(), 2u);
    EXPECT_EQ(left().size(), 1u);
    in_use_ = false;
    open();
    EXPECT_THAT(removed_, ElementsAre(ElementsAre("file"), ElementsAre("file"), ElementsAre("file")));
    EXPECT_THAT(left(), IsEmpty());
    EXPECT_TRUE(fs::exists(folder() / "file"));
}

TEST_F(LayerRemovalTest, WhatCouldNotBeMadeGoesByTheRemover) {
    auto opened = open();
    auto fail = [](const fs::path& directory) {
        unpack(directory);
        throw base::fail(ErrorCode::Corrupt, "no layer");
    };
    EXPECT_EQ(code_of([&] { opened->layers().unpacked(key(1), fail); }), ErrorCode::Corrupt);
    EXPECT_THAT(removed_, ElementsAre(ElementsAre("file")));
    in_use_ = true;
    EXPECT_EQ(code_of([&] { opened->layers().unpacked(key(1), fail); }), ErrorCode::Corrupt);
    EXPECT_TRUE(fs::exists(opened->layers().unpacked(key(1), unpack)));
}

TEST_F(LayerRemovalTest, TemporaryLayersGoByTheRemover) {
    auto opened = open();
    {
        TempLayer layer = opened->temporary_layer();
        EXPECT_THAT(base::list_directory(layer.path()), IsEmpty());
        unpack(layer.path());
        EXPECT_NE(opened->temporary_layer().path(), layer.path());
    }
    EXPECT_THAT(removed_, ElementsAre(IsEmpty(), ElementsAre("file")));
}

TEST_F(LayerRemovalTest, FoldersFromBeforeARestartGoByTheRemover) {
    leave_garbage();
    base::write_file_atomic(state() / "layers" / "tar" / key(2).hex(), "a copy");
    base::write_file_atomic(state() / "layers" / "boot", "another boot");
    auto opened = open();
    EXPECT_THAT(removed_, ElementsAre(ElementsAre("file")));
    EXPECT_FALSE(opened->layers().is_unpacked(key(1)));
    EXPECT_THAT(base::list_directory(state() / "layers" / "tar"), IsEmpty());
    opened->layers().unpacked(key(1), unpack);
    EXPECT_TRUE(open()->layers().is_unpacked(key(1)));
}

}  // namespace
}  // namespace mullion::cache
