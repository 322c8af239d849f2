// Images in memory, tools of other people, and the text of errors.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "oci/blob_source.hpp"
#include "oci/compress.hpp"
#include "oci/config.hpp"
#include "oci/layout.hpp"

namespace mullion::oci::test {

class MemoryBlobs final : public BlobSource {
  public:
    std::unique_ptr<base::Source> open(const Descriptor& descriptor, const base::CancelToken&) override;

    Descriptor add(std::string_view media_type, std::string bytes);
    // What `open` gives for a digest, right or wrong.
    std::map<base::Digest, std::string> bytes;
};

// A small tar with one file, as a layer.
std::string layer_tar(const std::string& file_name, const std::string& content);
std::string compressed(const std::string& data, Compression compression);

struct TestImage {
    Descriptor root;
    Manifest manifest;
    ImageConfig config;
};

// A Windows image of `layers` (uncompressed tars), with everything that belongs to it in `blobs`.
TestImage add_image(MemoryBlobs& blobs, const std::vector<std::string>& layers,
                    Compression compression = Compression::Gzip,
                    const std::string& os_version = "10.0.20348.2700");
// Config and manifest again, after the config or manifest was changed.
void seal(MemoryBlobs& blobs, TestImage& image);

// Everything of an image, then finish.
void write_image(ImageWriter& writer, MemoryBlobs& blobs, const TestImage& image, const std::string& name);

// A temporary directory per test.
class ScratchTest : public ::testing::Test {
  protected:
    std::filesystem::path path(const std::string& name) const { return scratch_.path() / name; }
    void write(const std::string& name, std::string_view data) { base::write_file_atomic(path(name), data); }
    std::string read(const std::string& name) const {
        return base::read_file(path(name), std::size_t{1} << 30);
    }

    // Runs a program; the test fails if it does not exit with `expected`. Returns stdout.
    std::string run(const std::vector<std::string>& argv, int expected = 0, const std::string& input = "");
    // Runs Python with `script` (the rest are its arguments).
    std::string python(const std::string& script, std::vector<std::string> arguments = {});

    base::TempDir scratch_{std::filesystem::temp_directory_path(), "mullion-oci"};
    base::CancelToken none_;
};

// The error that `body` throws; fails the test if it throws none.
struct Failure {
    base::ErrorCode code = base::ErrorCode::Internal;
    std::string text;
};
Failure failure(const std::function<void()>& body);

}  // namespace mullion::oci::test
