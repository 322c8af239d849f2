#include "worker/archive.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "tests/tree/tree_nodes.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using tree::NodeKind;
using tree::Os;
using worker::ArchiveFormats;

// What every script begins with: a tar `out` and entries for it.
constexpr const char* kPrelude = R"(
import gzip, io, sys, tarfile, zipfile
path = sys.argv[1]
out = tarfile.open(path, "w" + (":" + sys.argv[2] if len(sys.argv) > 2 else ""), format=tarfile.PAX_FORMAT)
def entry(name, data=None, type=tarfile.REGTYPE, link="", mode=0o644, uid=0, gid=0, mtime=1600000000):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.uid, info.gid, info.mtime = type, link, mode, uid, gid, mtime
    info.size = len(data or b"")
    out.addfile(info, io.BytesIO(data or b""))
def directory(name, **more): entry(name, type=tarfile.DIRTYPE, **{"mode": 0o755, **more})
def symlink(name, link): entry(name, type=tarfile.SYMTYPE, link=link)
def hardlink(name, link): entry(name, type=tarfile.LNKTYPE, link=link)
)";

class ArchiveTest : public testing::Test {
  protected:
    ArchiveTest()
        : directory(std::filesystem::temp_directory_path(), "archive"),
          spool(directory.path(), "spool"),
          archives(contents, spool.path()) {}

    // A tar made by Python, an implementation other than ours.
    std::filesystem::path make(const std::string& script, const std::string& compression = "") {
        std::filesystem::path path = directory.path() / "archive.tar";
        base::ProcessOptions process;
        process.argv = {"python3", "-c", kPrelude + script + "\nout.close()\n", path.string()};
        if (!compression.empty()) process.argv.push_back(compression);
        auto output = base::run_and_capture(std::move(process), {});
        EXPECT_EQ(output.exit_code, 0) << output.err;
        return path;
    }
    std::optional<tree::Tree> unpack(const std::filesystem::path& path, Os os = Os::Windows,
                                     ArchiveFormats formats = ArchiveFormats::Tar) {
        tree::StatIdentity identity = tree::stat_identity(path);
        tree::Content file(identity.size, tree::HostFile{path, identity});
        return archives.unpack("x.tar", file, formats, os, {});
    }
    tree::Tree unpacked(const std::string& script, Os os = Os::Windows) {
        auto tree = unpack(make(script), os);
        EXPECT_TRUE(tree.has_value());
        return tree.value_or(tree::Tree(os));
    }
    base::Error failure(const std::string& script, Os os = Os::Windows) {
        return failure_of(make(script), os, script);
    }
    base::Error failure_of(const std::filesystem::path& path, Os os, const std::string& script) {
        try {
            unpack(path, os);
        } catch (const base::Error& error) {
            return error;
        }
        ADD_FAILURE() << "no error: " << script;
        return base::Error(ErrorCode::Internal, "no error");
    }
    std::string text(const tree::Tree& tree, std::string_view path) {
        tree::NodeRef node = tree.find(path);
        if (!node || !node->content) return "(no file)";
        return contents.open(*node->content, {})->read_all(1 << 24, "file");
    }

    base::TempDir directory;
    base::TempDir spool;
    tree::HostContent contents;
    worker::Archives archives;
};

constexpr const char* kPlain = R"(
directory("dir", mtime=1500000000)
entry("dir/a.txt", b"hello", mode=0o640, uid=12, gid=34)
entry("large", b"0123456789" * 10000)
)";

TEST_F(ArchiveTest, EveryCompressionGivesTheSame) {
    for (const char* compression : {"", "gz", "bz2", "xz"}) {
        auto tree = unpack(make(kPlain, compression));
        ASSERT_TRUE(tree) << compression;
        EXPECT_EQ(text(*tree, "dir/a.txt"), "hello");
        EXPECT_EQ(text(*tree, "large").size(), 100'000u);
        EXPECT_EQ(tree::testing::node_count(*tree), 4u);
    }
}

TEST_F(ArchiveTest, ZstandardToo) {
    base::ProcessOptions process;
    process.argv = {"zstd", "-q", make(kPlain).string(), "-o", (directory.path() / "x.zst").string()};
    ASSERT_EQ(base::run_process(process, {}), 0);
    auto tree = unpack(directory.path() / "x.zst");
    ASSERT_TRUE(tree);
    EXPECT_EQ(text(*tree, "dir/a.txt"), "hello");
}

TEST_F(ArchiveTest, MetadataOfWindowsImages) {
    tree::Tree tree = unpacked(kPlain);
    tree::NodeRef file = tree.find("DIR/A.TXT");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(file->metadata.modified.seconds(), 1'600'000'000);
    EXPECT_EQ(file->metadata.attributes, tree::attribute::kArchive);
    EXPECT_EQ(file->metadata.mode, 0u);
    EXPECT_EQ(tree.find("dir")->metadata.modified.seconds(), 1'500'000'000);
    EXPECT_EQ(tree.find("dir")->metadata.attributes, tree::attribute::kDirectory);
}

TEST_F(ArchiveTest, MetadataOfLinuxImages) {
    tree::Tree tree = unpacked(kPlain, Os::Linux);
    const tree::Metadata& file = tree.find("dir/a.txt")->metadata;
    EXPECT_EQ(file.mode, 0640u);
    EXPECT_EQ(file.uid, 12u);
    EXPECT_EQ(file.gid, 34u);
    EXPECT_EQ(tree.find("DIR"), nullptr);
}

TEST_F(ArchiveTest, WhatIsNoTarIsNoArchive) {
    auto file = [&](const std::string& data) {
        std::filesystem::path path = directory.path() / "file";
        base::write_file_atomic(path, data);
        return path;
    };
    EXPECT_FALSE(unpack(file("")));
    EXPECT_FALSE(unpack(file("plain text")));
    EXPECT_FALSE(unpack(file(std::string(10'240, '\0'))));
    EXPECT_FALSE(unpack(file(std::string("\x1f\x8b\x08\0\0\0\0\0\0\3", 10))));
    EXPECT_FALSE(unpack(make("out.close(); open(path, 'wb').write(gzip.compress(b'only text'))")));
    // One compression is undone, no more.
    EXPECT_FALSE(
        unpack(make("entry('a', b'x'); out.close(); data = open(path, 'rb').read();"
                    "open(path, 'wb').write(gzip.compress(gzip.compress(data)))")));
}

TEST_F(ArchiveTest, ZipOnlyWhereItIsAskedFor) {
    auto path = make(R"(
out.close()
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zip:
    zip.writestr(zipfile.ZipInfo("dir/", (2020, 1, 2, 3, 4, 6)), b"")
    zip.writestr(zipfile.ZipInfo("dir/\u00fc.txt", (2020, 1, 2, 3, 4, 6)), b"hello")
    link = zipfile.ZipInfo("link"); link.create_system = 3; link.external_attr = 0o120777 << 16
    zip.writestr(link, b"dir")
)");
    EXPECT_FALSE(unpack(path));
    auto tree = unpack(path, Os::Windows, ArchiveFormats::TarAndZip);
    ASSERT_TRUE(tree);
    EXPECT_EQ(text(*tree, "dir/\u00fc.txt"), "hello");
    EXPECT_EQ(tree->find("link")->kind, NodeKind::Symlink);
    EXPECT_TRUE(unpack(make(kPlain), Os::Windows, ArchiveFormats::TarAndZip));
}

TEST_F(ArchiveTest, NamesOfEveryTarFormatAreUtf8) {
    for (const char* format : {"PAX_FORMAT", "GNU_FORMAT", "USTAR_FORMAT"}) {
        tree::Tree tree =
            unpacked(fmt::format("out.format = tarfile.{}\nentry('\u00e9\u65e5.txt', b'x')", format));
        EXPECT_EQ(text(tree, "\u00e9\u65e5.txt"), "x") << format;
    }
    tree::Tree tree = unpacked("entry('d/' + 'long' * 60 + '/x', b'x')");
    EXPECT_NE(tree.find("d"), nullptr);
    EXPECT_EQ(tree::testing::node_count(tree), 4u);
}

TEST_F(ArchiveTest, MissingDirectoriesAreMadeAndRootEntriesLeftOut) {
    tree::Tree tree = unpacked("directory('./'); entry('./a//b/./c.txt', b'x')");
    EXPECT_EQ(text(tree, "a/b/c.txt"), "x");
    EXPECT_EQ(tree.find("a")->kind, NodeKind::Directory);
}

TEST_F(ArchiveTest, AbsoluteNamesAreBelowTheRoot) {
    EXPECT_EQ(text(unpacked("entry('/etc/x', b'x')"), "etc/x"), "x");
}

TEST_F(ArchiveTest, LaterEntriesReplaceEarlierOnes) {
    tree::Tree tree = unpacked(
        "entry('a', b'one'); entry('a', b'two'); entry('b', b'x'); directory('b'); entry('b/c', b'y')");
    EXPECT_EQ(text(tree, "a"), "two");
    EXPECT_EQ(text(tree, "b/c"), "y");
}

TEST_F(ArchiveTest, LinksKeepTheirTargets) {
    tree::Tree tree = unpacked(
        "directory('d/e'); entry('d/f', b'x'); symlink('d/to', 'e'); symlink('up', 'd/../d/f');"
        "symlink('abs', '/Windows/x')");
    EXPECT_EQ(tree.find("d/to")->link_target, "e");
    EXPECT_NE(tree.find("d/to")->metadata.attributes & tree::attribute::kDirectory, 0u);
    EXPECT_EQ(tree.find("up")->link_target, "d\\..\\d\\f");
    EXPECT_EQ(tree.find("up")->metadata.attributes & tree::attribute::kDirectory, 0u);
    EXPECT_EQ(tree.find("abs")->link_target, "\\Windows\\x");
    EXPECT_EQ(unpacked("symlink('abs', '/etc/x')", Os::Linux).find("abs")->link_target, "/etc/x");
}

TEST_F(ArchiveTest, HardLinksAreNamesOfOneFile) {
    tree::Tree tree =
        unpacked("entry('a', b'x'); hardlink('b', 'a'); hardlink('c', './a'); entry('d', b'x')");
    EXPECT_NE(tree.find("a")->hard_links, nullptr);
    EXPECT_EQ(tree.find("a")->hard_links, tree.find("b")->hard_links);
    EXPECT_EQ(tree.find("a")->hard_links, tree.find("c")->hard_links);
    EXPECT_EQ(tree.find("d")->hard_links, nullptr);
    EXPECT_EQ(text(tree, "c"), "x");
}

TEST_F(ArchiveTest, HolesAreZeros) {
    std::filesystem::path sparse = directory.path() / "sparse";
    base::ProcessOptions process;
    process.directory = directory.path();
    process.argv = {"python3", "-c",
                    "f = open('sparse', 'wb'); f.seek(1 << 20); f.write(b'end'); f.truncate(3 << 20)"};
    ASSERT_EQ(base::run_process(process, {}), 0);
    process.argv = {"tar", "--sparse", "-cf", "sparse.tar", "sparse"};
    ASSERT_EQ(base::run_process(process, {}), 0);
    auto tree = unpack(directory.path() / "sparse.tar");
    ASSERT_TRUE(tree);
    EXPECT_EQ(text(*tree, "sparse"), base::read_file(sparse, 4 << 20));
}

struct Hostile {
    const char* script;
    const char* message;
};

TEST_F(ArchiveTest, RefusesWhatLeadsOut) {
    for (const Hostile& hostile : std::initializer_list<Hostile>{
             {"entry('../x', b'x')", "\"../x\" leads outside"},
             {"entry('a/../../x', b'x')", "leads outside"},
             {"directory('a'); symlink('a/l', '../../x')", "link to \"../../x\", outside"},
             {"symlink('l', '..')", "outside"},
             {"symlink('l', '')", "link to nothing"},
             {"symlink('l', 'd'); entry('l/x', b'x')", "lies below \"l\", which is no directory"},
             {"entry('f', b'x'); entry('f/x', b'x')", "lies below \"f\""},
             {"hardlink('h', 'missing')", "no earlier file"},
             {"hardlink('h', '../x')", "leads outside"},
             {"hardlink('h', '/etc/passwd')", "no earlier file"},
             {"directory('d'); hardlink('h', 'd')", "no earlier file"},
             {"entry('p', type=tarfile.FIFOTYPE)", "device, FIFO or socket"},
             {"entry('c', type=tarfile.CHRTYPE)", "device, FIFO or socket"},
             {"directory('d'); entry('d', b'x')", "would replace a directory"}}) {
        auto path = make(hostile.script);
        for (Os os : {Os::Windows, Os::Linux}) {
            base::Error error = failure_of(path, os, hostile.script);
            EXPECT_EQ(error.code(), ErrorCode::Invalid);
            EXPECT_THAT(error.what(), HasSubstr(hostile.message)) << hostile.script;
            EXPECT_THAT(error.what(), HasSubstr("unpacking \"x.tar\""));
        }
    }
}

TEST_F(ArchiveTest, RefusesWhatWindowsCannotHold) {
    for (const Hostile& hostile : std::initializer_list<Hostile>{
             {"entry('dir/con.txt', b'x')", "dir/con.txt"},
             {"entry('a:b', b'x')", "a:b"},
             {"entry('C:/x', b'x')", "C:"},
             {"entry('dot.', b'x')", "dot."},
             {"entry('back\\\\slash', b'x')", "back"},
             {"entry('what?', b'x')", "what?"},
             {"entry('Readme', b'x'); entry('README', b'y')", "\"Readme\" are one name"},
             {"entry('Bin/a', b'x'); entry('bin/b', b'y')", "\"Bin\" are one name"},
             {"symlink('l', 'D:/x')", "not on C:"},
             {"symlink('l', '//server/share')", "not on C:"}}) {
        EXPECT_THAT(failure(hostile.script).what(), HasSubstr(hostile.message)) << hostile.script;
    }
    EXPECT_EQ(tree::testing::node_count(
                  unpacked("entry('Readme', b'x'); entry('README', b'y'); entry('con', b'z')", Os::Linux)),
              4u);
}

TEST_F(ArchiveTest, DamageIsCorrupt) {
    base::Error error = failure(
        "entry('a', b'x'); entry('big', b'y' * 100000); out.close();"
        "data = open(path, 'rb').read(); open(path, 'wb').write(data[:50000])");
    EXPECT_EQ(error.code(), ErrorCode::Corrupt);
    // A claimed size that the archive does not have.
    error = failure(
        "info = tarfile.TarInfo('huge'); info.size = 1 << 50;"
        "out.fileobj.write(info.tobuf(tarfile.GNU_FORMAT)); out.offset += 512");
    EXPECT_TRUE(error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::Invalid);
}

TEST_F(ArchiveTest, TooDeepIsInvalid) {
    EXPECT_EQ(failure("entry('d/' * 600 + 'x', b'x')").code(), ErrorCode::Invalid);
}

TEST_F(ArchiveTest, NewestFileIsTheTimeOfAnArchive) {
    EXPECT_EQ(worker::newest_file(unpacked(kPlain))->seconds(), 1'600'000'000);
    EXPECT_EQ(worker::newest_file(tree::Tree(Os::Windows)), std::nullopt);
}

}  // namespace
}  // namespace mullion::test
