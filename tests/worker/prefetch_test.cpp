#include "worker/prefetch.hpp"

#include "base/error.hpp"
#include "tests/worker/worker_test.hpp"
#include "tree/scan.hpp"

namespace mullion::test {
namespace {

class PrefetcherTest : public WorkerTest {
  protected:
    static constexpr int kFiles = 200;  // enough for threads

    static std::string name(int i) { return fmt::format("f{:03}", i); }
    tree::Delta context_delta() {
        for (int i = 0; i < kFiles; ++i) write(name(i), "content " + std::to_string(i));
        tree::Tree files = tree::scan(path("context"), {}, cancel);
        return tree::diff(tree::Tree(files.os()), files);
    }
    static std::vector<tree::ContentRef> contents_of(const tree::Delta& delta) {
        std::vector<tree::ContentRef> contents;
        for (const tree::Change& change : delta.changes) {
            const auto* upsert = std::get_if<tree::Upsert>(&change);
            if (upsert != nullptr && upsert->node->content) contents.push_back(upsert->node->content);
        }
        return contents;
    }
    static std::string text(tree::ContentProvider& provider, const tree::Content& content) {
        return provider.open(content, {})->read_all(1 << 20, "file");
    }
    tree::ContentProvider& direct() { return worker().parts().blobs.contents(); }
};

TEST_F(PrefetcherTest, GivesEveryFileInOrder) {
    tree::Delta delta = context_delta();
    worker::Prefetcher ahead(delta, direct(), cancel);
    std::vector<tree::ContentRef> contents = contents_of(delta);
    ASSERT_EQ(contents.size(), static_cast<std::size_t>(kFiles));
    for (int i = 0; i < kFiles; ++i) {
        EXPECT_EQ(text(ahead, *contents[static_cast<std::size_t>(i)]), "content " + std::to_string(i));
    }
}

TEST_F(PrefetcherTest, GivesFilesOutOfOrderToo) {
    tree::Delta delta = context_delta();
    worker::Prefetcher ahead(delta, direct(), cancel);
    std::vector<tree::ContentRef> contents = contents_of(delta);
    for (std::size_t i = contents.size(); i-- > 0;) {
        EXPECT_EQ(text(ahead, *contents[i]), "content " + std::to_string(i));
    }
}

TEST_F(PrefetcherTest, FileThatCannotBeReadFailsInItsTurn) {
    tree::Delta delta = context_delta();
    std::filesystem::remove(path("context/" + name(50)));
    worker::Prefetcher ahead(delta, direct(), cancel);
    std::vector<tree::ContentRef> contents = contents_of(delta);
    for (std::size_t i = 0; i < contents.size(); ++i) {
        if (i == 50) {
            EXPECT_THROW(text(ahead, *contents[i]), base::Error);
        } else {
            EXPECT_EQ(text(ahead, *contents[i]), "content " + std::to_string(i));
        }
    }
}

TEST_F(PrefetcherTest, MayBeGivenUpAtAnyTime) {
    tree::Delta delta = context_delta();
    std::vector<tree::ContentRef> contents = contents_of(delta);
    for (std::size_t taken : {0, 1, 100}) {
        worker::Prefetcher ahead(delta, direct(), cancel);
        for (std::size_t i = 0; i < taken; ++i) text(ahead, *contents[i]);
    }
}

}  // namespace
}  // namespace mullion::test
