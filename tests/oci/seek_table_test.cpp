#include "oci/seek_table.hpp"

#include <gtest/gtest.h>

#include <random>

#include "support.hpp"

namespace mullion::oci {
namespace {

using test::failure;

constexpr std::size_t kMiB = 1 << 20;
using Span = SeekTable::Span;

// Words with a few bytes of noise: matches of every distance, dynamic blocks.
std::string sample(std::size_t size) {
    std::mt19937 random(11);
    std::vector<std::string> words;
    for (int i = 0; i < 3000; ++i) {
        std::string& word = words.emplace_back(3 + random() % 20, '\0');
        for (char& c : word) c = static_cast<char>(random());
    }
    std::string data;
    data.reserve(size + 64);
    while (data.size() < size) {
        data += words[random() % words.size()];
        if (random() % 4 == 0) data += static_cast<char>(random());
    }
    data.resize(size);
    return data;
}

struct Blob {
    std::string bytes;
    SeekTable table;
};

SeekTable table_of(std::string_view blob, const std::string& data) {
    base::MemorySource source(blob);
    SeekTableBuilder points;
    EXPECT_TRUE(decompress(source, std::uint64_t{1} << 30, &points)->read_all(std::size_t{1} << 30, "test") ==
                data);
    return points.take();
}

std::string read_range(const Blob& blob, std::uint64_t offset, std::size_t size) {
    Span span = blob.table.span(offset, size);
    base::MemorySource part(std::string_view(blob.bytes).substr(span.begin, span.end - span.begin));
    auto plain = decompress_at(part, blob.table, span);
    plain->skip(offset - span.start, "test");
    std::string result(size, '\0');
    plain->read_exactly(result.data(), size, "test");
    return result;
}

void expect_seekable(const Blob& blob, const std::string& data) {
    EXPECT_EQ(blob.table.size(), data.size());
    EXPECT_EQ(blob.table.blob_size(), blob.bytes.size());
    const auto& points = blob.table.points();
    for (std::size_t i = 0; i < points.size(); ++i) {
        std::uint64_t begin = points[i].uncompressed;
        std::size_t size = static_cast<std::size_t>(blob.table.end_of(i) - begin);
        EXPECT_TRUE(read_range(blob, begin, size) == data.substr(begin, size)) << "point " << i;
    }
    std::mt19937 random(3);
    for (int i = 0; i < 20 && !data.empty(); ++i) {
        std::size_t offset = random() % data.size();
        std::size_t size = 1 + random() % std::min<std::size_t>(data.size() - offset, i % 2 ? 100 : 9 * kMiB);
        EXPECT_TRUE(read_range(blob, offset, size) == data.substr(offset, size)) << size << " at " << offset;
    }
    EXPECT_EQ(SeekTable::parse(blob.table.serialise()), blob.table);
}

class SeekTableTest : public test::ScratchTest {
  protected:
    SeekTableTest() { write("data", data_); }
    Blob blob_by(std::vector<std::string> argv) {
        argv.push_back(path("data").string());
        std::string bytes = run(argv);
        SeekTable table = table_of(bytes, data_);
        return {std::move(bytes), std::move(table)};
    }

    const std::string data_ = sample(21 * kMiB + 77);
};

TEST_F(SeekTableTest, GzipOfOneMember) {
    for (const char* level : {"-1", "-6", "-9"}) {
        Blob blob = blob_by({"gzip", "-nc", level});
        expect_seekable(blob, data_);
        EXPECT_EQ(blob.table.points().size(), 6u) << "a point about every 4 MiB";
        for (std::size_t i = 1; i < blob.table.points().size(); ++i) {
            EXPECT_FALSE(blob.table.points()[i].window.empty());
            EXPECT_NEAR(static_cast<double>(blob.table.points()[i].uncompressed), i * 4.1 * kMiB, kMiB);
        }
    }
}

// RFC 1951 §3.2.4. Half of the blocks are stored, so the others begin at any bit.
TEST_F(SeekTableTest, StoredBlocks) {
    std::string noise(12 * kMiB, '\0');
    std::mt19937 random(5);
    for (char& c : noise) c = static_cast<char>(random());
    for (std::size_t at = 0; at < noise.size(); at += 2 * kMiB) noise.replace(at, kMiB, data_, at, kMiB);
    write("noise", noise);
    Blob blob{run({"gzip", "-nc", path("noise").string()}), {}};
    blob.table = table_of(blob.bytes, noise);
    EXPECT_GE(blob.table.points().size(), 3u);
    expect_seekable(blob, noise);
    std::string stored = python(
        "import zlib,sys\n"
        "c=zlib.compressobj(0,zlib.DEFLATED,31); d=open(sys.argv[1]+'/noise','rb').read()\n"
        "sys.stdout.buffer.write(c.compress(d)+c.flush())\n");
    Blob all_stored{stored, table_of(stored, noise)};
    EXPECT_GE(all_stored.table.points().size(), 3u);
    expect_seekable(all_stored, noise);
}

TEST_F(SeekTableTest, MembersOfAnySize) {
    write("a", data_.substr(0, 100));
    write("b", data_.substr(100, 10 * kMiB));
    write("c", "");
    write("d", data_.substr(100 + 10 * kMiB));
    Blob blob;
    for (const char* name : {"a", "b", "c", "d"}) blob.bytes += run({"gzip", "-c", path(name).string()});
    blob.table = table_of(blob.bytes, data_);
    expect_seekable(blob, data_);
    std::size_t starts = 0;
    for (const SeekPoint& point : blob.table.points()) starts += point.window.empty() ? 1 : 0;
    EXPECT_EQ(starts, 2u) << "that of the blob, and of what follows ten megabytes";
}

TEST_F(SeekTableTest, WhatWeWriteNeedsNoWindows) {
    for (Compression compression : {Compression::Gzip, Compression::Zstd}) {
        base::StringSink sink;
        SeekTableBuilder points;
        auto writer = compress_to(sink, compression, {}, &points);
        writer->write(data_);
        writer->finish();
        Blob blob{sink.take(), points.take()};
        EXPECT_EQ(blob.table, table_of(blob.bytes, data_));
        EXPECT_EQ(blob.table.points().size(), compression == Compression::Gzip ? 22u : 6u);
        EXPECT_LT(blob.table.serialise().size(), 200u);
        expect_seekable(blob, data_);
    }
}

TEST_F(SeekTableTest, ForeignZstdBeginsAtItsFrames) {
    Blob one = blob_by({"zstd", "-qc"});
    EXPECT_EQ(one.table.points().size(), 1u);
    expect_seekable(one, data_);
    std::string skippable("\x5a\x2a\x4d\x18\x04\0\0\0abcd", 12);
    Blob two{skippable + one.bytes + skippable + one.bytes + skippable, {}};
    two.table = table_of(two.bytes, data_ + data_);
    EXPECT_EQ(two.table.points().size(), 3u) << "the last one holds nothing";
    expect_seekable(two, data_ + data_);
}

TEST_F(SeekTableTest, UncompressedBlobsNeedNoPoints) {
    Blob blob{data_, table_of(data_, data_)};
    base::NullSink null;
    SeekTableBuilder points;
    auto writer = compress_to(null, Compression::None, {}, &points);
    writer->write(data_);
    writer->finish();
    EXPECT_EQ(points.take(), blob.table);
    EXPECT_EQ(blob.table.span(7 * kMiB, 5), (Span{7 * kMiB, 7 * kMiB + 5, 7 * kMiB, 0}));
    expect_seekable(blob, data_);
}

TEST_F(SeekTableTest, SpansHoldNoMoreThanIsNeeded) {
    SeekTable table = blob_by({"gzip", "-c"}).table;
    const auto& points = table.points();
    std::uint64_t second = points[2].uncompressed;
    EXPECT_EQ(table.span(second, 10), (Span{points[2].compressed, points[3].compressed, second, 2}));
    EXPECT_EQ(table.span(second - 1, 1),
              (Span{points[1].compressed, points[2].compressed, points[1].uncompressed, 1}));
    EXPECT_EQ(table.span(second - 1, 2).end, points[3].compressed);
    EXPECT_EQ(table.span(0, table.size()), (Span{0, table.blob_size(), 0, 0}));
    for (auto [offset, size] : {std::pair<std::uint64_t, std::uint64_t>{0, table.size() + 1},
                                {table.size(), 1},
                                {UINT64_MAX, 1},
                                {1, UINT64_MAX}}) {
        EXPECT_EQ(failure([&] { table.span(offset, size); }).code, base::ErrorCode::Corrupt);
    }
}

TEST_F(SeekTableTest, SmallBlobs) {
    for (const std::string& data : {std::string(), std::string("x")}) {
        for (Compression compression : {Compression::None, Compression::Gzip, Compression::Zstd}) {
            std::string bytes = test::compressed(data, compression);
            expect_seekable({bytes, table_of(bytes, data)}, data);
        }
    }
}

TEST_F(SeekTableTest, DamagedSpansAreNoticedOrGiveOtherBytes) {
    Blob blob = blob_by({"gzip", "-c"});
    Span span = blob.table.span(9 * kMiB, kMiB);
    ASSERT_GT(span.point, 0u);
    std::mt19937 random(1);
    for (int i = 0; i < 30; ++i) {
        Blob damaged = blob;
        std::size_t at = span.begin + random() % (span.end - span.begin);
        damaged.bytes[at] = static_cast<char>(damaged.bytes[at] ^ (1 << random() % 8));
        try {
            EXPECT_EQ(read_range(damaged, 9 * kMiB, kMiB).size(), kMiB);
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), base::ErrorCode::Corrupt);
        }
    }
    for (std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, (span.end - span.begin) / 4}) {
        base::MemorySource part(std::string_view(blob.bytes).substr(span.begin, size));
        auto plain = decompress_at(part, blob.table, span);
        EXPECT_EQ(failure([&] { plain->skip(4 * kMiB, "test"); }).code, base::ErrorCode::Corrupt) << size;
    }
}

TEST_F(SeekTableTest, ParsingRefusesWhatIsCutShortOrTooLong) {
    SeekTable table = blob_by({"gzip", "-c"}).table;
    std::string bytes = table.serialise();
    // Whole points may be missing: those that are left are right.
    for (std::size_t size = 0; size < bytes.size(); size += size < 60 ? 1 : 997) {
        try {
            EXPECT_LT(SeekTable::parse(bytes.substr(0, size)).points().size(), table.points().size());
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), base::ErrorCode::Corrupt);
        }
    }
    EXPECT_EQ(failure([&] { SeekTable::parse(bytes + "x"); }).code, base::ErrorCode::Corrupt);
}

TEST_F(SeekTableTest, ParsingRefusesWhatCannotBe) {
    std::string head = "mullion seek table 1\n";
    auto parsed = [&](const std::string& rest) { return SeekTable::parse(head + rest); };
    EXPECT_EQ(parsed("\x01\x64\x32\x05\x06\x01\x07\xff"
                     "w")
                  .points()
                  .size(),
              2u);
    for (const std::string& rest : {
             std::string("\x03\x64\x32"),                    // no such compression
             std::string("\x01\x64\x32\x65\x06", 5) + '\0',  // beyond the layer
             std::string("\x01\x64\x32\x05\x33", 5) + '\0',  // beyond the blob
             std::string("\x01\x64\x32\0\x06\0", 6),         // does not go on
             std::string("\x01\x64\x32\x05\0\0", 6),         // the same
             std::string("\x01\x64\x32\x05\x06\x01\x08\xff"
                         "w"),  // eight bits
             std::string("\x02\x64\x32\x05\x06\x01\x07\xff"
                         "w"),  // a window in zstd
             std::string("\x01\x64\x32\x05\x06\x81\x80\x04\x07\xff"
                         "w"),                                             // a huge window
             std::string("\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x32"),  // a huge layer
             std::string("\0\x64\x32", 3),                                 // uncompressed, of two sizes
             std::string("\0\x64\x64\x05\x06\0", 6),                       // uncompressed, with a point
         }) {
        EXPECT_EQ(failure([&] { parsed(rest); }).code, base::ErrorCode::Corrupt) << rest;
    }
    head = "mullion seek table 2\n";
    EXPECT_EQ(failure([&] { parsed("\x01\x64\x32"); }).code, base::ErrorCode::Corrupt);
}

TEST_F(SeekTableTest, WrongWindowsAreCorrupt) {
    SeekTable table = SeekTable::parse(
        "mullion seek table 1\n\x01\x64\x32\x05\x06\x01\x07\xff"
        "w");
    Span span = table.span(50, 1);
    EXPECT_EQ(span, (Span{6, 50, 5, 1}));
    base::MemorySource part("anything");
    EXPECT_EQ(failure([&] { decompress_at(part, table, span); }).code, base::ErrorCode::Corrupt);
}

TEST(SeekTableBuilderTest, ATableIsThereOnlyAtTheEnd) {
    SeekTableBuilder points;
    EXPECT_EQ(failure([&] { points.take(); }).code, base::ErrorCode::Internal);
}

}  // namespace
}  // namespace mullion::oci
