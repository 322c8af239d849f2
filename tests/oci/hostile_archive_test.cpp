// What must not get past the reader of archives.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <random>

#include "oci/layout.hpp"
#include "support.hpp"

namespace mullion::oci {
namespace {

using test::add_image;
using test::failure;
using test::layer_tar;
using test::MemoryBlobs;

// Writes a.tar with a valid (empty) layout and one more entry that `argv[2]`, Python code, makes of `i`.
constexpr const char* kMake = R"PY(
import tarfile, io, sys
def build(fmt):
    t = tarfile.open(sys.argv[1] + '/a.tar', 'w', format=fmt)
    def add(name, data=b'', **more):
        i = tarfile.TarInfo(name); i.size = len(data)
        for k, v in more.items(): setattr(i, k, v)
        t.addfile(i, io.BytesIO(data))
    exec(sys.argv[2])
    add('oci-layout', b'{"imageLayoutVersion":"1.0.0"}')
    add('index.json', b'{"schemaVersion":2,"manifests":[]}')
    t.close()
build(getattr(tarfile, sys.argv[3]))
)PY";

class HostileArchiveTest : public test::ScratchTest {
  protected:
    std::unique_ptr<ImageArchive> open() { return ImageArchive::open_path(path("a.tar"), none_); }

    test::Failure refused(const std::string& code, const std::string& format = "PAX_FORMAT") {
        python(kMake, {code, format});
        return failure([&] { open(); });
    }

    std::string valid_archive() {
        MemoryBlobs blobs;
        test::TestImage image = add_image(blobs, {layer_tar("a", "1")});
        base::StringSink sink;
        test::write_image(*write_oci_archive(sink), blobs, image, "a:1");
        return sink.take();
    }
};

TEST_F(HostileArchiveTest, NamesThatLeadOutsideAreRefused) {
    for (const char* name : {"../evil", "blobs/../../evil", "/etc/passwd", "blobs/sha256/../x"}) {
        for (const char* format : {"PAX_FORMAT", "GNU_FORMAT", "USTAR_FORMAT"}) {
            test::Failure error = refused(fmt::format("add('{}')", name), format);
            EXPECT_EQ(error.code, base::ErrorCode::Invalid);
            EXPECT_NE(error.text.find(name), std::string::npos) << error.text;
            EXPECT_NE(error.text.find("a.tar"), std::string::npos) << error.text;
        }
    }
}

TEST_F(HostileArchiveTest, LinksThatLeadOutsideAreRefused) {
    EXPECT_EQ(refused("add('x', type=tarfile.SYMTYPE, linkname='/etc/passwd')").code,
              base::ErrorCode::Invalid);
    EXPECT_EQ(refused("add('a/x', type=tarfile.SYMTYPE, linkname='../../x')").code, base::ErrorCode::Invalid);
    EXPECT_EQ(refused("add('a/x', type=tarfile.LNKTYPE, linkname='../x')").code, base::ErrorCode::Invalid);
}

TEST_F(HostileArchiveTest, LongNamesAreUnderstoodAndBounded) {
    python(kMake, {"add('a' * 200 + '/' + 'b' * 200)", "GNU_FORMAT"});
    EXPECT_EQ(open()->roots().size(), 0u);
    python(kMake, {"add('ä' * 200)", "PAX_FORMAT"});
    EXPECT_EQ(open()->roots().size(), 0u);
    EXPECT_NE(refused("add('a' * 5000)").text.find("too long"), std::string::npos);
    EXPECT_NE(refused("add('a' * 2000000)").text.find("too large"), std::string::npos);
}

TEST_F(HostileArchiveTest, AnEntryThatIsThereTwiceIsRefused) {
    EXPECT_NE(refused("add('index.json', b'{}')").text.find("\"index.json\" is there twice"),
              std::string::npos);
    EXPECT_NE(refused("add('./index.json', b'{}')").text.find("twice"), std::string::npos);
}

TEST_F(HostileArchiveTest, DevicesAndDirectoriesAreNoFiles) {
    EXPECT_EQ(refused("add('manifest.json', type=tarfile.FIFOTYPE); t.close(); sys.exit()").code,
              base::ErrorCode::Invalid);
}

TEST_F(HostileArchiveTest, SizesBeyondTheEndAreRefused) {
    std::string tar = valid_archive();
    for (const char* size : {"00000777777", "77777777777"}) {
        std::string bad = tar;
        std::size_t at = 1024 + 124;  // the first file follows two directories
        bad.replace(at, 11, size);
        // Checksum again (POSIX: the sum with blanks in its own place).
        bad.replace(1024 + 148, 8, "        ");
        unsigned sum = 0;
        for (std::size_t i = 1024; i < 1536; ++i) sum += static_cast<unsigned char>(bad[i]);
        bad.replace(1024 + 148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
        write("a.tar", bad);
        test::Failure error = failure([&] { open(); });
        EXPECT_EQ(error.code, base::ErrorCode::Corrupt);
        EXPECT_NE(error.text.find("but the archive ends after"), std::string::npos) << error.text;
    }
    // The largest sizes that can be written down.
    EXPECT_EQ(refused("add('x', pax_headers={'size': '18446744073709551615'})").code,
              base::ErrorCode::Corrupt);
    EXPECT_EQ(refused("add('x', pax_headers={'size': '99999999999999999999'})").code,
              base::ErrorCode::Corrupt);
    EXPECT_EQ(refused("add('x', pax_headers={'size': '-1'})").code, base::ErrorCode::Corrupt);
}

TEST_F(HostileArchiveTest, EveryTruncationIsNoticed) {
    std::string tar = valid_archive();
    // Up to the second block of the end marker, which may be missing.
    for (std::size_t size = 0; size < tar.size() - 1024; size += 256) {
        write("a.tar", std::string_view(tar).substr(0, size));
        test::Failure error = failure([&] { open(); });
        EXPECT_EQ(error.code, base::ErrorCode::Corrupt) << size << ": " << error.text;
    }
    std::string packed = test::compressed(tar, Compression::Gzip);
    write("a.tar", std::string_view(packed).substr(0, packed.size() - 5));
    EXPECT_EQ(failure([&] { open(); }).code, base::ErrorCode::Corrupt);
}

TEST_F(HostileArchiveTest, DamageNeverCrashes) {
    std::string tar = valid_archive();
    std::mt19937 random(11);
    for (int i = 0; i < 400; ++i) {
        std::string bad = tar;
        for (int flips = 0; flips < 3; ++flips) bad[random() % bad.size()] = static_cast<char>(random());
        write("a.tar", bad);
        try {
            auto archive = open();
            for (const NamedRoot& root : archive->roots())
                read_blob(*archive, root.descriptor, 1 << 20, none_);
        } catch (const base::Error& error) {
            EXPECT_NE(error.code(), base::ErrorCode::Internal) << error.what();
            EXPECT_NE(error.code(), base::ErrorCode::Io) << error.what();
        }
    }
}

TEST_F(HostileArchiveTest, TooManyEntriesAreRefused) {
    // Directories may be repeated, and compress well.
    python(
        "import tarfile,sys,gzip\n"
        "i=tarfile.TarInfo('d'); i.type=tarfile.DIRTYPE\n"
        "gzip.open(sys.argv[1]+'/a.tar','wb',1).write(i.tobuf()*200001+bytes(1024))\n");
    EXPECT_NE(failure([&] { open(); }).text.find("more than 200000 entries"), std::string::npos);
}

TEST_F(HostileArchiveTest, LongNamesTogetherAreBounded) {
    // 20 000 names of 4000 bytes in GNU's form; a tar of 90 MB that compresses to almost nothing.
    python(
        "import tarfile,sys,gzip\n"
        "out=gzip.open(sys.argv[1]+'/a.tar','wb',1)\n"
        "for n in range(20000):\n"
        "    out.write(tarfile.TarInfo('%08d'%n+'a'*3992).tobuf(tarfile.GNU_FORMAT))\n"
        "out.write(bytes(1024)); out.close()\n");
    EXPECT_NE(failure([&] { open(); }).text.find("names in the archive have more than"), std::string::npos);
}

TEST_F(HostileArchiveTest, CompressedArchivesAreUnpackedWhereTheCallerSays) {
    write("a.tar", test::compressed(valid_archive(), Compression::Gzip));
    const char* before = std::getenv("TMPDIR");
    std::string old = before == nullptr ? "" : before;
    ::setenv("TMPDIR", path("missing").c_str(), 1);
    test::Failure error = failure([&] { open(); });
    EXPECT_NE(error.text.find("no directory for temporary files"), std::string::npos) << error.text;
    EXPECT_EQ(ImageArchive::open_path(path("a.tar"), none_, scratch_.path())->roots().size(), 1u);
    before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", old.c_str(), 1);
    EXPECT_EQ(failure([&] { ImageArchive::open_path(path("a.tar"), none_, path("missing")); }).code,
              base::ErrorCode::NotFound);
}

TEST_F(HostileArchiveTest, ContentIsCheckedAgainstTheDigest) {
    std::string tar = valid_archive();
    std::size_t at = tar.find("\x1f\x8b");  // the layer
    ASSERT_NE(at, std::string::npos);
    tar[at + 20] ^= 1;
    write("a.tar", tar);
    auto archive = open();
    Manifest manifest = Manifest::parse(read_blob(*archive, archive->roots()[0].descriptor, 1 << 20, none_));
    test::Failure error = failure([&] { read_blob(*archive, manifest.layers[0], 1 << 20, none_); });
    EXPECT_EQ(error.code, base::ErrorCode::Corrupt);
    EXPECT_NE(error.text.find(manifest.layers[0].digest.string()), std::string::npos);
    Descriptor shorter = archive->roots()[0].descriptor;
    --shorter.size;
    EXPECT_EQ(failure([&] { read_blob(*archive, shorter, 1 << 20, none_); }).code, base::ErrorCode::Corrupt);
    EXPECT_EQ(failure([&] { read_blob(*archive, manifest.config, 10, none_); }).code,
              base::ErrorCode::Invalid);
    Descriptor absent = manifest.config;
    absent.digest = base::Digest::of("x");
    EXPECT_EQ(failure([&] { read_blob(*archive, absent, 1 << 20, none_); }).code, base::ErrorCode::NotFound);
}

TEST_F(HostileArchiveTest, WhatIsNoArchiveIsRefused) {
    EXPECT_EQ(failure([&] { ImageArchive::open_path(path("absent"), none_); }).code,
              base::ErrorCode::NotFound);
    write("a.tar", "");
    EXPECT_EQ(failure([&] { open(); }).code, base::ErrorCode::Corrupt);
    write("a.tar", std::string(10'000, 'x'));
    EXPECT_EQ(failure([&] { open(); }).code, base::ErrorCode::Corrupt);
    EXPECT_NE(refused("add('x'); t.close(); sys.exit()").text.find("neither an OCI archive"),
              std::string::npos);
    ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    EXPECT_EQ(failure([&] { ImageArchive::open_path(path("fifo"), none_); }).code, base::ErrorCode::Invalid);
}

TEST_F(HostileArchiveTest, BadLayoutDirectoriesAreRefused) {
    auto open_layout = [&] { ImageArchive::open_path(path("l"), none_); };
    write("l/x", "");
    EXPECT_NE(failure(open_layout).text.find("there is no oci-layout file"), std::string::npos);
    write("l/oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
    EXPECT_NE(failure(open_layout).text.find("there is no index.json"), std::string::npos);
    write("l/index.json", "{}");
    EXPECT_EQ(failure(open_layout).code, base::ErrorCode::Unsupported);
    write("l/oci-layout", "nonsense");
    EXPECT_EQ(failure(open_layout).code, base::ErrorCode::Invalid);
    write("l/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    EXPECT_NE(failure(open_layout).text.find("schemaVersion"), std::string::npos);
}

TEST_F(HostileArchiveTest, ABlobThatIsNoFileIsAbsent) {
    write("l/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    write("l/index.json", R"({"schemaVersion":2,"manifests":[]})");
    Descriptor blob{.media_type = "x", .digest = base::Digest::of("x"), .size = 1};
    std::filesystem::create_directories(path("l/blobs/sha256"));
    ASSERT_EQ(::mkfifo(path("l/blobs/sha256/" + blob.digest.hex()).c_str(), 0600), 0);
    auto archive = ImageArchive::open_path(path("l"), none_);
    EXPECT_EQ(failure([&] { archive->open(blob, none_); }).code, base::ErrorCode::NotFound);
}

}  // namespace
}  // namespace mullion::oci
