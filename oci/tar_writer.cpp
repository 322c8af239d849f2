#include "oci/tar_writer.hpp"

#include <array>
#include <cstring>

#include "base/error.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr std::size_t kBlock = 512;
constexpr std::size_t kMaxName = 99;
constexpr std::uint64_t kMaxOctalSize = (std::uint64_t{1} << 33) - 1;

using Block = std::array<char, kBlock>;

void put(Block& block, std::size_t at, std::string_view text) {
    std::memcpy(block.data() + at, text.data(), text.size());
}

// Octal up to 8 GiB, beyond that GNU's binary form, which every reader of images knows (Go, libarchive,
// Python).
void put_size(Block& block, std::uint64_t size) {
    constexpr std::size_t kAt = 124;
    if (size <= kMaxOctalSize) {
        put(block, kAt, fmt::format("{:011o}", size));
        return;
    }
    block[kAt] = static_cast<char>(0x80);
    for (std::size_t i = 0; i < sizeof size; ++i) {
        block[kAt + 11 - i] = static_cast<char>(size >> (8 * i));
    }
}

}  // namespace

void TarWriter::header(const std::string& name, char type, std::uint64_t size) {
    end_entry();
    if (name.size() > kMaxName) throw base::fail(ErrorCode::Internal, "tar: the name {} is too long", name);
    Block block{};
    put(block, 0, name);
    put(block, 100, type == '5' ? "0000755" : "0000644");
    put(block, 108, "0000000");
    put(block, 116, "0000000");
    put_size(block, size);
    put(block, 136, "00000000000");
    put(block, 148, "        ");
    block[156] = type;
    put(block, 257, std::string_view("ustar\00000", 8));
    unsigned sum = 0;
    for (char c : block) sum += static_cast<unsigned char>(c);
    put(block, 148, fmt::format("{:06o}", sum));
    block[154] = '\0';
    to_.write({block.data(), block.size()});
    missing_ = size;
    padding_ = (kBlock - size % kBlock) % kBlock;
}

void TarWriter::end_entry() {
    if (missing_ != 0) throw base::fail(ErrorCode::Internal, "tar: {} bytes of a file are missing", missing_);
    static constexpr Block kZeros{};
    to_.write({kZeros.data(), static_cast<std::size_t>(padding_)});
    padding_ = 0;
}

void TarWriter::directory(const std::string& name) {
    header(name, '5', 0);
}

void TarWriter::begin_file(const std::string& name, std::uint64_t size) {
    header(name, '0', size);
}

void TarWriter::write(std::string_view data) {
    if (data.size() > missing_) throw base::fail(ErrorCode::Internal, "tar: more bytes than announced");
    to_.write(data);
    missing_ -= data.size();
}

void TarWriter::file(const std::string& name, std::string_view data) {
    begin_file(name, data.size());
    write(data);
}

void TarWriter::finish() {
    end_entry();
    static constexpr std::array<char, 2 * kBlock> kEnd{};
    to_.write({kEnd.data(), kEnd.size()});
}

}  // namespace mullion::oci
