#include <charconv>
#include <unordered_map>

#include "base/base64.hpp"
#include "base/error.hpp"
#include "tree/delta_budget.hpp"
#include "tree/layer_form.hpp"
#include "tree/layer_tar.hpp"
#include "tree/name.hpp"
#include "tree/security_descriptor.hpp"
#include "tree/tar_reader.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kOpaqueWhiteout = ".wh..wh..opq";
constexpr std::size_t kBuffer = 64 * 1024;

// A content whose LayerRange waits for the diff ID.
struct PendingContent {
    std::shared_ptr<Node> node;
    std::optional<std::size_t> stream;  // else the node's own bytes
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::optional<base::Digest> digest;
};

// Passes on what it reads and digests it.
class DigestingSource final : public base::Source {
  public:
    explicit DigestingSource(base::Source& from) : from_(from) {}
    std::size_t read(char* buffer, std::size_t size) override {
        std::size_t got = from_.read(buffer, size);
        hasher_.update({buffer, got});
        return got;
    }
    base::Digest finish() { return hasher_.finish(); }

  private:
    base::Source& from_;
    base::Hasher hasher_;
};

std::uint32_t parse_attributes(std::string_view text) {
    std::uint32_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw fail(ErrorCode::Corrupt, "MSWINDOWS.fileattr is not a 32-bit number");
    }
    return value;
}

PaxTime parse_time(std::string_view text, std::string_view key) {
    auto time = parse_pax_time(text);
    if (!time) throw fail(ErrorCode::Corrupt, "PAX record \"{}\" is not a time", key);
    return *time;
}

// The tree path of an entry below the layer's (or section's) root. Only what could leave the tree or confuse
// us is refused here.
void check_path(Os os, std::string_view path) {
    for (std::size_t begin = 0; begin <= path.size();) {
        std::size_t end = std::min(path.find('/', begin), path.size());
        std::string_view name = path.substr(begin, end - begin);
        bool last = end == path.size();
        const char* problem = nullptr;
        if (name.empty()) problem = "has an empty name in it";
        if (name == "." || name == "..") problem = "has \".\" or \"..\" in it";
        if (os == Os::Windows && name.find('\\') != std::string_view::npos) problem = "has a backslash in it";
        if (os == Os::Windows && !last && name.find(':') != std::string_view::npos) {
            problem = "has a ':' in a directory's name";
        }
        if (problem != nullptr) throw fail(ErrorCode::Invalid, "the path {}", problem);
        begin = end + 1;
    }
}

}  // namespace

struct LayerReader::State {
    explicit State(LayerReadOptions read_options) : options(std::move(read_options)), budget(options.limits) {
        delta.os = options.os;
    }

    LayerReadOptions options;
    DeltaBudget budget;
    Delta delta;
    std::optional<base::DiffId> diff_id;
    std::uint64_t size = 0;

    std::vector<PendingContent> pending;
    std::unordered_map<std::string, DescriptorRef> descriptors;  // by their base64 form
    bool seen_hives = false;
    bool trailing_slash = false;  // of the current entry's name
    std::vector<char> buffer;     // for contents nobody wants
    // Where streams may follow: the last entry, if it was a file or directory, and its path with its section.
    std::shared_ptr<Node> last;
    std::string last_name;
    // Files of this layer by folded entry name, made when the first hard link needs it.
    std::unordered_map<std::string, NodeRef> files;
    bool has_files = false;

    void entry(TarReader& tar, TarEntry& entry);
    SectionPath locate(TarEntry& entry);
    void root(Section section, const Metadata& metadata);
    void object(TarReader& tar, const TarEntry& entry, const SectionPath& at);
    void stream(TarReader& tar, const TarEntry& entry, const SectionPath& at, std::size_t colon);
    void hard_link(const TarEntry& entry, const SectionPath& at);
    void whiteout(const TarEntry& entry, const SectionPath& at, std::string_view name);
    void content(TarReader& tar, const TarEntry& entry, const SectionPath& at,
                 const std::shared_ptr<Node>& node, std::optional<std::size_t> stream);
    Metadata metadata(const TarEntry& entry, TarType type);
    void windows_metadata(const TarEntry& entry, Metadata& metadata, std::uint16_t& form);
    void attributes(const TarEntry& entry, Metadata& metadata);
    DescriptorRef descriptor(const TarEntry& entry);
    std::string file_key(Section section, std::string_view path) const;
    void index_files();
    void index_file(Section section, std::string_view path, const NodeRef& node);
    std::vector<Change>& changes(Section section);
    void finish();
};

std::vector<Change>& LayerReader::State::changes(Section section) {
    if (section == Section::Hives) return delta.hives;
    return section == Section::UtilityVm ? delta.utility_vm : delta.changes;
}

// Drops the trailing slash of the name, checks it, and tells where it lies.
SectionPath LayerReader::State::locate(TarEntry& entry) {
    while (entry.name.size() > 1 && entry.name.ends_with('/')) entry.name.pop_back();
    std::string_view name = entry.name;
    if (options.os == Os::Linux) {
        if (name == ".") return {Section::Files, {}};
        if (name.starts_with("./")) name.remove_prefix(2);
        check_path(options.os, name);
        return {Section::Files, name};
    }
    auto at = section_path(name);
    if (!at) {
        throw fail(ErrorCode::Invalid, "the path is not below \"Files\", \"Hives\" or \"UtilityVM\"");
    }
    if (!at->path.empty()) check_path(options.os, at->path);
    return *at;
}

DescriptorRef LayerReader::State::descriptor(const TarEntry& entry) {
    const std::string_view* raw = entry.find(pax_key::kDescriptor);
    const std::string_view* sddl = raw == nullptr ? entry.find(pax_key::kSddl) : nullptr;
    if (raw == nullptr && sddl == nullptr) return nullptr;
    auto [known, added] = descriptors.try_emplace(std::string(raw != nullptr ? *raw : *sddl));
    if (!added) return known->second;
    std::string bytes;
    if (raw != nullptr) {
        auto decoded = base::decode_base64(*raw);
        if (!decoded) throw fail(ErrorCode::Corrupt, "MSWINDOWS.rawsd is not base64");
        bytes = std::move(*decoded);
    } else {
        bytes = SecurityDescriptor::parse_sddl(*sddl).self_relative();
    }
    budget.add_bytes(kMapNodeBytes + known->first.size() + bytes.size());
    known->second = std::make_shared<const std::string>(std::move(bytes));
    return known->second;
}

void LayerReader::State::attributes(const TarEntry& entry, Metadata& metadata) {
    std::string_view prefix =
        options.os == Os::Windows ? pax_key::kWindowsAttribute : pax_key::kLinuxAttribute;
    for (const PaxRecord& record : entry.records) {
        if (!record.key.starts_with(prefix)) continue;
        std::string name(record.key.substr(prefix.size()));
        budget.add_bytes(kMapNodeBytes + sizeof(std::pair<std::string, std::string>) + record.key.size() +
                         record.value.size());
        if (options.os == Os::Linux) {
            metadata.extended_attributes[name] = record.value;
            continue;
        }
        auto value = base::decode_base64(record.value);
        if (!value) throw fail(ErrorCode::Corrupt, "{} is not base64", printable(record.key));
        metadata.extended_attributes[name] = std::move(*value);
    }
}

void LayerReader::State::windows_metadata(const TarEntry& entry, Metadata& metadata, std::uint16_t& form) {
    if (const auto* text = entry.find(pax_key::kAttributes)) {
        metadata.attributes = parse_attributes(*text);
        form |= tar_form::kAttributes;
    }
    if (const auto* text = entry.find(pax_key::kCreated)) {
        PaxTime created = parse_time(*text, pax_key::kCreated);
        if (*text == unpadded_time(entry.modified)) {
            created = entry.modified;
            form |= tar_form::kCreationUnpadded;
        } else {
            form |= tar_form::kCreationTime;
        }
        metadata.created = created.file_time();
    }
    metadata.descriptor = descriptor(entry);
}

Metadata LayerReader::State::metadata(const TarEntry& entry, TarType type) {
    Metadata metadata;
    std::uint16_t form = 0;
    metadata.set_times(entry.modified.file_time());
    if (const auto* text = entry.find("atime")) {
        metadata.accessed = parse_time(*text, "atime").file_time();
        form |= tar_form::kAccessTime;
    }
    if (const auto* text = entry.find("ctime")) {
        metadata.changed = parse_time(*text, "ctime").file_time();
        form |= tar_form::kChangeTime;
    }
    if (options.os == Os::Windows) windows_metadata(entry, metadata, form);
    attributes(entry, metadata);
    metadata.mode = entry.mode & 07777;
    metadata.uid = entry.uid;
    metadata.gid = entry.gid;
    if (type == TarType::HardLink) {
        if (metadata.mode == kHardLinkMode) form |= tar_form::kLinkMode;
    } else if ((entry.mode & kModeTypeMask) == mode_type_bits(type, metadata.attributes)) {
        form |= tar_form::kTypeBits;
    }
    if (trailing_slash && type == TarType::Directory) form |= tar_form::kTrailingSlash;
    metadata.tar_form = form ^ own_form(options.os, type);
    return metadata;
}

void LayerReader::State::root(Section section, const Metadata& metadata) {
    switch (section) {
        case Section::Files:
            delta.files_root = metadata;
            if (options.os == Os::Windows && !seen_hives) delta.files_first = true;
            break;
        case Section::Hives:
            delta.hives_root = metadata;
            seen_hives = true;
            break;
        case Section::UtilityVm:
            delta.utility_vm_root = metadata;
            break;
    }
}

void LayerReader::State::content(TarReader& tar, const TarEntry& entry, const SectionPath& at,
                                 const std::shared_ptr<Node>& node, std::optional<std::size_t> stream) {
    budget.add_bytes(kContentBytes + sizeof(PendingContent));
    PendingContent part{node, stream, entry.offset, entry.size, std::nullopt};
    bool wanted = options.on_content && at.section == Section::Files;
    std::string path(wanted ? at.path : std::string_view{});
    if (options.digest_contents) {
        DigestingSource source(tar.content());
        if (wanted) options.on_content(path, entry.offset, entry.size, source);
        if (buffer.empty()) buffer.resize(kBuffer);
        while (source.read(buffer.data(), buffer.size()) > 0) {
        }
        part.digest = source.finish();
    } else if (wanted) {
        options.on_content(path, entry.offset, entry.size, tar.content());
    }
    pending.push_back(std::move(part));
}

void LayerReader::State::stream(TarReader& tar, const TarEntry& entry, const SectionPath& at,
                                std::size_t colon) {
    std::string_view name = at.path.substr(colon + 1);
    std::string_view owner = std::string_view(entry.name).substr(0, entry.name.size() - name.size() - 1);
    if (entry.type != TarType::File || name.empty() || name.find(':') != std::string_view::npos) {
        throw fail(ErrorCode::Invalid, "the path has a ':' in it but is not a stream");
    }
    if (last == nullptr || last_name != owner) {
        throw fail(ErrorCode::Invalid, "the stream does not directly follow its file");
    }
    last->streams.push_back({std::string(name), nullptr});
    content(tar, entry, at, last, last->streams.size() - 1);
}

void LayerReader::State::whiteout(const TarEntry& entry, const SectionPath& at, std::string_view name) {
    if (options.os == Os::Linux && name == kOpaqueWhiteout) {
        throw fail(ErrorCode::Unsupported, "opaque whiteouts are not supported");
    }
    std::string_view removed = name.substr(kWhiteoutPrefix.size());
    if (removed.empty() || removed == "." || removed == ".." || entry.size != 0) {
        throw fail(ErrorCode::Invalid, "the whiteout is malformed");
    }
    changes(at.section).push_back(Removal{join(parent_of(at.path), removed)});
    last = nullptr;
}

std::string LayerReader::State::file_key(Section section, std::string_view path) const {
    return join(section_name(section), fold(options.os, path));
}

void LayerReader::State::index_files() {
    if (has_files) return;
    has_files = true;
    for (Section section : kSections) {
        for (const Change& change : changes(section)) {
            const auto* put = std::get_if<Upsert>(&change);
            if (put == nullptr || put->node->kind == NodeKind::Directory) continue;
            index_file(section, put->path, put->node);
        }
    }
}

void LayerReader::State::index_file(Section section, std::string_view path, const NodeRef& node) {
    budget.add_bytes(kMapNodeBytes + sizeof(std::pair<std::string, NodeRef>) + path.size());
    files[file_key(section, path)] = node;
}

void LayerReader::State::hard_link(const TarEntry& entry, const SectionPath& at) {
    TarEntry target;
    target.name = entry.link_name;
    if (options.os == Os::Linux && target.name.starts_with('/')) target.name.erase(0, 1);
    SectionPath to = base::with_context([] { return std::string("the hard link's target"); },
                                        [&] { return locate(target); });
    if (to.section != at.section || to.path.empty()) {
        throw fail(ErrorCode::Invalid, "the hard link's target \"{}\" lies elsewhere",
                   printable(entry.link_name));
    }
    index_files();
    Upsert change{std::string(at.path), nullptr};
    change.hard_link = std::string(to.path);
    Metadata own = metadata(entry, TarType::HardLink);
    change.hard_link_form = std::exchange(own.tar_form, 0);
    auto found = files.find(file_key(to.section, to.path));
    if (found != files.end()) {
        change.node = found->second;
    } else {
        auto node = std::make_shared<Node>();
        node->kind = NodeKind::File;
        node->metadata = std::move(own);
        change.node = std::move(node);
    }
    budget.add_bytes(change.hard_link->size());
    index_file(at.section, at.path, change.node);
    changes(at.section).push_back(std::move(change));
    last = nullptr;
}

void LayerReader::State::object(TarReader& tar, const TarEntry& entry, const SectionPath& at) {
    auto node = std::make_shared<Node>();
    node->metadata = metadata(entry, entry.type);
    switch (entry.type) {
        case TarType::Directory:
            node->kind = NodeKind::Directory;
            break;
        case TarType::File:
            node->kind = NodeKind::File;
            break;
        case TarType::Symlink:
            node->kind = options.os == Os::Windows && entry.find(pax_key::kMountPoint) != nullptr
                             ? NodeKind::Junction
                             : NodeKind::Symlink;
            node->link_target = entry.link_name;
            if (entry.link_name.empty()) throw fail(ErrorCode::Corrupt, "the link has no target");
            budget.add_bytes(entry.link_name.size());
            break;
        default:
            throw fail(ErrorCode::Unsupported, "layers with devices or pipes are not supported");
    }
    if (entry.type == TarType::File) content(tar, entry, at, node, std::nullopt);
    if (has_files && entry.type != TarType::Directory) index_file(at.section, at.path, node);
    last = options.os == Os::Windows ? node : nullptr;
    last_name = entry.name;
    changes(at.section).push_back(Upsert{std::string(at.path), std::move(node)});
}

void LayerReader::State::entry(TarReader& tar, TarEntry& entry) {
    budget.add_entry();
    trailing_slash = entry.name.ends_with('/');
    SectionPath at = locate(entry);
    budget.add_bytes(kObjectBytes + at.path.size());
    std::string_view name = base_name(at.path);
    std::size_t colon = options.os == Os::Windows ? at.path.find(':') : std::string_view::npos;
    if (at.path.empty()) {
        if (entry.type != TarType::Directory) {
            throw fail(ErrorCode::Invalid, "the path has to be a directory");
        }
        root(at.section, metadata(entry, TarType::Directory));
        last = nullptr;
    } else if (name.starts_with(kWhiteoutPrefix)) {
        whiteout(entry, at, name);
    } else if (colon != std::string_view::npos) {
        stream(tar, entry, at, colon);
    } else if (entry.type == TarType::HardLink) {
        hard_link(entry, at);
    } else {
        object(tar, entry, at);
    }
}

// Gives the contents their places, now that the diff ID is known.
void LayerReader::State::finish() {
    for (PendingContent& part : pending) {
        auto content = std::make_shared<const Content>(part.size, LayerRange{*diff_id, part.offset});
        if (part.digest) content->remember_digest(*part.digest);
        (part.stream ? part.node->streams[*part.stream].content : part.node->content) = std::move(content);
    }
    pending.clear();
    delta.omit_hives = options.os == Os::Windows && !seen_hives;
}

LayerReader::LayerReader(LayerReadOptions options) : state_(std::make_unique<State>(std::move(options))) {}
LayerReader::~LayerReader() = default;

Delta LayerReader::read(base::Source& source, const base::CancelToken& cancel) {
    State& state = *state_;
    if (state.diff_id) throw fail(ErrorCode::Internal, "a LayerReader reads one layer");
    base::VerifyingSource digesting(source, ~std::uint64_t{0});
    TarReader tar(digesting);
    TarEntry entry;
    while (tar.next(entry)) {
        cancel.check();
        base::with_context([&] { return fmt::format("layer entry \"{}\"", printable(entry.name)); },
                           [&] { state.entry(tar, entry); });
    }
    state.diff_id = base::DiffId{digesting.digest()};
    state.size = digesting.size();
    state.finish();
    return std::move(state.delta);
}

base::DiffId LayerReader::diff_id() const {
    if (!state_->diff_id) throw fail(ErrorCode::Internal, "the layer has not been read");
    return *state_->diff_id;
}

std::uint64_t LayerReader::size() const {
    return state_->size;
}

}  // namespace mullion::tree
