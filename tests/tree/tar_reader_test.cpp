#include "tree/tar_reader.hpp"

#include "layer_support.hpp"

namespace mullion::tree {
namespace {

using test::error_of;
using test::TarBuilder;
using testing::HasSubstr;

std::vector<TarEntry> entries_of(std::string_view tar) {
    base::MemorySource source(tar);
    TarReader reader(source);
    std::vector<TarEntry> entries;
    TarEntry entry;
    while (reader.next(entry)) entries.push_back(entry);
    return entries;
}

std::pair<std::string, std::string> failure(std::string_view tar) {
    return error_of([&] { entries_of(tar); });
}

// Repairs the checksum of the header block at `at` after a test changed it.
void seal(std::string& tar, std::size_t at) {
    std::fill_n(tar.begin() + static_cast<std::ptrdiff_t>(at) + 148, 8, ' ');
    unsigned sum = 0;
    for (std::size_t i = 0; i < kTarBlock; ++i) sum += static_cast<unsigned char>(tar[at + i]);
    tar.replace(at + 148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
}

// A block of any type with a body, as no writer of ours makes it.
std::string special(char type, std::string_view body, std::string_view name = "special") {
    std::string out;
    append_tar_header(out, {.name = name, .size = body.size()});
    out[156] = type;
    seal(out, 0);
    out += body;
    out.append(tar_padding(body.size()), '\0');
    return out;
}

TEST(TarReader, ReadsGnuLongNamesAndNumbers) {
    std::string tar = test::golden("python_gnu.tar");
    auto entries = entries_of(tar);
    ASSERT_EQ(entries.size(), 5u);
    EXPECT_EQ(entries[1].name, "Files/" + std::string(120, 'd') + "/");
    EXPECT_EQ(entries[1].type, TarType::Directory);
    EXPECT_EQ(entries[2].name, "Files/" + std::string(120, 'd') + "/file");
    EXPECT_EQ(tar.substr(entries[2].offset, entries[2].size), "long");
    EXPECT_EQ(entries[3].link_name, std::string(150, 't'));
    EXPECT_EQ(entries[4].uid, 1u << 30);
    EXPECT_EQ(entries[4].modified, (PaxTime{-2, 0}));
}

TEST(TarReader, ReadsPythonsPaxHeaders) {
    auto entries = entries_of(test::golden("python_pax.tar"));
    ASSERT_EQ(entries.size(), 5u);
    EXPECT_EQ(entries[2].name, "Files/" + std::string(120, 'd') + "/file");
    EXPECT_EQ(entries[3].link_name, std::string(150, 't'));
    EXPECT_EQ(entries[4].uid, 1u << 30);
    EXPECT_EQ(entries[4].modified, (PaxTime{-2, 500000000}));
}

TEST(TarReader, JoinsTheUstarPrefix) {
    std::string name = std::string(80, 'a') + "/" + std::string(80, 'b');
    auto entries = entries_of(TarBuilder().whiteout(name).end());
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(entries[0].name, name);
}

TEST(TarReader, ContentEndsWithTheEntry) {
    std::string tar = TarBuilder().file("a", "first").file("b", "second").end();
    base::MemorySource source(tar);
    TarReader reader(source);
    TarEntry entry;
    ASSERT_TRUE(reader.next(entry));
    EXPECT_EQ(reader.content().read_all(100, "content"), "first");
    ASSERT_TRUE(reader.next(entry));
    char one = 0;
    EXPECT_EQ(reader.content().read(&one, 1), 1u);
    EXPECT_EQ(one, 's');
    EXPECT_FALSE(reader.next(entry));
}

TEST(TarReader, TruncationAnywhereIsCorrupt) {
    std::string tar = TarBuilder().directory("d").file("d/f", std::string(700, 'x')).end();
    for (std::size_t size = 0; size < tar.size(); size += 128) {
        EXPECT_EQ(failure(std::string_view(tar).substr(0, size)).first, "corrupt") << size;
    }
}

TEST(TarReader, EveryFlippedHeaderByteIsNoticed) {
    std::string tar = TarBuilder().add({.name = "name", .mode = 0644}).end();
    for (std::size_t at = 0; at < kTarBlock; ++at) {
        std::string bad = tar;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        // The last byte of the checksum field is a blank nobody looks at.
        if (at != 155) {
            EXPECT_EQ(failure(bad).first, "corrupt") << at;
        }
    }
}

TEST(TarReader, BytesBehindTheEndAreCorrupt) {
    std::string tar = TarBuilder().file("a").end();
    EXPECT_EQ(failure(tar + std::string(8192, '\0')).first, "nothing");
    EXPECT_EQ(failure(tar + std::string(8191, '\0') + "x").first, "corrupt");
    EXPECT_EQ(failure(std::string(512, '\0') + tar).first, "corrupt");
}

TEST(TarReader, SizesAreBounded) {
    std::string tar = TarBuilder().add({.name = "a"}).end();
    std::string field = "\x80" + std::string(3, '\0') + std::string(8, '\xff');
    tar.replace(124, 12, field);
    seal(tar, 0);
    EXPECT_EQ(failure(tar).first, "corrupt");
    tar.replace(124, 12, std::string(12, '\xff'));
    seal(tar, 0);
    EXPECT_EQ(failure(tar).first, "corrupt");
    tar.replace(124, 12, "77777777777\0");
    seal(tar, 0);
    EXPECT_THAT(failure(tar).second, HasSubstr("ends in the middle"));
    EXPECT_EQ(failure(special('x', "23 size=99999999999999999\n") + TarBuilder().file("a").end()).first,
              "corrupt");
    EXPECT_EQ(failure(special('x', "11 size=-1\n") + TarBuilder().file("a").end()).first, "corrupt");
}

TEST(TarReader, TimesAreBounded) {
    std::string tar = TarBuilder().add({.name = "a"}).end();
    // Base-256 of the smallest and largest 64-bit numbers, which have no opposite or no ticks.
    for (const std::string& field : {"\xff\xff\xff\xff\x80" + std::string(7, '\0'),
                                     "\x80" + std::string(3, '\0') + "\x7f" + std::string(7, '\xff')}) {
        tar.replace(136, 12, field);
        seal(tar, 0);
        EXPECT_THAT(failure(tar).second, HasSubstr("mtime is out of range"));
    }
}

TEST(TarReader, MalformedPaxHeadersAreCorrupt) {
    for (std::string_view body :
         {"6 k=v", "5 k=v\n", "99 k=v\n", "-6 k=v\n", "6=k=v\n", "4 k\n", "5 =v\n", "0 k=v\n", "x k=v\n",
          "18446744073709551616 k=v\n", "11 uid=abc\n", "13 uid=-1000\n", "17 mtime=tuesday\n"}) {
        EXPECT_EQ(failure(special('x', body) + TarBuilder().add({.name = "a"}).end()).first, "corrupt")
            << body;
    }
    std::string zero = TarBuilder::record("path", std::string_view("a\0b", 3));
    EXPECT_EQ(failure(special('x', zero) + TarBuilder().add({.name = "a"}).end()).first, "corrupt");
}

TEST(TarReader, HeadersForNothingAreCorrupt) {
    std::string record = TarBuilder::record("comment", "c");
    EXPECT_EQ(failure(special('x', record) + TarBuilder().end()).first, "corrupt");
    EXPECT_EQ(failure(special('x', record) + special('x', record) + TarBuilder().file("a").end()).first,
              "corrupt");
    EXPECT_EQ(failure(special('L', "one") + special('L', "two") + TarBuilder().file("a").end()).first,
              "corrupt");
}

TEST(TarReader, ExtendedHeadersAndNamesAreBounded) {
    std::string large = TarBuilder::record("comment", std::string(kMaxPaxHeader, 'c'));
    EXPECT_EQ(failure(special('x', large) + TarBuilder().file("a").end()).first, "corrupt");
    std::string name = TarBuilder::record("path", std::string(kMaxTarName + 1, 'n'));
    EXPECT_EQ(failure(special('x', name) + TarBuilder().add({.name = "a"}).end()).first, "invalid");
    EXPECT_EQ(failure(special('L', std::string(40'000, 'n')) + TarBuilder().file("a").end()).first,
              "corrupt");
}

TEST(TarReader, RefusesSparseAndUnknownEntries) {
    EXPECT_EQ(failure(special('S', "") + TarBuilder().end()).first, "unsupported");
    EXPECT_EQ(failure(special('Z', "") + TarBuilder().end()).first, "unsupported");
    std::string sparse = TarBuilder::record("GNU.sparse.major", "1");
    EXPECT_EQ(failure(special('x', sparse) + TarBuilder().add({.name = "a"}).end()).first, "unsupported");
    std::string global = TarBuilder::record("path", "everywhere");
    EXPECT_EQ(failure(special('g', global) + TarBuilder().file("a").end()).first, "unsupported");
    EXPECT_EQ(failure(special('g', TarBuilder::record("comment", "c")) + TarBuilder().file("a").end()).first,
              "nothing");
}

TEST(TarReader, OnlyFilesHaveContent) {
    EXPECT_EQ(failure(special('5', "body") + TarBuilder().end()).first, "corrupt");
    EXPECT_EQ(failure(special('1', "body") + TarBuilder().end()).first, "corrupt");
}

}  // namespace
}  // namespace mullion::tree
