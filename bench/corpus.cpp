#include "bench/corpus.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace mullion::bench {
namespace {

// xorshift64*: small, and the same everywhere.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
    std::uint64_t next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545f4914f6cdd1d;
    }

  private:
    std::uint64_t state_;
};

}  // namespace

std::string sample_bytes(std::size_t size, std::uint64_t seed, unsigned noise) {
    static constexpr std::array<std::string_view, 16> kWords = {
        "void ",      "return ",    "System.Collections",
        "\r\n    ",   "public ",    "static ",
        "0x00000000", "namespace ", "string ",
        "{}\r\n",     "using ",     "Microsoft",
        "();\r\n",    "class ",     "\0\0\0\0\0",
        "Assembly"};
    Random random(seed);
    std::string bytes;
    bytes.reserve(size + 32);
    while (bytes.size() < size) {
        std::uint64_t value = random.next();
        if (value % noise == 0) {
            bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
        } else {
            bytes += kWords[value >> 60];
        }
    }
    bytes.resize(size);
    return bytes;
}

Corpus::Corpus(const CorpusShape& shape)
    : directory_(std::filesystem::temp_directory_path(), "mullion-bench"),
      root_(directory_.path() / "corpus"),
      files_(shape.files) {
    Random random(shape.files);
    for (std::size_t i = 0; i < shape.files; ++i) {
        std::size_t group = i / shape.files_per_directory;
        auto folder = root_ / fmt::format("group{}", group / 20) / fmt::format("folder{}", group % 20);
        if (i % shape.files_per_directory == 0) std::filesystem::create_directories(folder);
        std::size_t size = shape.mean_size / 2 + (shape.mean_size == 0 ? 0 : random.next() % shape.mean_size);
        base::write_file_atomic(folder / fmt::format("File {}.txt", i), sample_bytes(size, i, shape.noise));
        bytes_ += size;
    }
}

}  // namespace mullion::bench
