#include "hcs/backup_stream.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace mullion::hcs {
namespace {

using namespace std::string_literals;

// [MS-BKUP] 2.1: id, attributes, size, bytes of the name, name.
TEST(BackupStream, HeaderIsTheSpecifications) {
    EXPECT_EQ(backup_header({.id = 1, .size = 5}), "\1\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0"s);
    EXPECT_EQ(backup_header({.id = 4, .size = 0x102, .name = ":s"}),
              "\4\0\0\0\0\0\0\0\2\1\0\0\0\0\0\0\4\0\0\0:\0s\0"s);
}

TEST(BackupStream, StreamsAreReadOneAfterTheOther) {
    std::string file = backup_header({.id = 3, .size = 2}) + "sd" + backup_header({.id = 1, .size = 5}) +
                       "hello" + backup_header({.id = 4, .size = 1, .name = ":z:$DATA"}) + "x";
    base::MemorySource source(file);
    BackupReader reader(source, "file");
    EXPECT_EQ(reader.next()->id, 3u);  // not read: skipped
    EXPECT_EQ(reader.next()->size, 5u);
    EXPECT_EQ(reader.read_all(100, "data"), "hello");
    EXPECT_EQ(reader.next()->name, ":z:$DATA");
    EXPECT_FALSE(reader.next());
}

TEST(BackupStream, WhatIsCutOffIsCorrupt) {
    std::string whole = backup_header({.id = 1, .size = 5, .name = "n"}) + "hello";
    for (std::size_t size = 1; size < whole.size(); ++size) {
        base::MemorySource source(std::string_view(whole).substr(0, size));
        BackupReader reader(source, "file");
        EXPECT_THROW(
            {
                reader.next();
                reader.read_all(100, "data");
            },
            base::Error)
            << size;
    }
}

TEST(BackupStream, LongNamesAreCorrupt) {
    std::string file = backup_header({.id = 4, .size = 0, .name = std::string(300, 'n')});
    base::MemorySource source(file);
    BackupReader reader(source, "file");
    EXPECT_THROW(reader.next(), base::Error);
}

// [MS-FSCC] 2.4.16: next entry, flags, lengths, name with NUL, value; entries begin at multiples of four.
TEST(ExtendedAttributes, AreTheSpecifications) {
    std::map<std::string, std::string> attributes = {{"A", "xyz"}, {"BB", ""}};
    std::string data = encode_extended_attributes(attributes);
    EXPECT_EQ(data,
              "\x10\0\0\0\0\1\3\0A\0xyz\0\0\0"
              "\0\0\0\0\0\2\0\0BB\0"s);
    EXPECT_EQ(decode_extended_attributes(data), attributes);
    EXPECT_TRUE(decode_extended_attributes("").empty());
}

TEST(ExtendedAttributes, MalformedOnesAreCorrupt) {
    for (const std::string& data : {"\0\0\0\0"s, "\0\0\0\0\0\0\0\0"s, "\0\0\0\0\0\5\0\0AB"s,
                                    "\3\0\0\0\0\1\0\0A\0"s, "\xff\0\0\0\0\1\0\0A\0"s}) {
        EXPECT_THROW(decode_extended_attributes(data), base::Error);
    }
}

}  // namespace
}  // namespace mullion::hcs
