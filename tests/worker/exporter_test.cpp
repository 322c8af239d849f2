#include "worker/exporter.hpp"

#include <sys/stat.h>

#include <fstream>

#include "base/error.hpp"
#include "oci/image.hpp"
#include "oci/layout.hpp"
#include "tests/worker/worker_test.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using worker::Attributes;
using worker::make_exporter;

class ExporterTest : public WorkerTest {
  protected:
    // A base layer and one COPY on top.
    worker::ExportInput built() {
        if (!fs::exists(path("context/app"))) {
            write("app/hello.txt", "Hello!\n");
            write("app/sub/x.bin", std::string(70'000, 'x'));
        }
        solver::CopyAction action;
        action.sources = {"app"};
        action.destination = "app";
        worker::BuiltImage image;
        image.snapshot = solve(copy(base_image(), context(), action));
        image.config.platform.os_version = "10.0.20348.2700";
        image.config.diff_ids = {image.snapshot->layers()[0]->written()->diff_id};
        image.config.history = {{kBaseTime, "base", "", "", false},
                                {kEpoch, "ENV A=1", "", "", true},
                                {kEpoch, "COPY app app # buildkit", "", "", false}};
        image.config.config.cmd = {"cmd"};
        image.epoch = kEpoch;
        worker::ExportInput input;
        input.images.push_back(std::move(image));
        return input;
    }
    worker::ExportResult run(const std::string& type, Attributes attributes,
                             std::vector<std::string> names = {}) {
        auto exporter = make_exporter(type, attributes, names);
        return exporter->run(worker(), built(), progress, cancel);
    }
    static base::Error refusal(const std::string& type, Attributes attributes,
                               std::vector<std::string> names = {}) {
        try {
            make_exporter(type, attributes, names);
        } catch (const base::Error& error) {
            return error;
        }
        ADD_FAILURE() << type << " was accepted";
        return base::fail(base::ErrorCode::Internal, "accepted");
    }
    oci::Image only_image(const fs::path& archive) {
        auto opened = oci::ImageArchive::open_path(archive, cancel);
        EXPECT_EQ(opened->roots().size(), 1U);
        return oci::load_image(*opened, opened->roots().at(0).descriptor, {}, cancel);
    }
    std::string out(const std::string& name) const { return path(name).string(); }
};

TEST_F(ExporterTest, OciArchiveHoldsTheImage) {
    auto result = run("oci", {{"dest", out("x.tar")}}, {"app"});
    oci::Image image = only_image(path("x.tar"));
    EXPECT_EQ(image.descriptor.digest, result.image->digest);
    EXPECT_EQ(image.manifest.config.digest, *result.config);
    EXPECT_EQ(image.manifest.layers.size(), 2U);
    EXPECT_EQ(image.config.diff_ids.size(), 2U);
    EXPECT_EQ(image.config.history.size(), 3U);
    EXPECT_EQ(image.config.platform.os_version, "10.0.20348.2700");
    EXPECT_EQ(image.manifest.media_type, oci::media_type::kManifest);
    EXPECT_THAT(result.names, ElementsAre("docker.io/library/app:latest"));
}

TEST_F(ExporterTest, StatusesTellWhatIsDone) {
    auto result = run("image", {{"name", "one,two:3"}});
    EXPECT_THAT(progress.statuses(), Contains("exporting layers"));
    EXPECT_THAT(progress.statuses(), Contains("exporting manifest " + result.image->digest.string()));
    EXPECT_THAT(progress.statuses(), Contains("exporting config " + result.config->string()));
    EXPECT_THAT(progress.statuses(), Contains("naming to docker.io/library/two:3"));
    EXPECT_EQ(progress.all<base::VertexEvent>().back().name, "exporting to image");
    EXPECT_TRUE(progress.all<base::VertexEvent>().back().completed);
}

TEST_F(ExporterTest, ImageLandsInTheLocalStore) {
    auto result = run("image", {}, {"app:1"});
    auto named = state->images().find("docker.io/library/app:1");
    ASSERT_TRUE(named);
    EXPECT_EQ(named->target.digest, result.image->digest);
    oci::Image image = oci::load_image(state->content(), named->target, {}, cancel);
    for (const auto& layer : image.manifest.layers) EXPECT_TRUE(state->content().contains(layer.digest));
}

TEST_F(ExporterTest, SameBuildGivesTheSameBytes) {
    run("oci", {{"dest", out("one.tar")}}, {"app"});
    restart();
    fs::remove_all(path("state"));
    restart();
    run("oci", {{"dest", out("two.tar")}}, {"app"});
    EXPECT_EQ(base::read_file(path("one.tar"), 1 << 24), base::read_file(path("two.tar"), 1 << 24));
}

TEST_F(ExporterTest, DestinationThatIsNoFileIsRefused) {
    ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    fs::create_symlink(path("fifo"), path("link"));
    for (const char* type : {"oci", "docker", "tar"}) {
        for (const std::string& destination : {std::string("/dev/null"), out("fifo"), out("link")}) {
            base::Error error = refusal(type, {{"dest", destination}});
            EXPECT_EQ(error.code(), base::ErrorCode::Invalid);
            EXPECT_THAT(error.what(), HasSubstr("a regular file, or - for standard output"));
        }
    }
    EXPECT_TRUE(fs::is_fifo(path("fifo")));
}

TEST_F(ExporterTest, LinkToAFileStaysALink) {
    base::write_file_atomic(path("real.tar"), "old");
    fs::create_symlink("real.tar", path("link.tar"));
    run("oci", {{"dest", out("link.tar")}}, {"app"});
    EXPECT_TRUE(fs::is_symlink(path("link.tar")));
    EXPECT_EQ(only_image(path("real.tar")).manifest.layers.size(), 2U);
}

TEST_F(ExporterTest, LayoutDirectoryIsWrittenWithoutTar) {
    run("oci", {{"dest", out("layout")}, {"tar", "false"}}, {"app"});
    EXPECT_TRUE(fs::exists(path("layout/oci-layout")));
    EXPECT_EQ(only_image(path("layout")).manifest.layers.size(), 2U);
}

TEST_F(ExporterTest, DockerArchiveHasDockerTypes) {
    run("docker", {{"dest", out("d.tar")}}, {"app"});
    oci::Image image = only_image(path("d.tar"));
    EXPECT_EQ(image.config.diff_ids.size(), 2U);
    auto result = run("docker", {{"dest", out("o.tar")}, {"oci-mediatypes", "true"}}, {"app"});
    EXPECT_EQ(result.image->media_type, oci::media_type::kManifest);
}

TEST_F(ExporterTest, CompressionIsOfNewLayersUnlessForced) {
    run("oci", {{"dest", out("z.tar")}, {"compression", "zstd"}});
    auto layers = only_image(path("z.tar")).manifest.layers;
    EXPECT_EQ(layers[0].media_type, oci::media_type::kLayerGzip);
    EXPECT_EQ(layers[1].media_type, oci::media_type::kLayerZstd);
    run("oci", {{"dest", out("f.tar")}, {"compression", "uncompressed"}, {"force-compression", "true"}});
    layers = only_image(path("f.tar")).manifest.layers;
    EXPECT_EQ(layers[0].media_type, oci::media_type::kLayer);
    EXPECT_EQ(layers[1].media_type, oci::media_type::kLayer);
}

TEST_F(ExporterTest, AnnotationsGoWhereTheyBelong) {
    auto result = run("oci", {{"dest", out("a.tar")},
                              {"annotation.a", "1"},
                              {"annotation-manifest.b", "2"},
                              {"annotation-manifest-descriptor.c", "3"}});
    auto opened = oci::ImageArchive::open_path(path("a.tar"), cancel);
    oci::Image image = oci::load_image(*opened, opened->roots().at(0).descriptor, {}, cancel);
    EXPECT_EQ(image.manifest.annotations, (std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}));
    EXPECT_EQ(opened->roots()[0].descriptor.annotations.at("c"), "3");
    EXPECT_EQ(opened->roots()[0].descriptor.annotations.at("org.opencontainers.image.created"),
              kEpoch.rfc3339());
}

TEST_F(ExporterTest, OneAnnotationOfTwoValuesIsRefused) {
    base::Error error = refusal("oci", {{"annotation.K", "1"}, {"annotation-manifest.K", "2"}});
    EXPECT_EQ(error.code(), base::ErrorCode::Invalid);
    EXPECT_THAT(error.what(), HasSubstr("given twice"));
}

TEST_F(ExporterTest, HistoryIsMadeToFitTheLayers) {
    auto input = built();
    input.images[0].config.history = {{kBaseTime, "base", "", "", false}};
    make_exporter("oci", {{"dest", out("short.tar")}}, {})->run(worker(), input, progress, cancel);
    auto history = only_image(path("short.tar")).config.history;
    ASSERT_EQ(history.size(), 2U);
    EXPECT_EQ(history[1].comment, "buildkit.exporter.image.v0");
    EXPECT_EQ(history[1].created, kEpoch);
    input.images[0].config.history.assign(4, {kEpoch, "RUN x", "", "", false});
    make_exporter("oci", {{"dest", out("long.tar")}}, {})->run(worker(), input, progress, cancel);
    history = only_image(path("long.tar")).config.history;
    ASSERT_EQ(history.size(), 4U);
    EXPECT_FALSE(history[1].empty_layer);
    EXPECT_TRUE(history[2].empty_layer);
}

TEST_F(ExporterTest, LocalWritesTheFiles) {
    fs::create_directories(path("out/app"));
    base::write_file_atomic(path("out/app/hello.txt"), "older");
    base::write_file_atomic(path("out/app/mine.txt"), "mine");
    run("local", {{"dest", out("out")}});
    EXPECT_EQ(base::read_file(path("out/app/hello.txt"), 100), "Hello!\n");
    EXPECT_EQ(base::read_file(path("out/app/mine.txt"), 100), "mine");
    EXPECT_EQ(base::read_file(path("out/Windows/System32/cmd.exe"), 100), "MZ cmd");
    for (const auto& entry : fs::directory_iterator(path("out"))) {
        EXPECT_FALSE(entry.path().filename().string().starts_with(".mullion"));
    }
}

TEST_F(ExporterTest, LocalWritesNothingIfSomethingIsInTheWay) {
    fs::create_directories(path("out/Windows"));
    base::write_file_atomic(path("out/Windows/System32"), "a file");
    EXPECT_THROW(run("local", {{"dest", out("out")}}), base::Error);
    EXPECT_EQ(std::distance(fs::directory_iterator(path("out")), {}), 1);
    EXPECT_EQ(std::distance(fs::directory_iterator(path("out/Windows")), {}), 1);
}

TEST_F(ExporterTest, LocalKeepsModesOfALinuxImageAndTellsWhatIsLost) {
    tree::TreeEditor editor{tree::Tree(tree::Os::Linux)};
    auto node = [](tree::NodeKind kind, std::uint32_t mode, std::uint32_t uid) {
        tree::Node made;
        made.kind = kind;
        made.metadata.mode = mode;
        made.metadata.uid = uid;
        if (kind == tree::NodeKind::File) made.content = tree::Content::inline_bytes("x");
        return made;
    };
    editor.put("shared", node(tree::NodeKind::Directory, 01777, 0));
    editor.put("shared/tool", node(tree::NodeKind::File, 04755, 0));
    editor.put("closed", node(tree::NodeKind::Directory, 0500, 0));
    editor.put("closed/open", node(tree::NodeKind::File, 0666, 7));
    worker::ExportInput input;
    input.images.emplace_back().snapshot =
        worker::Snapshot::files(oci::Platform::parse("linux/amd64"), editor.finish());
    make_exporter("local", {{"dest", out("out")}}, {})->run(worker(), input, progress, cancel);
    auto mode = [&](const char* name) {
        struct stat info {};
        EXPECT_EQ(::stat((path("out") / name).c_str(), &info), 0);
        return info.st_mode & 07777;
    };
    EXPECT_EQ(mode("shared"), 0777u);
    EXPECT_EQ(mode("shared/tool"), 0755u);
    EXPECT_EQ(mode("closed"), 0700u);  // of use to its owner
    EXPECT_EQ(mode("closed/open"), 0666u);
    auto warnings = progress.all<base::WarningEvent>();
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_THAT(warnings[0].message, HasSubstr("owners of 1 files, set-ID and sticky bits of 2"));
}

TEST_F(ExporterTest, LocalFollowsNoLinkOutOfItsDirectory) {
    fs::create_directories(path("out"));
    fs::create_directories(path("victim"));
    fs::create_directory_symlink(path("victim"), path("out/app"));
    EXPECT_THROW(run("local", {{"dest", out("out")}}), base::Error);
    EXPECT_TRUE(fs::is_empty(path("victim")));
}

TEST_F(ExporterTest, TarHoldsTheFiles) {
    run("tar", {{"dest", out("files.tar")}});
    std::string tar = base::read_file(path("files.tar"), 1 << 24);
    EXPECT_THAT(tar, HasSubstr("app/hello.txt"));
    EXPECT_THAT(tar, HasSubstr("Hello!\n"));
    EXPECT_EQ(tar.find("MSWINDOWS"), std::string::npos);
    EXPECT_EQ(tar.find("Files/app"), std::string::npos);
}

TEST_F(ExporterTest, FailedExportLeavesNoFile) {
    base::CancelSource source;
    auto exporter = make_exporter("oci", {{"dest", out("x.tar")}}, {});
    auto input = built();
    source.cancel();
    EXPECT_THROW(exporter->run(worker(), input, progress, source.token()), base::Error);
    for (const auto& entry : fs::directory_iterator(directory.path())) {
        EXPECT_EQ(entry.path().filename().string().find("x.tar"), std::string::npos);
    }
    EXPECT_FALSE(progress.all<base::VertexEvent>().back().error.empty());
}

TEST_F(ExporterTest, UnknownAttributesAreRefusedByName) {
    EXPECT_THAT(refusal("oci", {{"dest", out("x")}, {"colour", "red"}}).what(),
                HasSubstr("unknown attribute \"colour\""));
    EXPECT_THAT(refusal("local", {{"dest", out("x")}, {"name", "a"}}).what(), HasSubstr("\"name\""));
    EXPECT_EQ(refusal("image", {{"store", "false"}}).code(), base::ErrorCode::Unsupported);
    EXPECT_EQ(refusal("image", {{"annotation-pages.a", "1"}}).code(), base::ErrorCode::Invalid);
    EXPECT_EQ(refusal("image", {{"annotation-index[windows/amd64].a", "1"}}).code(),
              base::ErrorCode::Invalid);
    EXPECT_EQ(refusal("image", {{"annotation.", "1"}}).code(), base::ErrorCode::Invalid);
    EXPECT_THAT(refusal("image", {{"annotation.a", "1"}, {"annotation-manifest.a", "2"}}).what(),
                HasSubstr("given twice"));
    EXPECT_EQ(refusal("image", {{"dest", out("x")}}).code(), base::ErrorCode::Invalid);
}

TEST_F(ExporterTest, BadValuesAreRefused) {
    EXPECT_THAT(refusal("oci", {{"tar", "maybe"}}).what(), HasSubstr("tar=maybe"));
    EXPECT_THAT(refusal("oci", {{"compression", "lzma"}}).what(), HasSubstr("gzip, zstd or uncompressed"));
    EXPECT_THAT(refusal("oci", {{"compression-level", "13"}}).what(), HasSubstr("1 to 12"));
    EXPECT_THAT(refusal("oci", {{"compression", "uncompressed"}, {"compression-level", "1"}}).what(),
                HasSubstr("compression-level"));
    EXPECT_THAT(refusal("docker", {{"compression", "zstd"}}).what(), HasSubstr("oci-mediatypes"));
    EXPECT_THAT(refusal("image", {{"name", "UPPER:bad:name"}}).what(), HasSubstr("invalid reference"));
    EXPECT_THAT(refusal("oci", {{"dest", "a"}, {"dest", "b"}}).what(), HasSubstr("twice"));
    EXPECT_THAT(refusal("registry", {}).what(), HasSubstr("under which name"));
    EXPECT_EQ(refusal("teleport", {}).code(), base::ErrorCode::Invalid);
}

TEST_F(ExporterTest, DestinationsAreCheckedBeforeTheBuild) {
    EXPECT_THAT(refusal("local", {}).what(), HasSubstr("dest="));
    EXPECT_THAT(refusal("oci", {{"dest", directory.path().string()}}).what(),
                HasSubstr("this is a directory"));
    EXPECT_THAT(refusal("oci", {{"dest", out("nowhere/x.tar")}}).what(), HasSubstr("directory that exists"));
    EXPECT_THAT(refusal("oci", {{"tar", "false"}}).what(), HasSubstr("dest="));
    base::write_file_atomic(path("file"), "x");
    EXPECT_THAT(refusal("local", {{"dest", out("file")}}).what(), HasSubstr("this is a file"));
    EXPECT_TRUE(make_exporter("oci", {}, {})->writes_to_standard_output());
    EXPECT_TRUE(make_exporter("tar", {{"dest", "-"}}, {})->writes_to_standard_output());
    EXPECT_FALSE(make_exporter("image", {}, {})->writes_to_standard_output());
}

TEST_F(ExporterTest, BaseOfAnotherImageIsRefused) {
    auto input = built();
    input.images[0].config.diff_ids = {base::DiffId{base::Digest::of("another")}};
    EXPECT_THROW(make_exporter("oci", {{"dest", out("x.tar")}}, {})->run(worker(), input, progress, cancel),
                 base::Error);
}

TEST_F(ExporterTest, BaseLayersComeFromTheirLayout) {
    run("oci", {{"dest", out("layout")}, {"tar", "false"}}, {"base"});
    auto opened = oci::ImageArchive::open_path(path("layout"), cancel);
    oci::Image image = oci::load_image(*opened, opened->roots().at(0).descriptor, {}, cancel);
    restart();
    fs::remove_all(path("state"));
    restart();
    options.layouts["named"] = path("layout");
    auto base =
        vertex(solver::ImageSource{"base", image.descriptor.digest.string(), "windows/amd64", "named"});
    worker::ExportInput input{{{solve(base), image.config, kEpoch}}, false};
    make_exporter("oci", {{"dest", out("again.tar")}}, {"base"})->run(worker(), input, progress, cancel);
    EXPECT_EQ(only_image(path("again.tar")).descriptor.digest, image.descriptor.digest);
    EXPECT_TRUE(state->content().list().empty()) << "nothing had to be unpacked or copied";
}

}  // namespace
}  // namespace mullion::test
