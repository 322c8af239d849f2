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

constexpr base::FileTime kTime{17'000'000'000'000'000};

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
    tree::HostContent contents_;
};

tree::Node node(tree::NodeKind kind, std::uint32_t attributes) {
    tree::Node node;
    node.kind = kind;
    node.metadata.attributes = attributes;
    node.metadata.set_times(kTime);
    return node;
}

tree::Node file(std::string data, std::uint32_t attributes) {
    tree::Node file = node(tree::NodeKind::File, attributes);
    file.content = tree::Content::inline_bytes(std::move(data));
    return file;
}

tree::Node link(tree::NodeKind kind, std::string target, std::uint32_t attributes) {
    tree::Node link = node(kind, attributes);
    link.link_target = std::move(target);
    return link;
}

TEST_F(TransportFolder, FilesAreAttributesAndStreams) {
    TransportWriter writer(folder(), contents_, {});
    writer.object("a.txt", file("hello", 0x21));
    writer.finish();
    EXPECT_EQ(base::read_file(folder() / "Files/a.txt", 100),
              "\x21\0\0\0"s + backup_header({.id = 1, .size = 5}) + "hello");
    EXPECT_EQ(base::read_file(folder() / "tombstones.txt", 100), "\xEF\xBB\xBFVersion 1.0\n");
    EXPECT_TRUE(fs::is_directory(folder() / "Hives"));
}

TEST_F(TransportFolder, WhatIsWrittenIsReadBack) {
    TransportWriter writer(folder(), contents_, {});
    using tree::NodeKind;
    namespace attribute = tree::attribute;
    tree::Node directory = node(NodeKind::Directory, attribute::kDirectory | attribute::kHidden);
    directory.metadata.descriptor = tree::default_descriptor(true);
    tree::Node data = file("hello", attribute::kArchive | attribute::kReadOnly);
    data.metadata.descriptor = tree::default_descriptor(false);
    data.metadata.extended_attributes = {{"EA", "value"}};
    data.streams = {{"Zone.Identifier", tree::Content::inline_bytes("[ZoneTransfer]")}};
    std::uint32_t directory_link = attribute::kReparsePoint | attribute::kDirectory;
    writer.object("Data", directory);
    writer.object("Data/Größe.txt", data);
    writer.object("Data/link", link(NodeKind::Symlink, "..\\x", attribute::kReparsePoint));
    writer.object("Data/mount", link(NodeKind::Junction, "C:\\Data", directory_link));
    writer.removal("Data/gone");
    writer.hive("System_Delta", file("regf", 0));
    writer.finish();
    EXPECT_TRUE(fs::is_directory(folder() / "Files/Data/mount"));

    LayerChanges changes = read();
    std::vector<std::string> paths;
    for (const RawChange& change : changes.files) paths.push_back(change.path);
    ASSERT_THAT(paths, ElementsAre("Data", "Data/gone", "Data/Größe.txt", "Data/link", "Data/mount"));
    const RawChange& read_directory = changes.files[0];
    EXPECT_EQ(read_directory.kind, RawChange::Kind::Directory);
    EXPECT_EQ(read_directory.metadata->attributes, directory.metadata.attributes);
    EXPECT_EQ(*read_directory.metadata->descriptor, *directory.metadata.descriptor);
    EXPECT_EQ(changes.files[1].kind, RawChange::Kind::Removal);
    EXPECT_FALSE(changes.files[1].metadata);
    const RawChange& read_file = changes.files[2];
    EXPECT_EQ(content(read_file), "hello");
    EXPECT_EQ(read_file.size, 5u);
    EXPECT_TRUE(read_file.read_only);
    EXPECT_EQ(read_file.metadata->extended_attributes, data.metadata.extended_attributes);
    EXPECT_EQ(read_file.modified, kTime);
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

TEST_F(TransportFolder, NamesOfOneFileShareAGroup) {
    fs::create_directories(folder() / "Files");
    for (const char* name : {"a", "c"}) exported(name, "");
    fs::create_hard_link(folder() / "Files/a", folder() / "Files/b");
    LayerChanges changes = read();
    ASSERT_EQ(changes.files.size(), 3u);
    EXPECT_TRUE(changes.files[0].hard_link_group);
    EXPECT_EQ(changes.files[0].hard_link_group, changes.files[1].hard_link_group);
    EXPECT_FALSE(changes.files[2].hard_link_group);
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
