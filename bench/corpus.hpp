// A directory of files to measure with: the same bytes in every run, on every machine; removed with the
// object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/file.hpp"

namespace mullion::bench {

struct CorpusShape {
    std::size_t files = 0;
    std::size_t files_per_directory = 50;
    std::size_t mean_size = 0;  // sizes lie between a half and one and a half of it
    unsigned noise = 4;         // of sample_bytes()
};

class Corpus {
  public:
    explicit Corpus(const CorpusShape& shape);

    const std::filesystem::path& path() const { return root_; }
    std::size_t files() const { return files_; }
    std::uint64_t bytes() const { return bytes_; }
    // A file beside the corpus, for what a benchmark writes.
    std::filesystem::path scratch(const std::string& name) const { return directory_.path() / name; }

  private:
    base::TempDir directory_;
    std::filesystem::path root_;
    std::size_t files_;
    std::uint64_t bytes_ = 0;
};

// `size` bytes made of words as program files have them, of which one in `noise` is random: 4 compresses to
// about a third, 2 to about a half.
std::string sample_bytes(std::size_t size, std::uint64_t seed, unsigned noise = 4);

}  // namespace mullion::bench
