#include "support.hpp"

#include "oci/tar_writer.hpp"

namespace mullion::oci::test {

std::unique_ptr<base::Source> MemoryBlobs::open(const Descriptor& descriptor, const base::CancelToken&) {
    auto found = bytes.find(descriptor.digest);
    if (found == bytes.end()) {
        throw base::fail(base::ErrorCode::NotFound, "no blob {}", descriptor.digest.string());
    }
    return std::make_unique<base::MemorySource>(found->second);
}

Descriptor MemoryBlobs::add(std::string_view media_type, std::string data) {
    Descriptor descriptor{
        .media_type = std::string(media_type), .digest = base::Digest::of(data), .size = data.size()};
    bytes.insert_or_assign(descriptor.digest, std::move(data));
    return descriptor;
}

std::string layer_tar(const std::string& file_name, const std::string& content) {
    base::StringSink sink;
    TarWriter tar(sink);
    tar.directory("Files/");
    tar.file("Files/" + file_name, content);
    tar.finish();
    return sink.take();
}

std::string compressed(const std::string& data, Compression compression) {
    base::StringSink sink;
    std::unique_ptr<base::Sink> writer = compress_to(sink, compression);
    writer->write(data);
    writer->finish();
    return sink.take();
}

TestImage add_image(MemoryBlobs& blobs, const std::vector<std::string>& layers, Compression compression,
                    const std::string& os_version) {
    ImageConfig config;
    config.platform.os_version = os_version;
    config.created = base::FileTime::from_seconds(315532800);
    config.config.env = {"PATH=C:\\Windows"};
    config.config.cmd = {{"cmd", "/C", "dir > out"}};
    Manifest manifest{.config = blobs.add(media_type::kConfig, "{}")};
    for (const std::string& layer : layers) {
        manifest.layers.push_back(blobs.add(layer_media_type(compression), compressed(layer, compression)));
        config.diff_ids.push_back({base::Digest::of(layer)});
        config.history.push_back({.created = config.created, .created_by = "COPY a b # buildkit"});
    }
    config.history.push_back({.created = config.created, .created_by = "CMD", .empty_layer = true});
    TestImage image{manifest.config, manifest, config};
    seal(blobs, image);
    return image;
}

void seal(MemoryBlobs& blobs, TestImage& image) {
    image.manifest.config = blobs.add(media_type::kConfig, image.config.json());
    image.root = blobs.add(image.manifest.media_type, image.manifest.json());
    image.root.platform = image.config.platform;
}

void write_image(ImageWriter& writer, MemoryBlobs& blobs, const TestImage& image, const std::string& name) {
    for (const Descriptor& layer : image.manifest.layers) writer.put(blobs, layer, {});
    writer.put(blobs, image.manifest.config, {});
    writer.put_bytes(image.root, blobs.bytes.at(image.root.digest));
    writer.finish({{name, image.root}});
}

std::string ScratchTest::run(const std::vector<std::string>& argv, int expected, const std::string& input) {
    base::ProcessOptions options;
    options.argv = argv;
    options.input = input;
    options.time_limit = std::chrono::seconds(60);
    base::ProcessOutput output = base::run_and_capture(std::move(options), none_, 64 << 20);
    EXPECT_EQ(output.exit_code, expected) << argv[0] << ": " << output.err;
    return output.out;
}

std::string ScratchTest::python(const std::string& script, std::vector<std::string> arguments) {
    std::vector<std::string> argv = {"python3", "-c", script, scratch_.path().string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run(argv);
}

Failure failure(const std::function<void()>& body) {
    try {
        body();
    } catch (const base::Error& error) {
        return {error.code(), error.what()};
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
}

}  // namespace mullion::oci::test
