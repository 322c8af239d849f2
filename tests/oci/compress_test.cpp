#include "oci/compress.hpp"

#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include <random>
#include <thread>

#include "support.hpp"
#include "tests/support/host_tools.hpp"

namespace mullion::oci {
namespace {

using test::compressed;
using test::failure;

constexpr std::size_t kMiB = 1 << 20;

// Half noise, half repetition, so that both kinds of block occur.
std::string sample(std::size_t size) {
    std::mt19937 random(7);
    std::string data;
    data.reserve(size + 64);
    while (data.size() < size) {
        if (random() % 2 == 0) {
            data.append(64, static_cast<char>('a' + random() % 4));
        } else {
            for (int i = 0; i < 16; ++i) data += static_cast<char>(random());
        }
    }
    data.resize(size);
    return data;
}

std::string decompressed(std::string_view data, std::uint64_t limit = 1 << 30) {
    base::MemorySource source(data);
    return decompress(source, limit)->read_all(std::size_t{1} << 30, "test");
}

std::string compressed_in_pieces(const std::string& data, Compression compression, std::size_t piece) {
    base::StringSink sink;
    std::unique_ptr<base::Sink> writer = compress_to(sink, compression);
    for (std::size_t at = 0; at < data.size(); at += piece)
        writer->write(std::string_view(data).substr(at, piece));
    writer->finish();
    return sink.take();
}

class CompressTest : public test::ScratchTest {};

TEST_F(CompressTest, OtherToolsAcceptGzip) {
    MULLION_NEEDS_HOST_TOOLS();
    for (std::size_t size : {std::size_t{0}, std::size_t{1}, kMiB - 1, kMiB, kMiB + 1, 3 * kMiB + 17}) {
        std::string data = sample(size);
        write("data", data);
        write("data.gz", compressed(data, Compression::Gzip));
        run({"gzip", "-t", path("data.gz").string()});
        EXPECT_EQ(
            python(
                "import "
                "gzip,sys;d=sys.argv[1];print(gzip.open(d+'/data.gz').read()==open(d+'/data','rb').read())"),
            "True\n")
            << size;
    }
}

TEST_F(CompressTest, OtherToolsAcceptZstd) {
    MULLION_NEEDS_HOST_TOOLS();
    for (std::size_t size : {std::size_t{0}, std::size_t{1}, 4 * kMiB, 4 * kMiB + 1, 9 * kMiB}) {
        std::string data = sample(size);
        write("data.zst", compressed(data, Compression::Zstd));
        run({"zstd", "-q", "-t", path("data.zst").string()});
        EXPECT_EQ(run({"zstd", "-q", "-d", "-c", path("data.zst").string()}), data) << size;
    }
}

TEST_F(CompressTest, ReadsWhatOtherToolsWrite) {
    MULLION_NEEDS_HOST_TOOLS();
    std::string data = sample(3 * kMiB);
    write("data", data);
    for (const std::vector<std::string>& argv :
         std::vector<std::vector<std::string>>{{"gzip", "-c", "-9", path("data").string()},
                                               {"zstd", "-q", "-c", "-19", path("data").string()},
                                               {"zstd", "-q", "-c", "--no-check", path("data").string()}}) {
        EXPECT_EQ(decompressed(run(argv)), data) << argv[0];
    }
}

// RFC 1952 §2.3: no name, no time, operating system 255; every member holds 1 MiB.
TEST_F(CompressTest, GzipMembersAreFixed) {
    MULLION_NEEDS_HOST_TOOLS();
    std::string packed = compressed(sample(2 * kMiB + 5), Compression::Gzip);
    EXPECT_EQ(packed.substr(0, 10), std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
    write("data.gz", packed);
    EXPECT_EQ(
        python(
            "import zlib,sys\n"
            "data=open(sys.argv[1]+'/data.gz','rb').read()\n"
            "while data:\n"
            "    d=zlib.decompressobj(31); n=len(d.decompress(data)); data=d.unused_data; print(n,d.eof)\n"),
        "1048576 True\n1048576 True\n5 True\n");
}

class Codec : public ::testing::TestWithParam<Compression> {};

TEST_P(Codec, BytesDoNotDependOnThreadsOrPieces) {
    std::string data = sample(9 * kMiB + 3);
    std::string expected = compressed(data, GetParam());
    for (std::size_t threads : {1, 2, 7}) {
        tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
        for (std::size_t piece : {std::size_t{4093}, kMiB + 1}) {
            EXPECT_EQ(base::Digest::of(compressed_in_pieces(data, GetParam(), piece)),
                      base::Digest::of(expected));
        }
    }
}

TEST_P(Codec, RoundTripsWithAnyReadSize) {
    std::string data = sample(5 * kMiB + 11);
    std::string packed = compressed(data, GetParam());
    for (std::size_t size : {std::size_t{1000}, std::size_t{65536}, 8 * kMiB}) {
        base::MemorySource source(packed);
        std::unique_ptr<base::Source> plain = decompress(source, data.size());
        std::string result;
        std::string buffer(size, '\0');
        while (std::size_t got = plain->read(buffer.data(), size)) result.append(buffer, 0, got);
        EXPECT_EQ(plain->read(buffer.data(), size), 0u);
        EXPECT_TRUE(result == data) << size;
    }
}

TEST_P(Codec, SeveralStreamsAtOnce) {
    std::vector<std::thread> threads;
    std::string data = sample(6 * kMiB);
    base::Digest expected = base::Digest::of(compressed(data, GetParam()));
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] { EXPECT_EQ(base::Digest::of(compressed(data, GetParam())), expected); });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST_P(Codec, EveryTruncationIsNoticed) {
    std::string data = sample(3000);
    std::string packed = compressed(data, GetParam()) + compressed("more", GetParam());
    std::size_t first = compressed(data, GetParam()).size();
    for (std::size_t size = 4; size < packed.size(); ++size) {
        if (size == first) continue;  // complete in itself
        test::Failure error = failure([&] { decompressed(std::string_view(packed).substr(0, size)); });
        EXPECT_EQ(error.code, base::ErrorCode::Corrupt) << size;
    }
    EXPECT_EQ(decompressed(packed), data + "more");
}

TEST_P(Codec, EveryFlippedBitIsNoticedOrHarmless) {
    std::string data = sample(600);
    std::string packed = compressed(data, GetParam());
    std::size_t noticed = 0;
    for (std::size_t at = 4; at < packed.size(); ++at) {
        std::string damaged = packed;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
        try {
            // Bits that carry no data (the header's time and operating system) may change freely.
            EXPECT_EQ(decompressed(damaged), data) << at;
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), base::ErrorCode::Corrupt) << error.what();
            ++noticed;
        }
    }
    EXPECT_GT(noticed, packed.size() - 20);
}

TEST_P(Codec, TrailingGarbageIsCorrupt) {
    std::string packed = compressed("data", GetParam());
    for (const std::string& garbage : {std::string("x"), std::string(1000, '\0'), std::string("\x1f")}) {
        EXPECT_EQ(failure([&] { decompressed(packed + garbage); }).code, base::ErrorCode::Corrupt);
    }
}

TEST_P(Codec, LimitIsExact) {
    std::string bomb = compressed(std::string(10 * kMiB, 'x'), GetParam());
    EXPECT_LT(bomb.size(), 100'000u);
    EXPECT_EQ(decompressed(bomb, 10 * kMiB).size(), 10 * kMiB);
    test::Failure error = failure([&] { decompressed(bomb, 10 * kMiB - 1); });
    EXPECT_EQ(error.code, base::ErrorCode::Invalid);
    EXPECT_EQ(error.text, "more than 10485759 bytes after decompression");
}

// A sink that fails, as a full disk does.
class FailingSink final : public base::Sink {
  public:
    void write(std::string_view) override { throw base::fail(base::ErrorCode::Exhausted, "disk full"); }
};

TEST_P(Codec, AFailingSinkEndsTheStreamCleanly) {
    FailingSink sink;
    std::unique_ptr<base::Sink> writer = compress_to(sink, GetParam());
    std::string data = sample(kMiB);
    test::Failure error = failure([&] {
        for (int i = 0; i < 200; ++i) writer->write(data);
    });
    EXPECT_EQ(error.code, base::ErrorCode::Exhausted);
}

TEST_P(Codec, AnAbandonedStreamWaitsForItsBlocks) {
    base::StringSink sink;
    std::unique_ptr<base::Sink> writer = compress_to(sink, GetParam());
    writer->write(sample(9 * kMiB));
    writer.reset();
}

INSTANTIATE_TEST_SUITE_P(All, Codec, ::testing::Values(Compression::Gzip, Compression::Zstd),
                         [](const auto& codec) {
                             return codec.param == Compression::Gzip ? "Gzip" : "Zstd";
                         });

TEST(Decompress, PlainDataPasses) {
    for (const std::string& data :
         {std::string(), std::string("\x1f"), std::string("abc"), std::string(100'000, 'x')}) {
        EXPECT_EQ(decompressed(data, data.size()), data);
        if (!data.empty()) {
            EXPECT_EQ(failure([&] { decompressed(data, data.size() - 1); }).code, base::ErrorCode::Invalid);
        }
    }
}

TEST(Decompress, HugeWindowIsRefused) {
    // A frame header that asks for a window of 2^31 bytes (RFC 8878 §3.1.1.1.2).
    EXPECT_EQ(failure([] { decompressed(std::string("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9)); }).code,
              base::ErrorCode::Corrupt);
}

TEST(CompressTo, RefusesOtherLevels) {
    base::NullSink sink;
    EXPECT_EQ(failure([&] { compress_to(sink, Compression::Gzip, 13); }).code, base::ErrorCode::Invalid);
    EXPECT_EQ(failure([&] { compress_to(sink, Compression::Gzip, 0); }).code, base::ErrorCode::Invalid);
    EXPECT_EQ(failure([&] { compress_to(sink, Compression::Zstd, 20); }).code, base::ErrorCode::Invalid);
    EXPECT_EQ(failure([&] { compress_to(sink, Compression::None, 1); }).code, base::ErrorCode::Invalid);
}

TEST(CompressTo, LevelChangesTheBytesOnly) {
    std::string data = sample(100'000);
    base::StringSink sink;
    std::unique_ptr<base::Sink> writer = compress_to(sink, Compression::Gzip, 1);
    writer->write(data);
    writer->finish();
    EXPECT_NE(sink.data(), compressed(data, Compression::Gzip));
    EXPECT_EQ(decompressed(sink.data()), data);
}

}  // namespace
}  // namespace mullion::oci
