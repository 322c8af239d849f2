#include "base/error.hpp"
#include "oci/layout.hpp"
#include "tests/support/errors.hpp"
#include "tests/worker/worker_test.hpp"
#include "worker/image.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using worker::SnapshotRef;
using worker::WrittenLayer;

constexpr const char* kPlatform = "windows(10.0.20348.2700)/amd64";

// Images whose documents were written by others: what a config says of a blob need not be true.
class ImageSourceTest : public WorkerTest {
  protected:
    struct Documents {
        std::string config;
        std::string manifest;
        oci::Manifest parsed;
        oci::Descriptor descriptor() const {
            return {parsed.media_type, base::Digest::of(manifest), manifest.size(), {}, {}, {}};
        }
    };
    static Documents documents(const WrittenLayer& layer) {
        oci::ImageConfig config;
        config.platform = oci::Platform::parse(kPlatform);
        config.diff_ids = {layer.diff_id};
        config.history.push_back({kBaseTime, "base", "", "", false});
        std::string config_bytes = config.json();
        oci::Descriptor config_blob{std::string(oci::media_type::kConfig),
                                    base::Digest::of(config_bytes),
                                    config_bytes.size(),
                                    {},
                                    {},
                                    {}};
        oci::Manifest manifest{
            std::string(oci::media_type::kManifest), std::move(config_blob), {layer.blob}, {}};
        std::string manifest_bytes = manifest.json();
        return {std::move(config_bytes), std::move(manifest_bytes), std::move(manifest)};
    }
    static solver::Edge source(const Documents& image, const std::string& store = "") {
        return vertex(solver::ImageSource{"image", image.descriptor().digest.string(), kPlatform, store}, {},
                      "image");
    }
    // An image in the local store.
    solver::Edge image(const WrittenLayer& layer) {
        Documents made = documents(layer);
        state->content().put_bytes(made.config);
        state->content().put_bytes(made.manifest);
        return source(made);
    }
    // An image in an OCI layout that the build knows by the name "layout".
    solver::Edge layout_image(const WrittenLayer& layer) {
        Documents made = documents(layer);
        auto writer = oci::write_oci_layout(path("layout"));
        writer->put(state->content(), layer.blob, cancel);
        writer->put_bytes(made.parsed.config, made.config);
        writer->put_bytes(made.descriptor(), made.manifest);
        writer->finish({{"", made.descriptor()}});
        options.layouts["layout"] = path("layout");
        return source(made, "layout");
    }

    WrittenLayer base_layer() { return *solve(base_image())->layers().at(0)->written(); }
    // A blob of quite another layer.
    WrittenLayer other_layer() {
        write("other.txt", "other");
        solver::CopyAction action;
        action.sources = {"other.txt"};
        action.destination = "other.txt";
        return worker().parts().writer.write_all(*solve(copy(scratch(), context(), action)), cancel).at(0);
    }
    std::string bytes_of(const WrittenLayer& layer) {
        return state->content().open(layer.blob, cancel)->read_all(1 << 24, "blob");
    }
    // Nothing is left but what `put` brings in.
    void start_afresh() {
        restart();
        fs::remove_all(path("state"));
        restart();
    }
    solver::Edge copy_on(const solver::Edge& base) {
        write("app.txt", "app");
        solver::CopyAction action;
        action.sources = {"app.txt"};
        action.destination = "app.txt";
        return copy(base, context(), action);
    }
    worker::AssembledImage assemble(const SnapshotRef& snapshot) {
        worker::ImageRequest request;
        request.snapshot = snapshot;
        request.config.platform = snapshot->platform();
        request.config.diff_ids = {snapshot->layers().at(0)->written()->diff_id};
        request.epoch = kEpoch;
        return worker::assemble_image(worker(), request, progress, base::Digest::of("x"), cancel);
    }
    // As a build with an output does.
    worker::AssembledImage build(const solver::Edge& edge) {
        SnapshotRef snapshot = solve(edge);
        worker::AssembledImage made = assemble(snapshot);
        save_late({edge});
        return made;
    }
    // The same layer in another blob.
    WrittenLayer recompressed(const WrittenLayer& layer) {
        WrittenLayer other = layer;
        other.blob = worker().parts().writer.recompress(layer, oci::Compression::Zstd, {}, cancel);
        return other;
    }
};

TEST_F(ImageSourceTest, BlobThatIsNotItsLayerIsRefusedAndLeavesTheRealBaseUsable) {
#ifdef _WIN32
    GTEST_SKIP() << "a state in use cannot be removed there";
#endif
    WrittenLayer real = base_layer();
    WrittenLayer lie{real.diff_id, other_layer().blob};
    std::string real_bytes = bytes_of(real);
    std::string lie_bytes = bytes_of(lie);
    start_afresh();
    state->content().put_bytes(lie_bytes);
    base::Error error = failure(copy_on(image(lie)));
    EXPECT_EQ(error.code(), base::ErrorCode::Corrupt);
    EXPECT_THAT(error.what(), HasSubstr(real.diff_id.digest.string()));

    restart();
    state->content().put_bytes(real_bytes);
    SnapshotRef built = solve(copy_on(image(real)));
    EXPECT_EQ(read(built, "Users/Public/readme.txt"), "public");
    EXPECT_EQ(assemble(built).parsed_manifest.layers.at(0).digest, real.blob.digest);
}

TEST_F(ImageSourceTest, BlobThatIsNotItsLayerIsNotExportedThoughTheLayerIsKnown) {
    WrittenLayer real = base_layer();
    WrittenLayer lie{real.diff_id, other_layer().blob};
    restart();
    SnapshotRef built = solve(copy_on(image(lie)));
    base::Error error = error_of([&] { assemble(built); });
    EXPECT_EQ(error.code(), base::ErrorCode::Corrupt);
    EXPECT_THAT(error.what(), HasSubstr(lie.blob.digest.string()));
    EXPECT_THAT(error.what(), HasSubstr(real.diff_id.digest.string()));
}

TEST_F(ImageSourceTest, CacheRecordMadeOnALieDoesNotReachTheRealBase) {
    WrittenLayer real = base_layer();
    WrittenLayer lie{real.diff_id, other_layer().blob};
    restart();
    solver::Edge on_lie = copy_on(image(lie));
    worker().parts().writer.write_all(*solve(on_lie), cancel);
    save_late({on_lie});
    restart();
    SnapshotRef built = solve(copy_on(image(real)));
    EXPECT_THAT(progress.cached(), testing::Contains("COPY"));
    EXPECT_EQ(assemble(built).parsed_manifest.layers.at(0).digest, real.blob.digest);
}

TEST_F(ImageSourceTest, CachedResultHasTheBlobsOfTheBuildsOwnBase) {
    WrittenLayer gzip = base_layer();
    WrittenLayer zstd = recompressed(gzip);
    ASSERT_NE(gzip.blob.digest, zstd.blob.digest);
    build(copy_on(image(gzip)));
    restart();
    EXPECT_EQ(build(copy_on(image(zstd))).parsed_manifest.layers.at(0).digest, zstd.blob.digest);
    EXPECT_THAT(progress.cached(), testing::Contains("COPY"));
    restart();
    EXPECT_EQ(build(copy_on(image(gzip))).parsed_manifest.layers.at(0).digest, gzip.blob.digest);
}

TEST_F(ImageSourceTest, BaseOfARunningBuildSurvivesItsRemovalByOthers) {
    solver::Edge base = image(base_layer());
    solver::Edge target = copy_on(base);
    restart();
    worker().resolve(base.vertex)->cache_map({cancel, &progress, base.vertex->digest()});
    cache::State(path("state")).images().collect_garbage();
    EXPECT_EQ(read(solve(target), "Users/Public/readme.txt"), "public");
}

TEST_F(ImageSourceTest, BaseThatNobodyUsesGoes) {
    solver::Edge target = copy_on(image(base_layer()));
    restart();
    cache::State(path("state")).images().collect_garbage();
    EXPECT_EQ(failure(target).code(), base::ErrorCode::NotFound);
}

TEST_F(ImageSourceTest, LayersOfALayoutAreCopiedOnlyWhenAFileIsRead) {
    solver::Edge edge = layout_image(base_layer());
    WrittenLayer layer = base_layer();
    state->content().remove(layer.blob.digest);
    restart();
    SnapshotRef built = solve(copy_on(edge));
    EXPECT_EQ(assemble(built).parsed_manifest.layers.at(0).digest, layer.blob.digest);
    EXPECT_FALSE(state->content().size_of(layer.blob.digest));
    EXPECT_EQ(read(built, "Users/Public/readme.txt"), "public");
    EXPECT_TRUE(state->content().size_of(layer.blob.digest));
}

// Four levels of indexes, each naming the next one 300 times: 300^4 reads for who follows every entry.
TEST_F(ImageSourceTest, LayoutOfRepeatedIndexesIsReadOnceEach) {
    Documents absent = documents(base_layer());
    auto writer = oci::write_oci_layout(path("layout"));
    oci::Descriptor below{std::string(oci::media_type::kIndex), base::Digest::of("absent"), 6, {}, {}, {}};
    for (int level = 0; level < 4; ++level) {
        oci::Index index;
        index.manifests.assign(300, below);
        std::string bytes = index.json();
        below = {std::string(oci::media_type::kIndex), base::Digest::of(bytes), bytes.size(), {}, {}, {}};
        writer->put_bytes(below, bytes);
    }
    writer->finish({{"", below}});
    options.layouts["layout"] = path("layout");
    restart();
    EXPECT_EQ(failure(source(absent, "layout")).code(), base::ErrorCode::NotFound);
}

TEST_F(ImageSourceTest, LayoutWhoseBlobIsNotTheLayerIsRefusedWhenAFileIsRead) {
    WrittenLayer real = base_layer();
    WrittenLayer lie{real.diff_id, other_layer().blob};
    solver::Edge edge = layout_image(lie);
    state->content().remove(real.blob.digest);
    restart();
    SnapshotRef built = solve(copy_on(edge));
    EXPECT_EQ(error_of([&] { read(built, "Users/Public/readme.txt"); }).code(), base::ErrorCode::Corrupt);
    EXPECT_EQ(error_of([&] { assemble(built); }).code(), base::ErrorCode::Corrupt);
}

TEST_F(ImageSourceTest, ForeignLayerNeedsNoBlobOnceItsIndexIsKnown) {
    WrittenLayer layer = base_layer();
    state->content().remove(layer.blob.digest);
    layer.blob.media_type = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    layer.blob.urls = {"https://example.com/base"};
    build(copy_on(image(layer)));
    restart();
    worker::AssembledImage made = build(copy_on(image(layer)));
    EXPECT_THAT(progress.cached(), testing::Contains("COPY"));
    EXPECT_EQ(made.parsed_manifest.layers.at(0), layer.blob);
}

}  // namespace
}  // namespace mullion::test
