#include "worker/image_registry.hpp"

#include "tests/worker/worker_test.hpp"
#include "tree/base_image.hpp"

namespace mullion::test {
namespace {

using testing::HasSubstr;

class ImageRegistryTest : public WorkerTest {
  protected:
    static tree::Delta base_layer() {
        return tree::base_image_layer({.os_version = "10.0.20348.2700", .time = kBaseTime});
    }
    // A layer that changes PATH as "setx /M" in a container of Windows does.
    static tree::Delta path_layer(std::string_view path) {
        tree::HiveKey root{.name = "ROOT"};
        tree::HiveKey* at = &root;
        for (const char* name : {"ControlSet001", "Control", "Session Manager", "Environment"}) {
            at->subkeys.push_back(tree::HiveKey{.name = name});
            at = &at->subkeys.back();
        }
        at->values = {tree::HiveValue::expand_string("Path", path)};
        return layer_with("System_Delta", tree::write_hive(root, {}));
    }
    static tree::Delta layer_with(const std::string& hive, std::string bytes) {
        tree::Delta layer;
        layer.files_root = layer.hives_root = directory_node(kBaseTime).metadata;
        layer.hives.push_back(
            tree::Upsert{hive, std::make_shared<const tree::Node>(file_node(std::move(bytes), kBaseTime))});
        return layer;
    }
    std::optional<std::string> path_of(const base::Digest& manifest) {
        return worker::machine_path(worker(), "", manifest, cancel);
    }
};

TEST_F(ImageRegistryTest, PathComesFromTheBaseLayer) {
    EXPECT_THAT(*path_of(image_manifest({base_layer()})), HasSubstr("C:\\Windows\\system32;C:\\Windows;"));
}

TEST_F(ImageRegistryTest, LaterLayersChangeIt) {
    auto manifest = image_manifest(
        {base_layer(), path_layer("%SystemRoot%;C:\\git"), path_layer("%SystemRoot%;C:\\git;C:\\go")});
    EXPECT_EQ(path_of(manifest), "C:\\Windows;C:\\git;C:\\go");
}

TEST_F(ImageRegistryTest, ImagesWithoutHivesHaveNone) {
    tree::Delta empty;
    empty.files_root = directory_node(kBaseTime).metadata;
    EXPECT_FALSE(path_of(image_manifest({empty})));
    EXPECT_FALSE(path_of(image_manifest({empty, path_layer("C:\\x")}))) << "a change of nothing";
}

TEST_F(ImageRegistryTest, NoLayerIsReadAgain) {
    auto manifest = image_manifest({base_layer()});
    auto path = path_of(manifest);
    for (const auto& layer : worker().parts().blobs.read_image("", manifest, cancel).manifest.layers) {
        std::filesystem::remove(state->directory() / "blobs/sha256" / layer.digest.hex());
    }
    restart();
    std::filesystem::remove_all(state->directory() / "index");
    EXPECT_EQ(path_of(manifest), path);
}

TEST_F(ImageRegistryTest, DamagedHivesAreNamed) {
    auto manifest = image_manifest({base_layer(), layer_with("System_Delta", "MZ")});
    try {
        path_of(manifest);
        ADD_FAILURE() << "no error";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Corrupt);
        EXPECT_THAT(error.what(), HasSubstr("Windows/System32/config/SYSTEM: it is no registry hive"));
    }
}

}  // namespace
}  // namespace mullion::test
