#include "hcs/transport_folder.hpp"

#include <algorithm>
#include <map>

#include "base/copy.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "hcs/backup_stream.hpp"
#include "hcs/layer_file.hpp"
#include "tree/layer_form.hpp"
#include "tree/little_endian.hpp"
#include "tree/name.hpp"
#include "tree/reparse.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr const char* kFiles = "Files";
constexpr const char* kHives = "Hives";
constexpr const char* kTombstones = "tombstones.txt";
constexpr std::string_view kDirectorySuffix = ".$wcidirs$";
constexpr std::string_view kTombstonesHead = "\xEF\xBB\xBFVersion 1.0\n";
constexpr std::string_view kDataSuffix = ":$DATA";
constexpr std::size_t kMostTombstones = 256 << 20;
constexpr std::size_t kMostMetadata = 1 << 20;
// A sparse file says of itself how large it is.
constexpr std::uint64_t kMostSparse = std::uint64_t{1} << 38;

bool ends_with(std::string_view text, std::string_view suffix) {
    return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

// Zeros before each block of a sparse file, so that it becomes a plain one.
class SparseFile {
  public:
    SparseFile(base::Sink& sink, const std::string& path) : sink_(sink), path_(path) {}

    void block(base::Source& source, std::uint64_t size, const base::CancelToken& cancel) {
        char offset_bytes[8];
        source.read_exactly(offset_bytes, sizeof offset_bytes, path_);
        std::uint64_t offset = tree::get64({offset_bytes, 8}, 0);
        if (size < 8 || offset < at_)
            throw base::fail(ErrorCode::Corrupt, "{}: sparse blocks out of order", path_);
        if (offset > kMostSparse) {
            throw base::fail(ErrorCode::Unsupported, "{}: a sparse file of {} bytes", path_, offset);
        }
        fill(offset, cancel);
        at_ += base::copy(source, sink_, cancel);
    }

  private:
    void fill(std::uint64_t offset, const base::CancelToken& cancel) {
        static const std::string zeros(1 << 16, '\0');
        while (at_ < offset) {
            cancel.check();
            auto size = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), offset - at_));
            sink_.write({zeros.data(), size});
            at_ += size;
        }
    }

    base::Sink& sink_;
    const std::string& path_;
    std::uint64_t at_ = 0;
};

class FolderReader {
  public:
    FolderReader(const fs::path& folder, const fs::path& contents, const base::CancelToken& cancel)
        : folder_(folder), contents_(contents), cancel_(cancel) {}

    LayerChanges read() {
        if (fs::is_directory(folder_ / kFiles)) walk("", changes_.files);
        read_tombstones();
        std::map<std::string, RawChange> sorted;
        for (RawChange& change : changes_.files) {
            std::string key = sort_key(change.path);
            if (!sorted.emplace(std::move(key), std::move(change)).second) {
                throw base::fail(ErrorCode::Corrupt, "the export has a path twice");
            }
        }
        changes_.files.clear();
        for (auto& [key, change] : sorted) changes_.files.push_back(std::move(change));
        for (const std::string& name : base::list_directory(folder_ / kHives)) hive(name);
        return std::move(changes_);
    }

  private:
    // Orders paths as a walk does: '/' before everything else.
    static std::string sort_key(const std::string& path) {
        std::string key = tree::fold(tree::Os::Windows, path);
        std::replace(key.begin(), key.end(), '/', '\x01');
        return key;
    }

    void walk(const std::string& directory, std::vector<RawChange>& changes) {
        for (const std::string& name : base::list_directory(folder_ / kFiles / base::to_path(directory))) {
            cancel_.check();
            if (ends_with(name, kDirectorySuffix)) continue;
            std::string path = tree::join(directory, name);
            fs::path host = folder_ / kFiles / base::to_path(path).make_preferred();
            if (!fs::is_directory(fs::symlink_status(host))) {
                changes.push_back(read_object(path, host, false));
                continue;
            }
            fs::path about = host;
            about += std::string(kDirectorySuffix);
            if (fs::exists(about)) {
                changes.push_back(read_object(path, about, true));
            }
            walk(path, changes);
        }
    }

    RawChange read_object(const std::string& path, const fs::path& host, bool directory) {
        RawChange change;
        change.path = path;
        change.kind = directory ? RawChange::Kind::Directory : RawChange::Kind::File;
        tree::Metadata metadata;
        read_times(host, metadata);
        change.modified = metadata.modified;
        base::FileSource source(host);
        char attributes[4];
        source.read_exactly(attributes, sizeof attributes, path);
        metadata.attributes = tree::get32({attributes, 4}, 0);
        change.read_only = (metadata.attributes & tree::attribute::kReadOnly) != 0;
        read_streams(source, change, metadata);
        if (change.kind == RawChange::Kind::File) change.hard_link_group = hard_link_group(host);
        change.metadata = std::move(metadata);
        return change;
    }

    void read_streams(base::Source& source, RawChange& change, tree::Metadata& metadata) {
        BackupReader reader(source, change.path);
        std::unique_ptr<base::AtomicFile> content;
        std::optional<SparseFile> sparse;
        while (std::optional<BackupStream> stream = reader.next()) {
            switch (stream->id) {
                case backup_id::kData:
                    change.content = next_content();
                    content = std::make_unique<base::AtomicFile>(change.content);
                    base::copy(reader, *content, cancel_);
                    if ((stream->attributes & kSparseStream) != 0) sparse.emplace(*content, change.path);
                    break;
                case backup_id::kSparseBlock:
                    if (!sparse)
                        throw base::fail(ErrorCode::Corrupt, "{}: a sparse block alone", change.path);
                    sparse->block(reader, stream->size, cancel_);
                    break;
                case backup_id::kSecurity:
                    metadata.descriptor =
                        std::make_shared<const std::string>(reader.read_all(kMostMetadata, change.path));
                    break;
                case backup_id::kExtendedAttributes:
                    metadata.extended_attributes =
                        decode_extended_attributes(reader.read_all(kMostMetadata, change.path));
                    break;
                case backup_id::kReparse:
                    read_reparse(reader, change);
                    break;
                case backup_id::kAlternateData:
                    read_alternate(reader, *stream, change);
                    break;
                default:  // links, object ids, transactions: no layer carries them
                    break;
            }
        }
        if (!content) return;
        content->finish();
        change.size = fs::file_size(change.content);
    }

    void read_reparse(base::Source& data, RawChange& change) {
        tree::ReparsePoint point = tree::decode_reparse(data.read_all(tree::kMaxReparseBuffer, change.path));
        change.kind = point.mount_point ? RawChange::Kind::Junction : RawChange::Kind::Symlink;
        change.link_target = point.target;
    }

    void read_alternate(base::Source& data, const BackupStream& stream, RawChange& change) {
        std::string_view name = stream.name;
        if (name.empty() || name[0] != ':' || !ends_with(name, kDataSuffix) || stream.attributes != 0) {
            throw base::fail(ErrorCode::Unsupported, "{}: a stream {} no layer can hold", change.path,
                             tree::printable(stream.name));
        }
        name.remove_prefix(1);
        name.remove_suffix(kDataSuffix.size());
        RawStream raw{std::string(name), next_content()};
        base::AtomicFile file(raw.content);
        base::copy(data, file, cancel_);
        file.finish();
        change.streams.push_back(std::move(raw));
    }

    void read_tombstones() {
        std::optional<std::string> text = base::try_read_file(folder_ / kTombstones, kMostTombstones);
        if (!text) return;
        std::string_view rest = *text;
        if (rest.substr(0, kTombstonesHead.size() - 1) !=
            kTombstonesHead.substr(0, kTombstonesHead.size() - 1)) {
            throw base::fail(ErrorCode::Corrupt, "{} is of another version", kTombstones);
        }
        rest.remove_prefix(std::min(rest.size(), rest.find('\n')));
        while (!rest.empty()) {
            rest.remove_prefix(1);
            std::string_view line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(line.size());
            if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
            if (line.empty()) continue;
            RawChange change;
            change.path = tree::normalise(tree::Os::Windows, line);
            change.kind = RawChange::Kind::Removal;
            changes_.files.push_back(std::move(change));
        }
    }

    void hive(const std::string& name) {
        RawChange change;
        change.path = name;
        change.content = folder_ / kHives / base::to_path(name);
        change.size = fs::file_size(change.content);
        tree::Metadata times;
        read_times(change.content, times);
        change.modified = times.modified;
        changes_.hives.push_back(std::move(change));
    }

    fs::path next_content() { return contents_ / std::to_string(number_++); }

    const fs::path& folder_;
    const fs::path& contents_;
    const base::CancelToken& cancel_;
    LayerChanges changes_;
    std::uint64_t number_ = 0;
};

}  // namespace

LayerChanges read_transport_folder(const fs::path& folder, const fs::path& contents,
                                   const base::CancelToken& cancel) {
    return FolderReader(folder, contents, cancel).read();
}

TransportWriter::TransportWriter(fs::path folder, tree::ContentProvider& contents, base::CancelToken cancel)
    : folder_(std::move(folder)), contents_(contents), cancel_(std::move(cancel)) {
    fs::create_directory(folder_ / kFiles);
    fs::create_directory(folder_ / kHives);
}

void TransportWriter::object(const std::string& path, const tree::Node& node) {
    std::uint32_t attributes = tree::written_attributes(node);
    fs::path host = folder_ / kFiles / base::to_path(path).make_preferred();
    if ((attributes & tree::attribute::kDirectory) != 0) {
        fs::create_directory(host);
        host += std::string(kDirectorySuffix);
    }
    base::AtomicFile file(host);
    std::string head;
    tree::put32(head, attributes);
    file.write(head);
    write_backup_streams(node, contents_, file, cancel_);
    file.finish();
    write_times(host, node.metadata);
}

void TransportWriter::removal(const std::string& path) {
    std::string line = path;
    std::replace(line.begin(), line.end(), '/', '\\');
    removals_.push_back("\\" + line);
}

void TransportWriter::hive(const std::string& name, const tree::Node& node) {
    fs::path host = folder_ / kHives / base::to_path(name);
    base::AtomicFile file(host);
    auto bytes = contents_.open(*node.content, cancel_);
    base::copy(*bytes, file, cancel_);
    file.finish();
    write_times(host, node.metadata);
}

void TransportWriter::finish() {
    std::string text(kTombstonesHead);
    for (const std::string& removal : removals_) text += removal + "\n";
    base::write_file_atomic(folder_ / kTombstones, text);
}

}  // namespace mullion::hcs
