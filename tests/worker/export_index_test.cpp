// Exporting what was built for several platforms.
#include <sys/stat.h>

#include "base/error.hpp"
#include "oci/image.hpp"
#include "oci/layout.hpp"
#include "tests/worker/worker_test.hpp"
#include "worker/exporter.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using worker::Attributes;
using worker::make_exporter;
using Map = std::map<std::string, std::string>;

constexpr const char* kOld = "10.0.17763.6189";
constexpr const char* kNew = "10.0.20348.2700";

class ExportIndex : public WorkerTest {
  protected:
    worker::BuiltImage built(const std::string& version) {
        if (!fs::exists(path("context/app"))) write("app/hello.txt", "Hello!\n");
        solver::CopyAction action;
        action.sources = {"app"};
        action.destination = "app";
        worker::BuiltImage image;
        image.snapshot = solve(copy(base_image(), context(), action));
        image.config.platform.os_version = version;
        image.config.diff_ids = {image.snapshot->layers()[0]->written()->diff_id};
        image.config.history = {{kBaseTime, "base", "", "", false}, {kEpoch, "COPY", "", "", false}};
        image.epoch = kEpoch;
        return image;
    }
    worker::ExportInput two() { return {{built(kOld), built(kNew)}, true}; }
    worker::ExportResult run(const std::string& type, const Attributes& attributes,
                             std::vector<std::string> names = {}) {
        return make_exporter(type, attributes, names)->run(worker(), two(), progress, cancel);
    }
    static worker::ExportShape shape(const worker::ExportInput& input) {
        worker::ExportShape out;
        for (const auto& image : input.images) out.platforms.push_back(image.config.platform);
        out.makes_index = input.makes_index;
        out.has_source_date_epoch = input.images.front().source_date_epoch.has_value();
        return out;
    }
    std::string complaint(const std::string& type, const Attributes& attributes,
                          const worker::ExportInput& input) {
        try {
            make_exporter(type, attributes, {})->check(shape(input));
        } catch (const base::Error& error) {
            return error.what();
        }
        return "";
    }
    oci::Index index_in(oci::ImageArchive& archive) {
        EXPECT_EQ(archive.roots().size(), 1u);
        return oci::Index::parse(
            oci::read_blob(archive, archive.roots().at(0).descriptor, oci::Index::kMaxSize, cancel));
    }
    std::string out(const std::string& name) const { return path(name).string(); }
};

TEST_F(ExportIndex, OneIndexNamesAnImagePerPlatform) {
    auto result = run("oci", {{"dest", out("x.tar")}}, {"app"});
    auto archive = oci::ImageArchive::open_path(path("x.tar"), cancel);
    oci::Index index = index_in(*archive);
    EXPECT_EQ(archive->roots()[0].descriptor.digest, result.image->digest);
    EXPECT_EQ(result.config, std::nullopt) << "an index has no config";
    ASSERT_EQ(index.manifests.size(), 2u);
    EXPECT_EQ(index.media_type, oci::media_type::kIndex);
    EXPECT_EQ(index.manifests[0].platform->os_version, kOld);
    EXPECT_EQ(index.manifests[1].platform->os_version, kNew);
    auto images = oci::load_images(*archive, archive->roots()[0].descriptor, cancel);
    ASSERT_EQ(images.size(), 2u);
    EXPECT_EQ(images[0].manifest.layers, images[1].manifest.layers);
    EXPECT_EQ(images[0].config.platform.os_version, kOld);
    EXPECT_THAT(progress.statuses(), Contains("exporting manifest list " + result.image->digest.string()));
    EXPECT_THAT(progress.statuses(), Contains("exporting manifest " + images[1].descriptor.digest.string()));
}

TEST_F(ExportIndex, DockerTypesMakeAManifestList) {
    run("oci", {{"dest", out("x.tar")}, {"oci-mediatypes", "false"}});
    auto archive = oci::ImageArchive::open_path(path("x.tar"), cancel);
    EXPECT_EQ(index_in(*archive).media_type, oci::media_type::kDockerIndex);
}

TEST_F(ExportIndex, TheStoreKeepsTheIndexAndAllBelow) {
    auto result = run("image", {}, {"app"});
    auto named = state->images().find("docker.io/library/app:latest");
    ASSERT_TRUE(named);
    EXPECT_EQ(named->target.digest, result.image->digest);
    EXPECT_EQ(named->target.media_type, oci::media_type::kIndex);
    EXPECT_EQ(oci::load_images(state->content(), named->target, cancel).size(), 2u);
}

TEST_F(ExportIndex, OnePlatformMayBeAnIndexToo) {
    worker::ExportInput input{{built(kNew)}, true};
    auto exporter = make_exporter("docker", {{"dest", out("d.tar")}}, {"app"});
    exporter->check(shape(input));
    exporter->run(worker(), input, progress, cancel);
    auto archive = oci::ImageArchive::open_path(path("d.tar"), cancel);
    EXPECT_EQ(oci::load_images(*archive, archive->roots().at(0).descriptor, cancel).size(), 1u);
}

TEST_F(ExportIndex, DockerArchivesHoldOnePlatform) {
    EXPECT_THAT(complaint("docker", {{"dest", out("x.tar")}}, two()), HasSubstr("manifest lists"));
    EXPECT_EQ(complaint("docker", {{"dest", out("x.tar")}}, {{built(kNew)}, false}), "");
}

TEST_F(ExportIndex, AnnotationsGoToTheirLevelAndPlatform) {
    run("oci", {{"dest", out("a.tar")},
                {"annotation.all", "1"},
                {"annotation-manifest[windows(10.0.17763.6189)/amd64].old", "2"},
                {"annotation[windows/amd64].all", "3"},
                {"annotation-manifest-descriptor.entry", "4"},
                {"annotation-index.i", "5"},
                {"annotation-index-descriptor.root", "6"}});
    auto archive = oci::ImageArchive::open_path(path("a.tar"), cancel);
    oci::Index index = index_in(*archive);
    auto images = oci::load_images(*archive, archive->roots()[0].descriptor, cancel);
    EXPECT_EQ(images[0].manifest.annotations, (Map{{"all", "3"}, {"old", "2"}}));
    EXPECT_EQ(images[1].manifest.annotations, (Map{{"all", "3"}}));
    EXPECT_EQ(index.manifests[0].annotations, (Map{{"entry", "4"}}));
    EXPECT_EQ(index.annotations, (Map{{"i", "5"}}));
    EXPECT_EQ(archive->roots()[0].descriptor.annotations.at("root"), "6");
}

TEST_F(ExportIndex, AnnotationsWithoutAPlaceAreRefused) {
    worker::ExportInput one{{built(kNew)}, false};
    EXPECT_EQ(complaint("image", {{"annotation-index.a", "1"}}, one),
              "index annotations not supported for single platform export");
    EXPECT_EQ(complaint("image", {{"annotation-index.a", "1"}}, two()), "");
    EXPECT_THAT(complaint("image", {{"annotation[linux/amd64].a", "1"}}, two()),
                HasSubstr("windows(10.0.17763.6189)/amd64, windows(10.0.20348.2700)/amd64"));
}

TEST_F(ExportIndex, FilesGoToADirectoryPerPlatform) {
    run("local", {{"dest", out("files")}});
    EXPECT_EQ(base::read_file(path("files/windows(10.0.17763.6189)_amd64/app/hello.txt"), 100), "Hello!\n");
    EXPECT_EQ(base::read_file(path("files/windows(10.0.20348.2700)_amd64/app/hello.txt"), 100), "Hello!\n");
    EXPECT_THAT(progress.statuses(), Contains("copying files windows(10.0.20348.2700)/amd64"));
    run("tar", {{"dest", out("files.tar")}});
    EXPECT_THAT(base::read_file(path("files.tar"), 1 << 24),
                HasSubstr("windows(10.0.17763.6189)_amd64/app/hello.txt"));
}

TEST_F(ExportIndex, SplittingCanBeChosen) {
    worker::ExportInput one{{built(kNew)}, false};
    make_exporter("local", {{"dest", out("split")}, {"platform-split", "true"}}, {})
        ->run(worker(), one, progress, cancel);
    EXPECT_TRUE(fs::exists(path("split/windows(10.0.20348.2700)_amd64/app/hello.txt")));
    one.makes_index = true;
    make_exporter("local", {{"dest", out("flat")}, {"platform-split", "false"}}, {})
        ->run(worker(), one, progress, cancel);
    EXPECT_TRUE(fs::exists(path("flat/app/hello.txt")));
}

TEST_F(ExportIndex, FilesOfTwoPlatformsMustNotMeet) {
    try {
        run("local", {{"dest", out("flat")}, {"platform-split", "false"}});
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("cannot overwrite"));
        EXPECT_THAT(error.what(), HasSubstr("from windows(10.0.17763.6189)/amd64"));
    }
}

class RewriteTimestamp : public ExportIndex {
  protected:
    static constexpr base::FileTime kLimit = base::FileTime::from_seconds(1'650'000'000);

    oci::Image exported(const Attributes& attributes, std::optional<base::FileTime> epoch) {
        worker::ExportInput input{{built(kNew)}, false};
        input.images[0].source_date_epoch = epoch;
        make_exporter("oci", attributes, {})->run(worker(), input, progress, cancel);
        auto archive = oci::ImageArchive::open_path(attributes.at(0).second, cancel);
        return oci::load_image(*archive, archive->roots().at(0).descriptor, {}, cancel);
    }
    std::vector<tree::Change> changes(const oci::Image& image, std::size_t layer) {
        worker::WrittenLayer written{image.config.diff_ids.at(layer), image.manifest.layers.at(layer)};
        return worker().parts().blobs.delta_of(written, tree::Os::Windows, cancel)->changes;
    }
};

TEST_F(RewriteTimestamp, ClampsLaterTimesOfNewLayers) {
    oci::Image plain = exported({{"dest", out("plain.tar")}}, kLimit);
    oci::Image rewritten = exported({{"dest", out("re.tar")}, {"rewrite-timestamp", "true"}}, kLimit);
    EXPECT_EQ(rewritten.manifest.layers[0], plain.manifest.layers[0]) << "the base stays";
    EXPECT_NE(rewritten.manifest.layers[1], plain.manifest.layers[1]);
    for (const auto& change : changes(rewritten, 1)) {
        const auto& metadata = std::get<tree::Upsert>(change).node->metadata;
        EXPECT_LE(metadata.modified, kLimit);
        EXPECT_LE(metadata.created, kLimit);
    }
    EXPECT_EQ(rewritten.config.created, kLimit) << "created is clamped";
    EXPECT_EQ(plain.config.created, kLimit);
    EXPECT_EQ(rewritten.config.history[0].created, kBaseTime);
}

TEST_F(RewriteTimestamp, LeavesEarlierTimesAlone) {
    base::FileTime late = base::FileTime::from_seconds(4'000'000'000);
    oci::Image plain = exported({{"dest", out("plain.tar")}}, late);
    oci::Image rewritten = exported({{"dest", out("re.tar")}, {"rewrite-timestamp", "true"}}, late);
    EXPECT_EQ(rewritten.descriptor.digest, plain.descriptor.digest);
}

TEST_F(RewriteTimestamp, NeedsATimeAndNoUnpacking) {
    worker::ExportInput input{{built(kNew)}, false};
    EXPECT_THAT(complaint("image", {{"rewrite-timestamp", "true"}}, input), HasSubstr("SOURCE_DATE_EPOCH"));
    try {
        make_exporter("image", {{"rewrite-timestamp", "true"}, {"unpack", "true"}}, {});
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_STREQ(error.what(), "exporter option \"rewrite-timestamp\" conflicts with \"unpack\"");
    }
    EXPECT_NO_THROW(make_exporter("image", {{"rewrite-timestamp", "true"}, {"unpack", "false"}}, {}));
}

TEST_F(RewriteTimestamp, FilesThatAreWrittenOutHaveTheEpoch) {
    worker::ExportInput input{{built(kNew)}, false};
    input.images[0].source_date_epoch = kLimit;
    make_exporter("local", {{"dest", out("files")}}, {})->run(worker(), input, progress, cancel);
    for (const char* name : {"files/app/hello.txt", "files/app"}) {
        struct stat seen {};
        ASSERT_EQ(::stat(path(name).c_str(), &seen), 0);
        EXPECT_EQ(seen.st_mtime, kLimit.seconds()) << name;
    }
}

}  // namespace
}  // namespace mullion::test
