#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/error.hpp"
#include "tree/layer_form.hpp"
#include "tree/layer_tar.hpp"
#include "tree/name.hpp"
#include "tree/reparse.hpp"
#include "tree/tar_header.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kChunk = 256 * 1024;
constexpr std::size_t kFlush = 64 * 1024;

// Writes one layer. Headers gather in `pending_` so that small entries do not cost a write each.
class LayerWriter {
  public:
    LayerWriter(Os os, ContentProvider& provider, base::Sink& sink, const base::CancelToken& cancel)
        : os_(os), provider_(provider), sink_(sink), cancel_(cancel) {}

    void root(Section section, const std::optional<Metadata>& metadata);
    void changes(Section section, const std::vector<Change>& changes);
    std::vector<std::uint64_t> finish();

  private:
    void upsert(Section section, const Upsert& change);
    void removal(Section section, const Removal& change);
    void entry(const Node& node);
    void hard_link(Section section, const Upsert& change);
    void streams(const Node& node);
    void content(const ContentRef& content);

    void set_name(Section section, std::string_view path);
    void check_names(std::string_view path) const;
    std::uint16_t begin_header(TarHeader& header, const Metadata& metadata, TarType type, std::uint16_t form);
    void collect_records(const Node& node, TarType type, std::uint16_t flags);
    void put(const TarHeader& header);
    void write(std::string_view data);
    void flush();

    Os os_;
    ContentProvider& provider_;
    base::Sink& sink_;
    const base::CancelToken& cancel_;
    std::string pending_;
    std::uint64_t written_ = 0;  // bytes before pending_
    std::vector<std::uint64_t> offsets_;
    std::vector<char> chunk_;
    // Of the entry at hand; members so that their memory is reused.
    std::string name_;
    std::string link_name_;
    std::string records_;
    std::string value_;
};

void LayerWriter::write(std::string_view data) {
    flush();
    sink_.write(data);
    written_ += data.size();
}

void LayerWriter::flush() {
    if (pending_.empty()) return;
    sink_.write(pending_);
    written_ += pending_.size();
    pending_.clear();
}

void LayerWriter::put(const TarHeader& header) {
    append_tar_header(pending_, header);
    if (pending_.size() >= kFlush) flush();
}

std::vector<std::uint64_t> LayerWriter::finish() {
    pending_.append(kTarTrailer, '\0');
    flush();
    return std::move(offsets_);
}

void LayerWriter::set_name(Section section, std::string_view path) {
    name_.clear();
    if (os_ == Os::Windows) {
        name_ += section_name(section);
        if (!path.empty()) name_ += '/';
    } else if (path.empty()) {
        name_ += '.';
    }
    name_ += path;
}

void LayerWriter::check_names(std::string_view path) const {
    if (path.empty() || path.size() > 32'767) {
        throw fail(ErrorCode::Invalid, "a layer cannot hold an entry with a name of {} bytes", path.size());
    }
    for (std::size_t begin = 0; begin <= path.size();) {
        std::size_t end = std::min(path.find('/', begin), path.size());
        std::string_view name = path.substr(begin, end - begin);
        if (auto problem = name_problem(os_, name)) {
            throw fail(ErrorCode::Invalid, "a layer cannot hold \"{}\": the name \"{}\" {}", printable(path),
                       printable(name), *problem);
        }
        begin = end + 1;
    }
}

// Everything but the name, the size and the records before "atime". Returns the form's flags.
std::uint16_t LayerWriter::begin_header(TarHeader& header, const Metadata& metadata, TarType type,
                                        std::uint16_t form) {
    std::uint16_t flags = own_form(os_, type) ^ form;
    header.type = type;
    header.mode = metadata.mode & 07777;
    header.uid = metadata.uid;
    header.gid = metadata.gid;
    header.modified = PaxTime::from(metadata.modified);
    if ((flags & tar_form::kAccessTime) != 0) header.accessed = PaxTime::from(metadata.accessed);
    if ((flags & tar_form::kChangeTime) != 0) header.changed = PaxTime::from(metadata.changed);
    return flags;
}

// The vendor records of `node`, sorted by key.
void LayerWriter::collect_records(const Node& node, TarType type, std::uint16_t flags) {
    const Metadata& metadata = node.metadata;
    records_.clear();
    if ((flags & tar_form::kCreationUnpadded) != 0) {
        append_pax_record(records_, pax_key::kCreated, unpadded_time(PaxTime::from(metadata.modified)));
    } else if ((flags & tar_form::kCreationTime) != 0) {
        append_pax_record(records_, pax_key::kCreated, format_pax_time(PaxTime::from(metadata.created)));
    }
    if ((flags & tar_form::kAttributes) != 0) {
        append_pax_record(records_, pax_key::kAttributes, fmt::format_int(written_attributes(node)).c_str());
    }
    if (type == TarType::HardLink) return;
    if (node.kind == NodeKind::Junction) append_pax_record(records_, pax_key::kMountPoint, "1");
    if (metadata.descriptor != nullptr && os_ == Os::Windows) {
        value_.clear();
        base::append_base64(value_, *metadata.descriptor);
        append_pax_record(records_, pax_key::kDescriptor, value_);
    }
    for (const auto& [name, bytes] : metadata.extended_attributes) {
        if (name.empty() || name.find('=') != std::string::npos) {
            throw fail(ErrorCode::Invalid, "a layer cannot hold an extended attribute named \"{}\"",
                       printable(name));
        }
        value_.clear();
        if (os_ == Os::Windows) base::append_base64(value_, bytes);
        append_pax_record(
            records_,
            std::string(os_ == Os::Windows ? pax_key::kWindowsAttribute : pax_key::kLinuxAttribute) + name,
            os_ == Os::Windows ? value_ : bytes);
    }
}

void LayerWriter::root(Section section, const std::optional<Metadata>& metadata) {
    Node node;
    if (metadata) node.metadata = *metadata;
    set_name(section, {});
    entry(node);
}

// The entry of `node` under name_, and its content.
void LayerWriter::entry(const Node& node) {
    TarType type = tar_type(node);
    TarHeader header;
    std::uint16_t flags = begin_header(header, node.metadata, type, node.metadata.tar_form);
    if ((flags & tar_form::kTypeBits) != 0) {
        header.mode |= mode_type_bits(type, written_attributes(node));
    }
    collect_records(node, type, flags);
    header.vendor_records = records_;
    if (type == TarType::Symlink) {
        if (os_ == Os::Windows) encode_reparse({node.kind == NodeKind::Junction, node.link_target});
        header.link_name = node.link_target;
    }
    if (type == TarType::File) header.size = node.content->size();
    std::size_t plain = name_.size();
    if (type == TarType::Directory && (flags & tar_form::kTrailingSlash) != 0) name_ += '/';
    header.name = name_;
    put(header);
    name_.resize(plain);
    if (type == TarType::File) content(node.content);
    streams(node);
}

void LayerWriter::streams(const Node& node) {
    std::size_t plain = name_.size();
    for (const Stream& stream : node.streams) {
        if (os_ == Os::Linux || name_problem(os_, stream.name)) {
            throw fail(ErrorCode::Invalid, "a layer cannot hold the stream \"{}\" of \"{}\"",
                       printable(stream.name), printable(name_));
        }
        TarType type = tar_type(node);
        TarHeader header;
        std::uint16_t flags = begin_header(header, node.metadata, type, node.metadata.tar_form);
        if ((flags & tar_form::kTypeBits) != 0) {
            header.mode |= mode_type_bits(type, written_attributes(node));
        }
        header.type = TarType::File;
        header.size = stream.content->size();
        name_ += ':';
        name_ += stream.name;
        header.name = name_;
        put(header);
        content(stream.content);
        name_.resize(plain);
    }
}

void LayerWriter::content(const ContentRef& content) {
    offsets_.push_back(written_ + pending_.size());
    bool host_file = std::holds_alternative<HostFile>(content->location());
    if (content->size() == 0 && !host_file) return;  // a host file's identity is checked even when empty
    auto source = provider_.open(*content, cancel_);
    if (chunk_.empty()) chunk_.resize(kChunk);
    std::uint64_t left = content->size();
    while (std::size_t got = source->read(chunk_.data(), chunk_.size())) {
        if (got > left) break;
        left -= got;
        write({chunk_.data(), got});
        if (left == 0 && !host_file) break;
        cancel_.check();
    }
    if (left != 0) {
        throw fail(ErrorCode::Corrupt, "\"{}\" has not the {} bytes it should have", printable(name_),
                   content->size());
    }
    pending_.append(tar_padding(content->size()), '\0');
}

void LayerWriter::hard_link(Section section, const Upsert& change) {
    check_names(*change.hard_link);
    TarHeader header;
    std::uint16_t flags =
        begin_header(header, change.node->metadata, TarType::HardLink, change.hard_link_form);
    if ((flags & tar_form::kLinkMode) != 0) header.mode = kHardLinkMode;
    collect_records(*change.node, TarType::HardLink, flags);
    header.vendor_records = records_;
    set_name(section, *change.hard_link);
    link_name_ = name_;
    set_name(section, change.path);
    header.name = name_;
    header.link_name = link_name_;
    put(header);
}

void LayerWriter::upsert(Section section, const Upsert& change) {
    check_names(change.path);
    if (base_name(change.path).starts_with(kWhiteoutPrefix)) {
        throw fail(ErrorCode::Invalid, "a layer cannot hold \"{}\": \".wh.\" marks removed files",
                   printable(change.path));
    }
    if (change.hard_link) return hard_link(section, change);
    if (change.node->kind == NodeKind::File && change.node->content == nullptr) {
        throw fail(ErrorCode::Internal, "\"{}\" has no content", printable(change.path));
    }
    set_name(section, change.path);
    base::with_context([&] { return fmt::format("writing \"{}\" into a layer", printable(name_)); },
                       [&] { entry(*change.node); });
}

// As Go writes a header of which only the name is set.
void LayerWriter::removal(Section section, const Removal& change) {
    check_names(change.path);
    set_name(section, parent_of(change.path));
    if (os_ == Os::Linux && parent_of(change.path).empty()) {
        name_.clear();
    } else {
        name_ += '/';
    }
    name_ += kWhiteoutPrefix;
    name_ += base_name(change.path);
    TarHeader header;
    header.name = name_;
    header.allow_split = true;
    put(header);
}

void LayerWriter::changes(Section section, const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        cancel_.check();
        if (const auto* put = std::get_if<Upsert>(&change)) {
            upsert(section, *put);
        } else {
            removal(section, std::get<Removal>(change));
        }
    }
}

}  // namespace

std::vector<std::uint64_t> write_layer(const Delta& delta, ContentProvider& provider, base::Sink& sink,
                                       const base::CancelToken& cancel) {
    LayerWriter writer(delta.os, provider, sink, cancel);
    if (delta.os == Os::Linux) {
        if (!delta.hives.empty() || !delta.utility_vm.empty()) {
            throw fail(ErrorCode::Internal, "a Linux layer has neither hives nor a utility VM");
        }
        if (delta.files_root) writer.root(Section::Files, delta.files_root);
        writer.changes(Section::Files, delta.changes);
        return writer.finish();
    }
    bool has_hives = !delta.omit_hives || delta.hives_root || !delta.hives.empty();
    auto files = [&] {
        writer.root(Section::Files, delta.files_root);
        writer.changes(Section::Files, delta.changes);
    };
    if (delta.files_first) files();
    if (has_hives) {
        writer.root(Section::Hives, delta.hives_root);
        writer.changes(Section::Hives, delta.hives);
    }
    if (!delta.files_first) files();
    if (delta.utility_vm_root || !delta.utility_vm.empty()) {
        writer.root(Section::UtilityVm, delta.utility_vm_root);
        writer.changes(Section::UtilityVm, delta.utility_vm);
    }
    return writer.finish();
}

}  // namespace mullion::tree
