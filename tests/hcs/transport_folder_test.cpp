#include "hcs/transport_folder.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "hcs/backup_stream.hpp"
#include "tree/security_descriptor.hpp"

namespace mullion::hcs {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

class TransportFolder : public testing::Test {
  protected:
    TransportFolder() {
        fs::create_directory(folder());
        fs::create_directory(directory_.path() / "contents");
    }
    fs::path folder() const { return directory_.path() / "folder"; }
    LayerChanges read() { return read_transport_folder(folder(), directory_.path() / "contents", {}); }
    // A file as an export has it: attributes and streams.
    void exported(const std::string& name, const std::string& streams) {
        base::write_file_atomic(folder() / "Files" / name, "\x20\0\0\0"s + streams);
    }
    static std::string content(const RawChange& change) { return base::read_file(change.content, 1 << 20); }

    base::TempDir directory_{fs::temp_directory_path(), "transport"};
};

TEST_F(TransportFolder, FilesAreAttributesAndStreams) {
    TransportWriter writer(folder());
    base::MemorySource data("hello");
    tree::Metadata metadata;
    metadata.attributes = 0x21;
    writer.file("a.txt", metadata, 5, data);
    writer.finish();
    EXPECT_EQ(base::read_file(folder() / "Files/a.txt", 100),
              "\x21\0\0\0"s + backup_header({.id = 1, .size = 5}) + "hello");
    EXPECT_EQ(base::read_file(folder() / "tombstones.txt", 100), "\xEF\xBB\xBFVersion 1.0\n");
    EXPECT_TRUE(fs::is_directory(folder() / "Hives"));
}

TEST_F(TransportFolder, WhatIsWrittenIsReadBack) {
    TransportWriter writer(folder());
    tree::Metadata directory, file, link;
    directory.attributes = tree::attribute::kDirectory | tree::attribute::kHidden;
    directory.descriptor = tree::default_descriptor(true);
    file.attributes = tree::attribute::kArchive | tree::attribute::kReadOnly;
    file.descriptor = tree::default_descriptor(false);
    file.extended_attributes = {{"EA", "value"}};
    link.attributes = tree::attribute::kReparsePoint;
    base::MemorySource data("hello"), stream("[ZoneTransfer]"), hive("regf");
    writer.directory("Data", directory);
    writer.file("Data/Größe.txt", file, 5, data);
    writer.stream("Zone.Identifier", 14, stream);
    writer.link("Data/link", link, {false, "..\\x"});
    writer.link("Data/mount", link, {true, "C:\\Data"});
    writer.removal("Data/gone");
    writer.hive("System_Delta", hive);
    writer.finish();

    LayerChanges changes = read();
    std::vector<std::string> paths;
    for (const RawChange& change : changes.files) paths.push_back(change.path);
    ASSERT_THAT(paths, ElementsAre("Data", "Data/gone", "Data/Größe.txt", "Data/link", "Data/mount"));
    const RawChange& read_directory = changes.files[0];
    EXPECT_EQ(read_directory.kind, RawChange::Kind::Directory);
    EXPECT_EQ(read_directory.metadata->attributes, directory.attributes);
    EXPECT_EQ(*read_directory.metadata->descriptor, *directory.descriptor);
    EXPECT_EQ(changes.files[1].kind, RawChange::Kind::Removal);
    EXPECT_FALSE(changes.files[1].metadata);
    const RawChange& read_file = changes.files[2];
    EXPECT_EQ(content(read_file), "hello");
    EXPECT_EQ(read_file.size, 5u);
    EXPECT_TRUE(read_file.read_only);
    EXPECT_EQ(read_file.metadata->extended_attributes, file.extended_attributes);
    ASSERT_EQ(read_file.streams.size(), 1u);
    EXPECT_EQ(read_file.streams[0].name, "Zone.Identifier");
    EXPECT_EQ(base::read_file(read_file.streams[0].content, 100), "[ZoneTransfer]");
    EXPECT_EQ(changes.files[3].kind, RawChange::Kind::Symlink);
    EXPECT_EQ(changes.files[3].link_target, "..\\x");
    EXPECT_EQ(changes.files[4].kind, RawChange::Kind::Junction);
    EXPECT_EQ(changes.files[4].link_target, "C:\\Data");
    ASSERT_EQ(changes.hives.size(), 1u);
    EXPECT_EQ(changes.hives[0].path, "System_Delta");
}

TEST_F(TransportFolder, OrderIsOfFoldedNamesWithParentsFirst) {
    fs::create_directories(folder() / "Files/x");
    for (const char* name : {"x-.txt", "x/y", "B", "a"}) exported(name, "");
    exported("x.$wcidirs$", "");
    std::vector<std::string> paths;
    for (const RawChange& change : read().files) paths.push_back(change.path);
    EXPECT_THAT(paths, ElementsAre("a", "B", "x", "x/y", "x-.txt"));
}

// A directory that only leads to changes has no record of its own.
TEST_F(TransportFolder, DirectoriesWithoutRecordAreNoChange) {
    fs::create_directories(folder() / "Files/way");
    exported("way/file", "");
    LayerChanges changes = read();
    ASSERT_EQ(changes.files.size(), 1u);
    EXPECT_EQ(changes.files[0].path, "way/file");
}

TEST_F(TransportFolder, SparseFilesAreFilledUp) {
    fs::create_directories(folder() / "Files");
    auto block = [](std::uint64_t offset, const std::string& data) {
        std::string bytes;
        for (int i = 0; i < 8; ++i) bytes += static_cast<char>(offset >> 8 * i);
        return backup_header({.id = 9, .size = 8 + data.size()}) + bytes + data;
    };
    std::string head = backup_header({.id = 1, .size = 0, .name = "", .attributes = 8});
    exported("sparse", head + block(3, "abc") + block(8, "d") + block(12, ""));
    EXPECT_EQ(content(read().files[0]), "\0\0\0abc\0\0d\0\0\0"s);
    exported("sparse", head + block(8, "d") + block(3, "abc"));
    EXPECT_THROW(read(), base::Error);
    exported("sparse", head + block(std::uint64_t{1} << 60, ""));
    EXPECT_THROW(read(), base::Error);
}

TEST_F(TransportFolder, RemovalsAreRelativeToC) {
    base::write_file_atomic(folder() / "tombstones.txt",
                            "\xEF\xBB\xBFVersion 1.0\r\n\\Program Files\\x\r\n\\y\r\n");
    std::vector<std::string> paths;
    for (const RawChange& change : read().files) paths.push_back(change.path);
    EXPECT_THAT(paths, ElementsAre("Program Files/x", "y"));
    base::write_file_atomic(folder() / "tombstones.txt", "\xEF\xBB\xBFVersion 2.0\n\\x\n");
    EXPECT_THROW(read(), base::Error);
}

TEST_F(TransportFolder, WhatNoExportHasIsCorrupt) {
    fs::create_directories(folder() / "Files");
    for (const std::string& streams :
         {backup_header({.id = 1, .size = 5}) + "hell", backup_header({.id = 9, .size = 8}) + "12345678",
          backup_header({.id = 4, .size = 0, .name = "no colon"}), std::string("x")}) {
        exported("file", streams);
        EXPECT_THROW(read(), base::Error);
    }
    base::write_file_atomic(folder() / "Files/file", "\x20\0");
    EXPECT_THROW(read(), base::Error);
}

TEST_F(TransportFolder, NothingIsNoChange) {
    LayerChanges changes = read();
    EXPECT_THAT(changes.files, IsEmpty());
    EXPECT_THAT(changes.hives, IsEmpty());
}

}  // namespace
}  // namespace mullion::hcs
