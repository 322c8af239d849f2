#include "hcs/backup_stream.hpp"

#include <algorithm>

#include "base/copy.hpp"
#include "base/error.hpp"
#include "tree/little_endian.hpp"
#include "tree/reparse.hpp"
#include "tree/utf16.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using namespace tree;

constexpr std::size_t kHeaderSize = 20;
// No NTFS name is longer.
constexpr std::uint32_t kMostNameBytes = 2 * (255 + 16);
constexpr std::size_t kAttributeHeaderSize = 8;

void write_stream(base::Sink& sink, std::uint32_t id, std::string_view data) {
    sink.write(backup_header({.id = id, .size = data.size()}));
    sink.write(data);
}

}  // namespace

std::string backup_header(const BackupStream& stream) {
    std::optional<std::string> name = to_utf16(stream.name);
    if (!name) throw base::fail(ErrorCode::Invalid, "the name of a stream is not UTF-8");
    std::string header;
    put32(header, stream.id);
    put32(header, stream.attributes);
    put64(header, stream.size);
    put32(header, static_cast<std::uint32_t>(name->size()));
    return header + *name;
}

std::optional<BackupStream> BackupReader::next() {
    if (left_ > 0) source_.skip(std::exchange(left_, 0), what_);
    char first;
    if (source_.read(&first, 1) == 0) return std::nullopt;
    std::string header(kHeaderSize, first);
    source_.read_exactly(header.data() + 1, kHeaderSize - 1, what_);
    BackupStream stream;
    stream.id = get32(header, 0);
    stream.attributes = get32(header, 4);
    stream.size = get64(header, 8);
    std::uint32_t name_size = get32(header, 16);
    if (name_size > kMostNameBytes || name_size % 2 != 0) {
        throw base::fail(ErrorCode::Corrupt, "{}: the name of a stream has {} bytes", what_, name_size);
    }
    std::string name(name_size, '\0');
    source_.read_exactly(name.data(), name.size(), what_);
    stream.name = from_utf16(name).text;
    left_ = stream.size;
    return stream;
}

std::size_t BackupReader::read(char* buffer, std::size_t size) {
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
    if (size == 0) return 0;
    std::size_t got = source_.read(buffer, size);
    if (got == 0) throw base::fail(ErrorCode::Corrupt, "{}: a stream is cut off", what_);
    left_ -= got;
    return got;
}

std::string encode_extended_attributes(const std::map<std::string, std::string>& attributes) {
    std::string data;
    std::size_t last = 0;
    for (const auto& [name, value] : attributes) {
        if (name.empty() || name.size() > 255 || value.size() > 65535) {
            throw base::fail(ErrorCode::Invalid,
                             "an extended attribute has no name, or too much of something");
        }
        data.resize((data.size() + 3) / 4 * 4);
        if (!data.empty()) set32(data, last, static_cast<std::uint32_t>(data.size() - last));
        last = data.size();
        put32(data, 0);
        data += '\0';
        data += static_cast<char>(name.size());
        put16(data, value.size());
        data += name + '\0' + value;
    }
    return data;
}

std::map<std::string, std::string> decode_extended_attributes(std::string_view data) {
    std::map<std::string, std::string> attributes;
    while (!data.empty()) {
        std::size_t name_size = data.size() < kAttributeHeaderSize ? 0 : static_cast<unsigned char>(data[5]);
        std::size_t value_size = name_size == 0 ? 0 : get16(data, 6);
        if (name_size == 0 || kAttributeHeaderSize + name_size + 1 + value_size > data.size()) {
            throw base::fail(ErrorCode::Corrupt, "the extended attributes are malformed");
        }
        attributes[std::string(data.substr(kAttributeHeaderSize, name_size))] =
            data.substr(kAttributeHeaderSize + name_size + 1, value_size);
        std::size_t next = get32(data, 0);
        if (next == 0) break;
        if (next < kAttributeHeaderSize || next > data.size()) {
            throw base::fail(ErrorCode::Corrupt, "the extended attributes are malformed");
        }
        data.remove_prefix(next);
    }
    return attributes;
}

void write_backup_streams(const tree::Node& node, tree::ContentProvider& contents, base::Sink& sink,
                          const base::CancelToken& cancel) {
    auto write_content = [&](BackupStream stream, const tree::Content& content) {
        stream.size = content.size();
        sink.write(backup_header(stream));
        auto bytes = contents.open(content, cancel);
        base::copy(*bytes, sink, cancel);
    };
    const tree::Metadata& metadata = node.metadata;
    if (metadata.descriptor) write_stream(sink, backup_id::kSecurity, *metadata.descriptor);
    if (!metadata.extended_attributes.empty()) {
        write_stream(sink, backup_id::kExtendedAttributes,
                     encode_extended_attributes(metadata.extended_attributes));
    }
    if (tree::is_link(node.kind)) {
        tree::ReparsePoint point{node.kind == tree::NodeKind::Junction, node.link_target};
        write_stream(sink, backup_id::kReparse, tree::encode_reparse(point));
    }
    if (node.kind == tree::NodeKind::File) write_content({.id = backup_id::kData}, *node.content);
    for (const tree::Stream& stream : node.streams) {
        write_content({.id = backup_id::kAlternateData, .name = ":" + stream.name + ":$DATA"},
                      *stream.content);
    }
}

}  // namespace mullion::hcs
