#include <array>
#include <unordered_map>

#include "base/error.hpp"
#include "base/leb128.hpp"
#include "tree/layer_tar.hpp"
#include "tree/reparse.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

// Numbers are LEB128; signed ones zigzag; strings have their length before them. A path says how much of the
// path before it it repeats.

// The first byte of a change: what it is, and flags.
constexpr std::uint8_t kRemoval = 0;
constexpr std::uint8_t kFirstKind = 1;  // + NodeKind
constexpr std::uint8_t kKindMask = 0x0f;
constexpr std::uint8_t kHardLink = 0x10;    // a target follows
constexpr std::uint8_t kSharedNode = 0x20;  // the number of an earlier change with this node, instead of one

// Which times of an object differ from its write time.
constexpr std::uint8_t kOwnCreated = 1;
constexpr std::uint8_t kOwnAccessed = 2;
constexpr std::uint8_t kOwnChanged = 4;

constexpr std::uint8_t kFilesFirst = 1;
constexpr std::uint8_t kOmitHives = 2;
constexpr std::uint8_t kFirstRoot = 4;  // Files, then Hives, then UtilityVM

// Repeated paths cost almost nothing there and everything here.
constexpr std::uint64_t kMaxPathBytes = 512 << 20;

// Everything that is coded relative to what came before it; the same on both sides.
struct Context {
    std::string path;
    std::uint64_t modified = 0;
    std::uint64_t content_end = 0;
};

class Encoder {
  public:
    explicit Encoder(std::string& out) : out_(out) {}

    void byte(std::uint8_t value) { out_ += static_cast<char>(value); }
    void number(std::uint64_t value) { base::append_leb128(out_, value); }
    // `value` - `from` without overflow: both wrap.
    void difference(std::uint64_t value, std::uint64_t from) {
        std::uint64_t d = value - from;
        number(d << 1 ^ (d >> 63 != 0 ? ~std::uint64_t{0} : 0));
    }
    void string(std::string_view text) {
        number(text.size());
        out_ += text;
    }
    void delta(const Delta& delta);

  private:
    void metadata(const Metadata& metadata);
    void content(const ContentRef& content);
    void node(const Node& node, bool with_content);
    void path(std::string_view path);
    void changes(const std::vector<Change>& changes);
    void upsert(const Upsert& change, std::size_t index);
    void descriptors(const Delta& delta);
    void add_descriptor(const DescriptorRef& descriptor, std::vector<const std::string*>& order);

    std::string& out_;
    Context context_;
    std::unordered_map<std::string_view, std::size_t> descriptor_index_;
    std::unordered_map<const Node*, std::size_t> node_index_;
    bool has_links_ = false;
};

std::uint64_t wrapped(base::FileTime time) {
    return static_cast<std::uint64_t>(time.ticks);
}

void Encoder::metadata(const Metadata& metadata) {
    number(metadata.attributes);
    number(metadata.descriptor == nullptr ? 0 : descriptor_index_.at(*metadata.descriptor) + 1);
    number(metadata.mode);
    number(metadata.uid);
    number(metadata.gid);
    number(metadata.tar_form);
    std::uint64_t modified = wrapped(metadata.modified);
    difference(modified, std::exchange(context_.modified, modified));
    byte(static_cast<std::uint8_t>((metadata.created != metadata.modified ? kOwnCreated : 0) |
                                   (metadata.accessed != metadata.modified ? kOwnAccessed : 0) |
                                   (metadata.changed != metadata.modified ? kOwnChanged : 0)));
    for (base::FileTime time : {metadata.created, metadata.accessed, metadata.changed}) {
        if (time != metadata.modified) difference(wrapped(time), modified);
    }
    number(metadata.extended_attributes.size());
    for (const auto& [name, value] : metadata.extended_attributes) {
        string(name);
        string(value);
    }
}

void Encoder::content(const ContentRef& content) {
    const auto* range = content == nullptr ? nullptr : std::get_if<LayerRange>(&content->location());
    if (range == nullptr) throw fail(ErrorCode::Internal, "a layer's index holds nothing but layer ranges");
    number(content->size());
    difference(range->offset, context_.content_end);
    context_.content_end = range->offset + content->size();
    auto digest = content->known_digest();
    byte(digest ? 1 : 0);
    if (digest) {
        out_.append(reinterpret_cast<const char*>(digest->bytes().data()), base::Digest::kSize);
    }
}

// A hard link into a lower layer goes without contents: they are not in this layer.
void Encoder::node(const Node& node, bool with_content) {
    metadata(node.metadata);
    if (node.kind == NodeKind::File) {
        byte(with_content ? 1 : 0);
        if (with_content) content(node.content);
    }
    if (is_link(node.kind)) string(node.link_target);
    if (!with_content) return number(0);
    number(node.streams.size());
    for (const Stream& stream : node.streams) {
        string(stream.name);
        content(stream.content);
    }
}

void Encoder::path(std::string_view path) {
    std::size_t shared = 0;
    std::size_t limit = std::min(path.size(), context_.path.size());
    while (shared < limit && path[shared] == context_.path[shared]) ++shared;
    number(shared);
    string(path.substr(shared));
    context_.path.replace(shared, std::string::npos, path.substr(shared));
}

void Encoder::upsert(const Upsert& change, std::size_t index) {
    auto kind = static_cast<std::uint8_t>(kFirstKind + static_cast<std::uint8_t>(change.node->kind));
    auto known = node_index_.end();
    if (has_links_) {
        bool added = false;
        std::tie(known, added) = node_index_.try_emplace(change.node.get(), index);
        if (added) known = node_index_.end();
    }
    bool shared = known != node_index_.end();
    byte(static_cast<std::uint8_t>(kind | (change.hard_link ? kHardLink : 0) | (shared ? kSharedNode : 0)));
    path(change.path);
    if (change.hard_link) {
        string(*change.hard_link);
        number(change.hard_link_form);
    }
    if (shared) return number(known->second);
    node(*change.node, !change.hard_link);
}

void Encoder::changes(const std::vector<Change>& changes) {
    number(changes.size());
    context_.path.clear();
    node_index_.clear();
    has_links_ = false;
    for (const Change& change : changes) {
        const auto* put = std::get_if<Upsert>(&change);
        has_links_ = has_links_ || (put != nullptr && put->hard_link);
    }
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (const auto* put = std::get_if<Upsert>(&changes[i])) {
            upsert(*put, i);
        } else {
            byte(kRemoval);
            path(std::get<Removal>(changes[i]).path);
        }
    }
}

void Encoder::add_descriptor(const DescriptorRef& descriptor, std::vector<const std::string*>& order) {
    if (descriptor == nullptr) return;
    if (descriptor_index_.try_emplace(*descriptor, order.size()).second) order.push_back(descriptor.get());
}

// The table of distinct descriptors, in order of first use.
void Encoder::descriptors(const Delta& delta) {
    std::vector<const std::string*> order;
    for (const auto* root : {&delta.files_root, &delta.hives_root, &delta.utility_vm_root}) {
        if (*root) add_descriptor((*root)->descriptor, order);
    }
    for (const auto* list : {&delta.changes, &delta.hives, &delta.utility_vm}) {
        for (const Change& change : *list) {
            const auto* put = std::get_if<Upsert>(&change);
            if (put != nullptr) add_descriptor(put->node->metadata.descriptor, order);
        }
    }
    number(order.size());
    for (const std::string* descriptor : order) string(*descriptor);
}

void Encoder::delta(const Delta& delta) {
    out_ += kLayerIndexFormat;
    byte(delta.os == Os::Linux ? 1 : 0);
    std::array roots{&delta.files_root, &delta.hives_root, &delta.utility_vm_root};
    unsigned flags = (delta.files_first ? kFilesFirst : 0u) | (delta.omit_hives ? kOmitHives : 0u);
    for (std::size_t i = 0; i < roots.size(); ++i) flags |= *roots[i] ? kFirstRoot << i : 0u;
    byte(static_cast<std::uint8_t>(flags));
    descriptors(delta);
    for (const auto* root : roots) {
        if (*root) metadata(**root);
    }
    changes(delta.changes);
    changes(delta.hives);
    changes(delta.utility_vm);
}

class Decoder {
  public:
    Decoder(std::string_view bytes, const base::DiffId& diff_id) : left_(bytes), diff_id_(diff_id) {}

    Delta delta();

  private:
    [[noreturn]] static void bad() { throw fail(ErrorCode::Corrupt, "a layer index is malformed"); }

    std::string_view take(std::uint64_t size) {
        if (size > left_.size()) bad();
        std::string_view part = left_.substr(0, static_cast<std::size_t>(size));
        left_.remove_prefix(part.size());
        return part;
    }
    std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
    std::uint64_t number(std::uint64_t limit = ~std::uint64_t{0}) {
        std::optional<std::uint64_t> value = base::take_leb128(left_);
        if (!value || *value > limit) bad();
        return *value;
    }
    std::uint32_t number32() { return static_cast<std::uint32_t>(number(~std::uint32_t{0})); }
    std::uint16_t number16() { return static_cast<std::uint16_t>(number(0xffff)); }
    std::uint64_t difference(std::uint64_t from) {
        std::uint64_t value = number();
        return from + (value >> 1 ^ ((value & 1) != 0 ? ~std::uint64_t{0} : 0));
    }
    bool flag() {
        std::uint8_t value = byte();
        if (value > 1) bad();
        return value == 1;
    }
    std::string_view string() { return take(number()); }
    // How many of something follow: each takes at least one byte.
    std::size_t count() { return static_cast<std::size_t>(number(left_.size())); }

    Metadata metadata();
    ContentRef content();
    NodeRef node(NodeKind kind);
    const std::string& path();
    std::vector<Change> changes();
    Upsert upsert(std::uint8_t head, const std::vector<Change>& before);

    std::string_view left_;
    base::DiffId diff_id_;
    Context context_;
    std::vector<DescriptorRef> descriptors_;
    std::uint64_t path_bytes_ = 0;
};

Metadata Decoder::metadata() {
    Metadata metadata;
    metadata.attributes = number32();
    std::uint64_t descriptor = number(descriptors_.size());
    if (descriptor > 0) metadata.descriptor = descriptors_[static_cast<std::size_t>(descriptor - 1)];
    metadata.mode = number32();
    metadata.uid = number32();
    metadata.gid = number32();
    metadata.tar_form = number16();
    context_.modified = difference(context_.modified);
    metadata.set_times({static_cast<std::int64_t>(context_.modified)});
    std::uint8_t own = byte();
    if (own > (kOwnCreated | kOwnAccessed | kOwnChanged)) bad();
    auto time = [&] { return base::FileTime{static_cast<std::int64_t>(difference(context_.modified))}; };
    if ((own & kOwnCreated) != 0) metadata.created = time();
    if ((own & kOwnAccessed) != 0) metadata.accessed = time();
    if ((own & kOwnChanged) != 0) metadata.changed = time();
    for (std::size_t left = count(); left > 0; --left) {
        std::string name(string());
        metadata.extended_attributes[std::move(name)] = string();
    }
    return metadata;
}

ContentRef Decoder::content() {
    std::uint64_t size = number();
    std::uint64_t offset = difference(context_.content_end);
    if (offset + size < offset) bad();
    context_.content_end = offset + size;
    auto content = std::make_shared<const Content>(size, LayerRange{diff_id_, offset});
    if (flag()) {
        base::Digest::Bytes bytes;
        std::string_view data = take(bytes.size());
        std::copy(data.begin(), data.end(), bytes.begin());
        content->remember_digest(base::Digest(bytes));
    }
    return content;
}

NodeRef Decoder::node(NodeKind kind) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->metadata = metadata();
    if (kind == NodeKind::File && flag()) node->content = content();
    if (is_link(kind)) node->link_target = string();
    for (std::size_t left = count(); left > 0; --left) {
        std::string name(string());
        node->streams.push_back({std::move(name), content()});
    }
    return node;
}

const std::string& Decoder::path() {
    std::uint64_t shared = number(context_.path.size());
    context_.path.resize(static_cast<std::size_t>(shared));
    context_.path += string();
    path_bytes_ += context_.path.size();
    if (context_.path.empty() || path_bytes_ > kMaxPathBytes) bad();
    return context_.path;
}

Upsert Decoder::upsert(std::uint8_t head, const std::vector<Change>& before) {
    std::uint8_t kind = (head & kKindMask) - kFirstKind;
    if (kind > static_cast<std::uint8_t>(NodeKind::Junction) ||
        (head & ~(kKindMask | kHardLink | kSharedNode)) != 0) {
        bad();
    }
    Upsert change{path(), nullptr};
    if ((head & kHardLink) != 0) {
        change.hard_link = std::string(string());
        change.hard_link_form = number16();
    }
    if ((head & kSharedNode) == 0) {
        change.node = node(static_cast<NodeKind>(kind));
        bool without_content = kind == static_cast<std::uint8_t>(NodeKind::File) &&
                               change.node->content == nullptr && !change.hard_link;
        if (without_content) bad();
        return change;
    }
    auto index = static_cast<std::size_t>(number());
    const auto* first = index < before.size() ? std::get_if<Upsert>(&before[index]) : nullptr;
    if (first == nullptr || static_cast<std::uint8_t>(first->node->kind) != kind) bad();
    change.node = first->node;
    return change;
}

std::vector<Change> Decoder::changes() {
    std::vector<Change> changes;
    std::size_t left = count();
    context_.path.clear();
    // What a change costs here is a multiple of its bytes there: grow with what is really read.
    changes.reserve(std::min(left, left_.size() / 8));
    for (; left > 0; --left) {
        std::uint8_t head = byte();
        if (head == kRemoval) {
            changes.push_back(Removal{path()});
        } else {
            changes.push_back(upsert(head, changes));
        }
    }
    return changes;
}

Delta Decoder::delta() {
    if (take(std::min(kLayerIndexFormat.size(), left_.size())) != kLayerIndexFormat) {
        throw fail(ErrorCode::Corrupt, "this is no layer index of this version");
    }
    Delta delta;
    delta.os = flag() ? Os::Linux : Os::Windows;
    std::uint8_t flags = byte();
    if (flags >= kFirstRoot << 3) bad();
    delta.files_first = (flags & kFilesFirst) != 0;
    delta.omit_hives = (flags & kOmitHives) != 0;
    for (std::size_t left = count(); left > 0; --left) {
        descriptors_.push_back(std::make_shared<const std::string>(string()));
    }
    std::array roots{&delta.files_root, &delta.hives_root, &delta.utility_vm_root};
    for (std::size_t i = 0; i < roots.size(); ++i) {
        if ((flags & kFirstRoot << i) != 0) *roots[i] = metadata();
    }
    delta.changes = changes();
    delta.hives = changes();
    delta.utility_vm = changes();
    if (!left_.empty()) bad();
    return delta;
}

}  // namespace

std::string serialise_index(const Delta& delta) {
    std::string out;
    Encoder(out).delta(delta);
    return out;
}

Delta parse_index(std::string_view bytes, const base::DiffId& diff_id) {
    return Decoder(bytes, diff_id).delta();
}

}  // namespace mullion::tree
