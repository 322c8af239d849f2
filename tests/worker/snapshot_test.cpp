#include "worker/snapshot.hpp"

#include <thread>

#include "base/error.hpp"
#include "tests/worker/worker_test.hpp"

namespace mullion::test {
namespace {

using worker::Layer;
using worker::Snapshot;
using worker::SnapshotRef;

class SnapshotTest : public WorkerTest {
  protected:
    static std::shared_ptr<const tree::Delta> delta_with(const std::string& name, const std::string& data) {
        tree::TreeEditor editor{tree::Tree(tree::Os::Windows)};
        editor.put(name, file_node(data));
        return std::make_shared<const tree::Delta>(
            tree::diff(tree::Tree(tree::Os::Windows), editor.finish()));
    }
    SnapshotRef stack_of(int layers) {
        SnapshotRef at = Snapshot::empty({});
        for (int i = 0; i < layers; ++i) {
            auto delta = delta_with("f" + std::to_string(i), std::to_string(i));
            at = Snapshot::on_top(at, std::make_shared<Layer>(delta));
        }
        return at;
    }
};

TEST_F(SnapshotTest, TreeIsTheLayersOnTopOfOneAnother) {
    SnapshotRef snapshot = stack_of(3);
    EXPECT_EQ(snapshot->layers().size(), 3U);
    EXPECT_EQ(read(snapshot, "f0"), "0");
    EXPECT_EQ(read(snapshot, "F2"), "2");
    EXPECT_EQ(read(snapshot->below(), "f2"), "(no file)");
}

TEST_F(SnapshotTest, DeepStacksNeitherOverflowNorRecurse) {
    SnapshotRef snapshot = Snapshot::empty({});
    auto delta = delta_with("f", "x");
    for (int i = 0; i < 200'000; ++i) snapshot = Snapshot::on_top(snapshot, std::make_shared<Layer>(delta));
    EXPECT_NE(snapshot->tree(cancel).find("f"), nullptr);
}

TEST_F(SnapshotTest, TreeIsComputedOnceByManyThreads) {
    SnapshotRef snapshot = stack_of(20);
    std::vector<const tree::Node*> roots(8);
    std::vector<std::thread> threads;
    for (auto& root : roots) {
        threads.emplace_back([&] { root = snapshot->tree(cancel).root().get(); });
    }
    for (auto& thread : threads) thread.join();
    for (const auto* root : roots) EXPECT_EQ(root, roots[0]);
}

TEST_F(SnapshotTest, PayloadNeedsEveryLayerWritten) {
    SnapshotRef snapshot = stack_of(2);
    EXPECT_EQ(worker::save_payload(*snapshot), "");
    worker().parts().writer.write(*snapshot->layers()[0], cancel);
    EXPECT_EQ(worker::save_payload(*snapshot), "");
    worker().parts().writer.write_all(*snapshot, cancel);
    EXPECT_NE(worker::save_payload(*snapshot), "");
}

TEST_F(SnapshotTest, PayloadComesBackAsTheSameLayers) {
    SnapshotRef snapshot = stack_of(2);
    auto written = worker().parts().writer.write_all(*snapshot, cancel);
    std::string payload = worker::save_payload(*snapshot);
    SnapshotRef loaded = worker::load_payload(payload, worker().parts().blobs);
    ASSERT_NE(loaded, nullptr);
    ASSERT_EQ(loaded->layers().size(), 2U);
    EXPECT_EQ(*loaded->layers()[1]->written(), written[1]);
    EXPECT_EQ(read(loaded, "f1"), "1");
    EXPECT_EQ(worker::save_payload(*loaded), payload);
}

TEST_F(SnapshotTest, PayloadWhoseBlobIsGoneIsNoResult) {
    SnapshotRef snapshot = stack_of(2);
    auto written = worker().parts().writer.write_all(*snapshot, cancel);
    std::string payload = worker::save_payload(*snapshot);
    state->content().remove(written[0].blob.digest);
    EXPECT_EQ(worker::load_payload(payload, worker().parts().blobs), nullptr);
}

TEST_F(SnapshotTest, DamagedPayloadIsNoResult) {
    for (const char* payload :
         {"", "{", "[]", "{\"type\":\"snapshot 2\"}", "{\"type\":\"snapshot 9\"}",
          R"({"type":"snapshot 2","platform":"?/?/?/?","layers":[]})",
          R"({"type":"snapshot 2","platform":"windows/amd64","layers":[{"diff_id":"x"}]})"}) {
        EXPECT_EQ(worker::load_payload(payload, worker().parts().blobs), nullptr) << payload;
    }
}

TEST_F(SnapshotTest, FilesCountAsOneLayerWhenBuiltUpon) {
    tree::TreeEditor editor{tree::Tree(tree::Os::Windows)};
    editor.put("a", file_node("1"));
    SnapshotRef snapshot = Snapshot::files({}, editor.finish());
    ASSERT_EQ(snapshot->layers().size(), 1U);
    EXPECT_EQ(snapshot->layers()[0]->delta(tree::Os::Windows, cancel)->changes.size(), 1U);
}

}  // namespace
}  // namespace mullion::test
