// What the tests of layer tars share: making Deltas, tars and golden files readable in a line.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tree/layer_tar.hpp"
#include "tree/security_descriptor.hpp"
#include "tree/tar_header.hpp"

namespace mullion::tree::test {

inline const base::FileTime kTime{16'999'999'991'234'567};

inline std::filesystem::path golden_path(const std::string& name) {
    return std::filesystem::path(MULLION_GOLDEN_DIR) / "tree" / name;
}
inline std::string golden(const std::string& name) {
    return base::read_file(golden_path(name), 1 << 20);
}

inline Node directory() {
    Node node;
    node.metadata.attributes = attribute::kDirectory;
    node.metadata.descriptor = default_descriptor(true);
    node.metadata.set_times(kTime);
    return node;
}
inline Node file(std::string data) {
    Node node;
    node.kind = NodeKind::File;
    node.metadata.attributes = attribute::kArchive;
    node.metadata.descriptor = default_descriptor(false);
    node.metadata.set_times(kTime);
    node.content = Content::inline_bytes(std::move(data));
    return node;
}
inline Node link(NodeKind kind, std::string target) {
    Node node;
    node.kind = kind;
    node.metadata.attributes =
        attribute::kReparsePoint | (kind == NodeKind::Junction ? attribute::kDirectory : 0);
    node.metadata.set_times(kTime);
    node.link_target = std::move(target);
    return node;
}

inline Upsert put(std::string path, Node node) {
    return Upsert{std::move(path), std::make_shared<const Node>(std::move(node))};
}

inline std::string write(const Delta& delta) {
    HostContent provider;
    base::StringSink sink;
    write_layer(delta, provider, sink, {});
    return sink.take();
}

inline Delta read(std::string_view tar, Os os = Os::Windows) {
    base::MemorySource source(tar);
    LayerReadOptions options;
    options.os = os;
    return LayerReader(options).read(source, {});
}

// Opens LayerRanges in a tar in memory.
class TarContent final : public ContentProvider {
  public:
    explicit TarContent(std::string_view tar) : tar_(tar) {}
    std::unique_ptr<base::Source> open(const Content& content, const base::CancelToken&) override {
        const auto& range = std::get<LayerRange>(content.location());
        return std::make_unique<base::MemorySource>(tar_.substr(range.offset, content.size()));
    }

  private:
    std::string_view tar_;
};

inline std::string rewrite(std::string_view tar, Os os = Os::Windows) {
    Delta delta = read(tar, os);
    TarContent provider(tar);
    base::StringSink sink;
    write_layer(delta, provider, sink, {});
    return sink.take();
}

// A tar made header by header, as right or wrong as a test wants it.
class TarBuilder {
  public:
    TarBuilder& add(TarHeader header, std::string_view data = {}, std::string_view records = {}) {
        header.size = data.size();
        header.vendor_records = records;
        append_tar_header(bytes_, header);
        bytes_ += data;
        bytes_.append(tar_padding(data.size()), '\0');
        return *this;
    }
    TarBuilder& directory(std::string_view name) {
        return add({.name = name, .type = TarType::Directory}, {}, record("MSWINDOWS.fileattr", "16"));
    }
    TarBuilder& file(std::string_view name, std::string_view data = {}) {
        return add({.name = name}, data, record("MSWINDOWS.fileattr", "32"));
    }
    TarBuilder& whiteout(std::string_view name) { return add({.name = name, .allow_split = true}); }
    TarBuilder& hard_link(std::string_view name, std::string_view target) {
        return add({.name = name, .link_name = target, .type = TarType::HardLink}, {},
                   record("MSWINDOWS.fileattr", "32"));
    }
    TarBuilder& raw(std::string_view bytes) {
        bytes_ += bytes;
        return *this;
    }
    std::string end() const { return bytes_ + std::string(kTarTrailer, '\0'); }

    static std::string record(std::string_view key, std::string_view value) {
        std::string out;
        append_pax_record(out, key, value);
        return out;
    }

  private:
    std::string bytes_;
};

// The code and text of the Error that `body` throws; "nothing" if none.
template <typename Body>
std::pair<std::string, std::string> error_of(Body&& body) {
    try {
        body();
    } catch (const base::Error& error) {
        return {base::to_string(error.code()), error.what()};
    }
    return {"nothing", ""};
}

}  // namespace mullion::tree::test
