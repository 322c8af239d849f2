#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
#include "tree/hive.hpp"
#include "tree/hive_format.hpp"
#include "tree/little_endian.hpp"
#include "tree/name.hpp"
#include "tree/utf16.hpp"
#include "tree/utf8.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

base::Error corrupt(std::uint32_t offset, std::string_view problem) {
    return fail(ErrorCode::Corrupt, "the registry hive's cell 0x{:x} {}", offset, problem);
}

// One byte a character (Latin-1) or UTF-16.
std::string decode_name(std::string_view bytes, bool plain) {
    if (!plain) return from_utf16(bytes).text;
    std::string name;
    for (char byte : bytes) append_utf8(name, static_cast<unsigned char>(byte));
    return name;
}

base::FileTime time_of(std::uint64_t filetime) {
    return {static_cast<std::int64_t>(filetime) - base::FileTime::kFiletimeOffset};
}

}  // namespace

std::uint32_t regf::header_checksum(std::string_view bytes) {
    std::uint32_t sum = 0;
    for (std::size_t at = 0; at < header::kChecksum; at += 4) sum ^= get32(bytes, at);
    if (sum == 0) return 1;
    return sum == 0xffffffff ? 0xfffffffe : sum;
}

HiveFile::HiveFile(std::string bytes) : bytes_(std::move(bytes)) {
    check_header();
    find_bins();
    record(root_, "nk", regf::key::kName);
}

void HiveFile::check_header() {
    namespace at = regf::header;
    if (bytes_.size() < regf::kHeader || !bytes_.starts_with("regf")) {
        throw fail(ErrorCode::Corrupt, "it is no registry hive");
    }
    if (bytes_.size() > kMaxSize) {
        throw fail(ErrorCode::Unsupported, "a registry hive of {} bytes is too large", bytes_.size());
    }
    minor_ = get32(bytes_, at::kMinor);
    bool known = minor_ >= regf::kFirstVersion && minor_ <= regf::kDifferencingVersion;
    if (get32(bytes_, at::kMajor) != 1 || !known || get32(bytes_, at::kFormat) != 1) {
        throw fail(ErrorCode::Unsupported, "registry hives of version {}.{} are not supported",
                   get32(bytes_, at::kMajor), minor_);
    }
    if (get32(bytes_, at::kType) != 0) throw fail(ErrorCode::Corrupt, "it is a registry log, not a hive");
    size_ = get32(bytes_, at::kBins);
    root_ = get32(bytes_, at::kRoot);
    if (size_ % regf::kPage != 0 || size_ > bytes_.size() - regf::kHeader) {
        throw fail(ErrorCode::Corrupt, "the registry hive is cut short: {} bytes of {}", bytes_.size(),
                   regf::kHeader + size_);
    }
    dirty_ = get32(bytes_, at::kPrimary) != get32(bytes_, at::kSecondary) ||
             get32(bytes_, at::kChecksum) != regf::header_checksum(bytes_);
}

void HiveFile::find_bins() {
    for (std::uint32_t at = 0; at < size_;) {
        std::string_view bin = bins().substr(at);
        std::uint32_t size = bin.starts_with("hbin") && get32(bin, 4) == at ? get32(bin, 8) : 0;
        if (size == 0 || size % regf::kPage != 0 || size > size_ - at) {
            throw fail(ErrorCode::Corrupt, "the registry hive has a malformed bin at 0x{:x}", at);
        }
        at += size;
        bin_ends_.push_back(at);
    }
}

std::string_view HiveFile::bins() const {
    return std::string_view(bytes_).substr(regf::kHeader, size_);
}

// What a cell in use holds, padding included.
std::string_view HiveFile::cell(std::uint32_t offset) const {
    if (offset % 8 != 0 || offset >= size_) throw corrupt(offset, "lies outside of it");
    auto end = std::upper_bound(bin_ends_.begin(), bin_ends_.end(), offset);
    std::uint32_t begin = end == bin_ends_.begin() ? 0 : *(end - 1);
    if (offset < begin + regf::kBinHeader) throw corrupt(offset, "lies in a bin's header");
    std::uint32_t stored = get32(bins(), offset);
    if (stored < 0x80000000) throw corrupt(offset, "is not in use");
    std::uint32_t size = ~stored + 1;
    if (size < 8 || size > *end - offset) throw corrupt(offset, "is larger than its bin");
    return bins().substr(offset + 4, size - 4);
}

std::string_view HiveFile::record(std::uint32_t offset, std::string_view signature, std::size_t size) const {
    std::string_view bytes = cell(offset);
    if (bytes.size() < size || !bytes.starts_with(signature)) {
        throw corrupt(offset, fmt::format("is no {} record", signature));
    }
    return bytes;
}

std::string HiveFile::name_of(std::uint32_t offset) const {
    namespace at = regf::key;
    std::string_view key = record(offset, "nk", at::kName);
    std::size_t size = get16(key, at::kNameBytes);
    if (size > key.size() - at::kName) throw corrupt(offset, "has a name longer than itself");
    bool plain = (get16(key, at::kFlags) & at::kFlagPlainName) != 0;
    if (size > regf::kMaxKeyName * (plain ? 1 : 2)) throw corrupt(offset, "has too long a name");
    return decode_name(key.substr(at::kName, size), plain);
}

LayerSemantics HiveFile::layer(Key key) const {
    std::string_view bytes = record(key.cell, "nk", regf::key::kName);
    if (minor_ < regf::kDifferencingVersion) return LayerSemantics::Merge;
    return static_cast<LayerSemantics>(static_cast<std::uint8_t>(bytes[regf::key::kLayer]) &
                                       regf::key::kLayerMask);
}

// Appends a leaf's keys; more than `limit` in all cannot be.
void HiveFile::list_leaf(std::string_view leaf, std::uint32_t limit, std::vector<Key>& out) const {
    std::size_t count = get16(leaf, 2);
    std::size_t step = leaf.starts_with("li") ? 4 : 8;
    if (count > limit - out.size() || 4 + count * step > leaf.size()) {
        throw fail(ErrorCode::Corrupt, "a subkey list of the registry hive is longer than it can be");
    }
    for (std::size_t i = 0; i < count; ++i) out.push_back({get32(leaf, 4 + i * step)});
}

std::vector<HiveFile::Key> HiveFile::children(Key key) const {
    namespace at = regf::key;
    std::string_view bytes = record(key.cell, "nk", at::kName);
    std::uint32_t count = get32(bytes, at::kSubkeys);
    std::vector<Key> found;
    if (count == 0) return found;
    if (count > size_ / at::kName) throw corrupt(key.cell, "has more subkeys than the hive has room for");
    auto is_leaf = [](std::string_view list) {
        return list.starts_with("lf") || list.starts_with("lh") || list.starts_with("li");
    };
    std::uint32_t list_offset = get32(bytes, at::kSubkeyList);
    std::string_view list = cell(list_offset);
    if (is_leaf(list)) {
        list_leaf(list, count, found);
    } else {
        list = record(list_offset, "ri", 4);
        std::size_t leaves = get16(list, 2);
        if (4 + leaves * 4 > list.size()) throw corrupt(list_offset, "is shorter than its list");
        for (std::size_t i = 0; i < leaves; ++i) {
            std::uint32_t offset = get32(list, 4 + i * 4);
            std::string_view leaf = cell(offset);
            if (!is_leaf(leaf)) throw corrupt(offset, "is no list of subkeys");
            list_leaf(leaf, count, found);
        }
    }
    if (found.size() != count) throw corrupt(key.cell, "has another number of subkeys than it says");
    return found;
}

std::optional<HiveFile::Key> HiveFile::child(Key parent, std::string_view name) const {
    for (Key key : children(parent)) {
        if (names_equal(Os::Windows, name_of(key.cell), name)) return key;
    }
    return std::nullopt;
}

std::optional<HiveFile::Key> HiveFile::find(std::string_view path) const {
    Key at = root();
    while (!path.empty()) {
        std::string_view name = path.substr(0, path.find('\\'));
        path.remove_prefix(std::min(path.size(), name.size() + 1));
        if (name.empty()) continue;
        auto next = child(at, name);
        if (!next) return std::nullopt;
        at = *next;
    }
    return at;
}

// Big data: a list of segments.
std::string HiveFile::data_at(std::uint32_t offset, std::uint32_t size) const {
    std::string_view bytes = cell(offset);
    if (size <= regf::kSegment || minor_ < regf::kBigDataVersion) {
        if (size > bytes.size()) throw corrupt(offset, "is shorter than the value's data");
        return std::string(bytes.substr(0, size));
    }
    bytes = record(offset, "db", 8);
    std::size_t segments = get16(bytes, 2);
    std::string_view list = cell(get32(bytes, 4));
    if (segments * 4 > list.size() || segments != (size + regf::kSegment - 1) / regf::kSegment) {
        throw corrupt(offset, "has another number of segments than the data needs");
    }
    std::string data;
    for (std::size_t i = 0; i < segments; ++i) {
        std::uint32_t segment = get32(list, i * 4);
        std::size_t wanted = std::min<std::size_t>(regf::kSegment, size - data.size());
        std::string_view part = cell(segment);
        if (part.size() < wanted) throw corrupt(segment, "is shorter than a data segment");
        data += part.substr(0, wanted);
    }
    return data;
}

// `budget`: how many bytes of data there can still be. Values that share a cell would otherwise let a small
// file grow without bound.
HiveValue HiveFile::value_at(std::uint32_t offset, std::uint64_t& budget) const {
    namespace at = regf::value;
    std::string_view bytes = record(offset, "vk", at::kName);
    std::size_t name_size = get16(bytes, at::kNameBytes);
    if (name_size > bytes.size() - at::kName) throw corrupt(offset, "has a name longer than itself");
    std::uint32_t flags = get16(bytes, at::kFlags);
    HiveValue value;
    value.name = decode_name(bytes.substr(at::kName, name_size), (flags & at::kFlagPlainName) != 0);
    value.type = get32(bytes, at::kType);
    value.tombstone = minor_ >= regf::kDifferencingVersion && (flags & at::kFlagTombstone) != 0;
    std::uint32_t size = get32(bytes, at::kDataSize);
    if ((size & regf::kInline) != 0) {
        size &= ~regf::kInline;
        if (size > 4) throw corrupt(offset, "has more data in it than fits");
        value.data = bytes.substr(at::kData, size);
        return value;
    }
    if (size > budget) throw corrupt(offset, "has more data than the hive");
    budget -= size;
    if (size > 0) value.data = data_at(get32(bytes, at::kData), size);
    return value;
}

std::vector<HiveValue> HiveFile::values_of(std::string_view key, std::uint64_t& budget) const {
    std::uint32_t count = get32(key, regf::key::kValues);
    std::vector<HiveValue> values;
    if (count == 0) return values;
    std::uint32_t list_offset = get32(key, regf::key::kValueList);
    std::string_view list = cell(list_offset);
    if (count > list.size() / 4) throw corrupt(list_offset, "is shorter than its list of values");
    if (count * regf::value::kName > budget) throw corrupt(list_offset, "has more values than the hive");
    budget -= count * regf::value::kName;
    for (std::uint32_t i = 0; i < count; ++i) values.push_back(value_at(get32(list, i * 4), budget));
    return values;
}

DescriptorRef HiveFile::descriptor_at(std::uint32_t offset) const {
    if (offset == regf::kNoCell) return nullptr;
    std::string_view bytes = record(offset, "sk", 20);
    std::uint32_t size = get32(bytes, 16);
    if (size > bytes.size() - 20 || size > regf::kMaxDescriptor) {
        throw corrupt(offset, "has a security descriptor longer than itself");
    }
    return std::make_shared<const std::string>(bytes.substr(20, size));
}

// All but the descriptor and the subkeys.
HiveKey HiveFile::fields(Key key, std::uint64_t& budget) const {
    namespace at = regf::key;
    std::string_view bytes = record(key.cell, "nk", at::kName);
    HiveKey found{.name = name_of(key.cell)};
    found.written = time_of(get64(bytes, at::kTime));
    std::size_t class_size = get16(bytes, at::kClassBytes);
    if (std::uint32_t offset = get32(bytes, at::kClass); offset != regf::kNoCell && class_size > 0) {
        std::string_view text = cell(offset);
        if (class_size > text.size()) throw corrupt(offset, "is shorter than the key's class");
        found.class_name = from_utf16(text.substr(0, class_size)).text;
    }
    found.layer = layer(key);
    found.values = values_of(bytes, budget);
    return found;
}

HiveKey HiveFile::describe(Key key) const {
    std::uint64_t budget = size_;
    HiveKey found = fields(key, budget);
    found.descriptor = descriptor_at(get32(cell(key.cell), regf::key::kSecurity));
    return found;
}

std::optional<HiveValue> HiveFile::value(std::string_view path, std::string_view name) const {
    auto key = find(path);
    if (!key) return std::nullopt;
    std::uint64_t budget = size_;
    for (HiveValue& value : values_of(record(key->cell, "nk", regf::key::kName), budget)) {
        if (names_equal(Os::Windows, value.name, name)) return std::move(value);
    }
    return std::nullopt;
}

// Reads everything; every key once.
class HiveFile::Walk {
  public:
    explicit Walk(const HiveFile& hive) : hive_(hive), budget_(hive.size_) {}

    HiveKey key(Key at, std::size_t depth) {
        if (depth > kMaxDepth) throw corrupt(at.cell, "lies too deep");
        if (!seen_.insert(at.cell).second) throw corrupt(at.cell, "is a key that is in the hive twice");
        HiveKey found = hive_.fields(at, budget_);
        spend(at, found.class_name.size() / 2);
        found.descriptor = descriptor(get32(hive_.cell(at.cell), regf::key::kSecurity));
        std::vector<Key> children = hive_.children(at);
        spend(at, children.size() * regf::key::kName);
        for (Key child : children) found.subkeys.push_back(key(child, depth + 1));
        return found;
    }

  private:
    void spend(Key at, std::uint64_t bytes) {
        if (bytes > budget_) throw corrupt(at.cell, "has more in it than the hive");
        budget_ -= bytes;
    }

    // Keys share them.
    DescriptorRef descriptor(std::uint32_t offset) {
        auto [known, added] = descriptors_.try_emplace(offset);
        if (added) known->second = hive_.descriptor_at(offset);
        return known->second;
    }

    const HiveFile& hive_;
    std::set<std::uint32_t> seen_;
    std::map<std::uint32_t, DescriptorRef> descriptors_;
    std::uint64_t budget_;  // what of the file's size is not accounted for
};

HiveKey HiveFile::read() const {
    return Walk(*this).key(root(), 0);
}

}  // namespace mullion::tree
