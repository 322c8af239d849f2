#include "oci/layout.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "support.hpp"

namespace mullion::oci {
namespace {

namespace fs = std::filesystem;
using test::add_image;
using test::failure;
using test::layer_tar;
using test::MemoryBlobs;
using test::TestImage;
using test::write_image;

constexpr const char* kName = "mcr.microsoft.com/windows/nanoserver:ltsc2022";

class LayoutTest : public test::ScratchTest {
  protected:
    std::string archive(std::unique_ptr<ImageWriter> (*make)(base::Sink&), const TestImage& image,
                        const std::string& name = kName) {
        base::StringSink sink;
        write_image(*make(sink), blobs_, image, name);
        return sink.take();
    }

    void expect_image(ImageArchive& archive, const TestImage& image) {
        ASSERT_EQ(archive.roots().size(), 1u);
        EXPECT_EQ(archive.roots()[0].name, kName);
        EXPECT_EQ(archive.roots()[0].descriptor.digest, image.root.digest);
        EXPECT_EQ(archive.roots()[0].descriptor.platform, image.root.platform);
        EXPECT_EQ(read_blob(archive, image.root, 1 << 20, none_), blobs_.bytes.at(image.root.digest));
        for (const Descriptor& layer : image.manifest.layers) {
            EXPECT_EQ(read_blob(archive, layer, 1 << 20, none_), blobs_.bytes.at(layer.digest));
        }
    }

    MemoryBlobs blobs_;
    TestImage image_ = add_image(blobs_, {layer_tar("a", "1"), layer_tar("b", std::string(100'000, 'b'))});
};

TEST_F(LayoutTest, OciArchiveRoundTrips) {
    write("a.tar", archive(write_oci_archive, image_));
    expect_image(*ImageArchive::open_path(path("a.tar"), none_), image_);
}

TEST_F(LayoutTest, CompressedArchivesAreRead) {
    std::string tar = archive(write_oci_archive, image_);
    write("a.tar.gz", test::compressed(tar, Compression::Gzip));
    expect_image(*ImageArchive::open_path(path("a.tar.gz"), none_), image_);
    write("a.tar.zst", test::compressed(tar, Compression::Zstd));
    expect_image(*ImageArchive::open_path(path("a.tar.zst"), none_), image_);
}

TEST_F(LayoutTest, DockerArchiveRoundTrips) {
    write("d.tar", archive(write_docker_archive, image_));
    expect_image(*ImageArchive::open_path(path("d.tar"), none_), image_);
}

TEST_F(LayoutTest, DirectoryRoundTrips) {
    write_image(*write_oci_layout(path("layout")), blobs_, image_, kName);
    expect_image(*ImageArchive::open_path(path("layout"), none_), image_);
    EXPECT_EQ(read("layout/oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
}

TEST_F(LayoutTest, SameImageSameBytes) {
    EXPECT_EQ(archive(write_oci_archive, image_), archive(write_oci_archive, image_));
    EXPECT_EQ(archive(write_docker_archive, image_), archive(write_docker_archive, image_));
}

TEST_F(LayoutTest, ArchiveEntriesAreAnonymous) {
    write("a.tar", archive(write_oci_archive, image_));
    std::string list = python(
        "import tarfile,sys\n"
        "for m in tarfile.open(sys.argv[1]+'/a.tar'):\n"
        "    print(m.name.split('/')[0], oct(m.mode), m.uid, m.gid, repr(m.uname), m.mtime, m.isdir())\n");
    EXPECT_EQ(list,
              "blobs 0o755 0 0 '' 0 True\nblobs 0o755 0 0 '' 0 True\n"
              "blobs 0o644 0 0 '' 0 False\nblobs 0o644 0 0 '' 0 False\nblobs 0o644 0 0 '' 0 False\nblobs "
              "0o644 0 0 '' 0 False\n"
              "index.json 0o644 0 0 '' 0 False\noci-layout 0o644 0 0 '' 0 False\n");
}

TEST_F(LayoutTest, ABlobPutTwiceIsStoredOnce) {
    base::StringSink once;
    write_image(*write_oci_archive(once), blobs_, image_, kName);
    base::StringSink twice;
    std::unique_ptr<ImageWriter> writer = write_oci_archive(twice);
    writer->put(blobs_, image_.manifest.layers[0], none_);
    write_image(*writer, blobs_, image_, kName);
    EXPECT_EQ(once.data(), twice.data());
}

TEST_F(LayoutTest, IndexNamesTheImageAsBuildKitDoes) {
    write_image(*write_oci_layout(path("layout")), blobs_, image_, "nano");
    Descriptor entry = Index::parse(read("layout/index.json")).manifests.at(0);
    EXPECT_EQ(entry.annotations.at("io.containerd.image.name"), "docker.io/library/nano:latest");
    EXPECT_EQ(entry.annotations.at("org.opencontainers.image.ref.name"), "latest");
}

TEST_F(LayoutTest, NothingIsVisibleBeforeFinish) {
    std::unique_ptr<ImageWriter> writer = write_oci_layout(path("layout"));
    writer->put(blobs_, image_.manifest.layers[0], none_);
    EXPECT_FALSE(fs::exists(path("layout/index.json")));
    EXPECT_EQ(failure([&] { ImageArchive::open_path(path("layout"), none_); }).code,
              base::ErrorCode::Invalid);
}

TEST_F(LayoutTest, ExistingImagesStayAndTheSameNameIsReplaced) {
    TestImage other = add_image(blobs_, {layer_tar("c", "3")});
    write_image(*write_oci_layout(path("l")), blobs_, image_, "one:1");
    write_image(*write_oci_layout(path("l")), blobs_, image_, "two:2");
    write_image(*write_oci_layout(path("l")), blobs_, other, "one:1");
    std::string index = read("l/index.json");
    write_image(*write_oci_layout(path("l")), blobs_, other, "one:1");
    EXPECT_EQ(read("l/index.json"), index);
    auto archive = ImageArchive::open_path(path("l"), none_);
    ASSERT_EQ(archive->roots().size(), 2u);
    EXPECT_EQ(archive->roots()[0].name, "docker.io/library/one:1");
    EXPECT_EQ(archive->roots()[0].descriptor.digest, other.root.digest);
    EXPECT_EQ(archive->roots()[1].descriptor.digest, image_.root.digest);
}

TEST_F(LayoutTest, EntriesOfOtherToolsAreKeptWhole) {
    write_image(*write_oci_layout(path("l")), blobs_, image_, "one:1");
    std::string foreign =
        R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:)" +
        std::string(64, '5') +
        R"(","size":5,"annotations":{"org.opencontainers.image.ref.name":"other"},"platform":{"architecture":"amd64","os":"linux","features":["sse4"]},"artifactType":"t"})";
    write("l/index.json",
          R"({"schemaVersion":2,"manifests":[)" + foreign + R"(],"annotations":{"x":"y"},"later":1})");
    write_image(*write_oci_layout(path("l")), blobs_, image_, "one:1");
    std::string index = read("l/index.json");
    EXPECT_NE(index.find(foreign), std::string::npos) << index;
    EXPECT_NE(index.find(R"("later":1)"), std::string::npos) << index;
    EXPECT_EQ(Index::parse(index).manifests.size(), 2u);
}

TEST_F(LayoutTest, ADamagedBlobOfADirectoryIsWrittenAgain) {
    write_image(*write_oci_layout(path("l")), blobs_, image_, "one:1");
    std::string blob = "l/blobs/sha256/" + image_.manifest.layers[1].digest.hex();
    std::string good = read(blob);
    write(blob, good.substr(1));
    write_image(*write_oci_layout(path("l")), blobs_, image_, "one:1");
    EXPECT_EQ(read(blob), good);
}

// Decision 4: what a finished image names is whole; what nobody names may be anything.
TEST_F(LayoutTest, OnlyBlobsThatAnImageNamesAreTakenUnread) {
    write_image(*write_oci_layout(path("l")), blobs_, image_, "one:1");
    std::string blob = "l/blobs/sha256/" + image_.manifest.layers[1].digest.hex();
    std::string good = read(blob);
    std::string same_size(good.size(), 'x');
    write(blob, same_size);
    write_image(*write_oci_layout(path("l")), blobs_, image_, "one:1");
    EXPECT_EQ(read(blob), same_size);
    write("l/index.json", Index{}.json());
    write_image(*write_oci_layout(path("l")), blobs_, image_, "one:1");
    EXPECT_EQ(read(blob), good);
    // A manifest that is not what it is named by names nothing.
    write(blob, same_size);
    std::string manifest = read("l/blobs/sha256/" + image_.root.digest.hex());
    write("l/blobs/sha256/" + image_.root.digest.hex(), std::string(manifest.size(), ' '));
    write_image(*write_oci_layout(path("l")), blobs_, image_, "one:1");
    EXPECT_EQ(read(blob), good);
}

TEST_F(LayoutTest, BlobsAreFoundThroughNestedIndexes) {
    write_image(*write_oci_layout(path("l")), blobs_, image_, "one:1");
    Index index;
    index.manifests = {image_.root};
    for (int i = 0; i < 2; ++i) {
        Descriptor inner = blobs_.add(media_type::kIndex, index.json());
        write("l/blobs/sha256/" + inner.digest.hex(), index.json());
        index.manifests = {inner};
    }
    write("l/index.json", index.json());
    std::string blob = "l/blobs/sha256/" + image_.manifest.layers[0].digest.hex();
    std::string same_size(read(blob).size(), 'x');
    write(blob, same_size);
    write_oci_layout(path("l"))->put(blobs_, image_.manifest.layers[0], none_);
    EXPECT_EQ(read(blob), same_size);
}

TEST_F(LayoutTest, ALayoutOfAnotherVersionIsLeftAlone) {
    std::string marker = R"({"imageLayoutVersion":"2.0.0"})";
    write("l/oci-layout", marker);
    test::Failure error = failure([&] { write_oci_layout(path("l")); });
    EXPECT_EQ(error.code, base::ErrorCode::Unsupported);
    EXPECT_NE(error.text.find("l/oci-layout"), std::string::npos) << error.text;
    EXPECT_EQ(read("l/oci-layout"), marker);
    EXPECT_FALSE(fs::exists(path("l/blobs")));
    // Nor one that became so while we wrote.
    fs::remove(path("l/oci-layout"));
    std::unique_ptr<ImageWriter> writer = write_oci_layout(path("l"));
    write("l/oci-layout", marker);
    EXPECT_EQ(failure([&] { write_image(*writer, blobs_, image_, "one:1"); }).code,
              base::ErrorCode::Unsupported);
    EXPECT_FALSE(fs::exists(path("l/index.json")));
}

TEST_F(LayoutTest, LinksAndPipesInADirectoryLeadNowhere) {
    write("outside", "mine");
    fs::create_directories(path("l/blobs/sha256"));
    for (const std::string& name :
         {std::string("index.json"), "blobs/sha256/" + image_.manifest.layers[0].digest.hex(),
          "blobs/sha256/" + image_.root.digest.hex()}) {
        fs::create_symlink(path("outside"), path("l/" + name));
    }
    ASSERT_EQ(::mkfifo(path("l/oci-layout").c_str(), 0600), 0);
    fs::remove(path("l/index.json"));
    ASSERT_EQ(::mkfifo(path("l/index.json").c_str(), 0600), 0);
    write_image(*write_oci_layout(path("l")), blobs_, image_, kName);
    EXPECT_EQ(read("outside"), "mine");
    expect_image(*ImageArchive::open_path(path("l"), none_), image_);
}

TEST_F(LayoutTest, ManyWritersOfOneDirectoryLoseNothing) {
    std::vector<TestImage> images;
    for (int i = 0; i < 6; ++i) images.push_back(add_image(blobs_, {layer_tar("x", std::to_string(i))}));
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i) {
        threads.emplace_back([&, i] {
            write_image(*write_oci_layout(path("l")), blobs_, images[static_cast<std::size_t>(i)],
                        "image:" + std::to_string(i));
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(ImageArchive::open_path(path("l"), none_)->roots().size(), 6u);
}

TEST_F(LayoutTest, AWrongBlobNeverGetsIn) {
    const Descriptor& layer = image_.manifest.layers[0];
    std::string& bytes = blobs_.bytes.at(layer.digest);
    std::string good = bytes;
    for (const std::string& wrong : {good.substr(1), good + "x", std::string(good.size(), 'x')}) {
        bytes = wrong;
        base::StringSink sink;
        test::Failure error = failure([&] { write_oci_archive(sink)->put(blobs_, layer, none_); });
        EXPECT_EQ(error.code, base::ErrorCode::Corrupt);
        EXPECT_NE(error.text.find(layer.digest.string()), std::string::npos) << error.text;
        EXPECT_EQ(failure([&] { write_oci_layout(path("l"))->put(blobs_, layer, none_); }).code,
                  base::ErrorCode::Corrupt);
    }
    EXPECT_TRUE(fs::is_empty(path("l/blobs/sha256")));
    base::NullSink sink;
    EXPECT_EQ(failure([&] { write_oci_archive(sink)->put_bytes(layer, "x"); }).code,
              base::ErrorCode::Corrupt);
}

TEST_F(LayoutTest, AnIncompleteImageIsRefused) {
    base::StringSink sink;
    std::unique_ptr<ImageWriter> writer = write_oci_archive(sink);
    writer->put(blobs_, image_.manifest.layers[0], none_);
    writer->put(blobs_, image_.root, none_);
    test::Failure error = failure([&] { writer->finish({{kName, image_.root}}); });
    EXPECT_EQ(error.code, base::ErrorCode::Invalid);
    EXPECT_NE(error.text.find("incomplete"), std::string::npos) << error.text;
}

TEST_F(LayoutTest, LayersWithTheirOwnUrlsMayBeAbsent) {
    image_.manifest.layers[0].media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    image_.manifest.layers[0].urls = {"https://example.com/layer"};
    test::seal(blobs_, image_);
    base::StringSink sink;
    std::unique_ptr<ImageWriter> writer = write_oci_archive(sink);
    writer->put(blobs_, image_.manifest.layers[1], none_);
    writer->put(blobs_, image_.manifest.config, none_);
    writer->put(blobs_, image_.root, none_);
    writer->finish({{kName, image_.root}});
}

TEST_F(LayoutTest, AForeignLayerWithoutUrlsMustBeThere) {
    image_.manifest.layers[0].media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    test::seal(blobs_, image_);
    base::StringSink sink;
    std::unique_ptr<ImageWriter> writer = write_oci_archive(sink);
    writer->put(blobs_, image_.manifest.layers[1], none_);
    writer->put(blobs_, image_.manifest.config, none_);
    writer->put(blobs_, image_.root, none_);
    test::Failure error = failure([&] { writer->finish({{kName, image_.root}}); });
    EXPECT_NE(error.text.find("incomplete"), std::string::npos) << error.text;
}

TEST_F(LayoutTest, AnImageBelowNestedIndexesMustBeComplete) {
    Index index;
    index.manifests = {image_.root};
    Descriptor inner = blobs_.add(media_type::kIndex, index.json());
    index.manifests = {inner, inner};
    Descriptor outer = blobs_.add(media_type::kIndex, index.json());
    base::StringSink sink;
    std::unique_ptr<ImageWriter> writer = write_oci_archive(sink);
    for (const Descriptor& document : {image_.root, inner, outer}) writer->put(blobs_, document, none_);
    test::Failure error = failure([&] { writer->finish({{kName, outer}}); });
    EXPECT_NE(error.text.find("incomplete"), std::string::npos) << error.text;
    for (int i = 0; i < 4; ++i) {
        index.manifests = {outer};
        outer = blobs_.add(media_type::kIndex, index.json());
        writer->put(blobs_, outer, none_);
    }
    EXPECT_NE(failure([&] {
                  writer->finish({{kName, outer}});
              }).text.find("nested deeper"),
              std::string::npos);
}

TEST_F(LayoutTest, ACanceledWriteStops) {
    base::CancelSource cancel;
    cancel.cancel();
    base::NullSink sink;
    EXPECT_EQ(failure([&] { write_oci_archive(sink)->put(blobs_, image_.root, cancel.token()); }).code,
              base::ErrorCode::Canceled);
}

TEST_F(LayoutTest, AnUnusableNameIsRefused) {
    EXPECT_EQ(failure([&] { archive(write_oci_archive, image_, "Not A Name"); }).code,
              base::ErrorCode::Invalid);
}

TEST_F(LayoutTest, DockerArchiveHoldsOnePlatform) {
    TestImage other = add_image(blobs_, {layer_tar("c", "3")}, Compression::Gzip, "10.0.17763.1");
    Index index;
    index.manifests = {image_.root, other.root};
    Descriptor root = blobs_.add(media_type::kIndex, index.json());
    base::StringSink sink;
    std::unique_ptr<ImageWriter> writer = write_docker_archive(sink);
    for (const TestImage* image : {&image_, &other}) {
        for (const Descriptor& layer : image->manifest.layers) writer->put(blobs_, layer, none_);
        writer->put(blobs_, image->manifest.config, none_);
        writer->put(blobs_, image->root, none_);
    }
    writer->put(blobs_, root, none_);
    test::Failure error = failure([&] { writer->finish({{kName, root}}); });
    EXPECT_EQ(error.code, base::ErrorCode::Unsupported);
    EXPECT_NE(error.text.find("has 2"), std::string::npos) << error.text;
}

}  // namespace
}  // namespace mullion::oci
