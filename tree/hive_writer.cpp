#include <algorithm>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "tree/hive.hpp"
#include "tree/hive_format.hpp"
#include "tree/little_endian.hpp"
#include "tree/name.hpp"
#include "tree/security_descriptor.hpp"
#include "tree/utf16.hpp"
#include "tree/utf8.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

// Of the keys of Windows' own hives: the system and administrators change them, everybody reads.
constexpr std::string_view kUsualDescriptor =
    "O:BAG:SYD:PAI(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CIIO;KA;;;CO)(A;CI;KR;;;BU)(A;CI;KR;;;AC)";
constexpr std::size_t kLeafKeys = 500;  // of one list; more are split up

std::uint64_t filetime(base::FileTime time) {
    return static_cast<std::uint64_t>(time.ticks + base::FileTime::kFiletimeOffset);
}

// A name as records hold it.
struct StoredName {
    std::string bytes;
    bool plain = true;           // one byte a character
    std::size_t utf16_size = 0;  // in bytes
};

StoredName stored_name(std::string_view name, std::size_t limit) {
    auto utf16 = to_utf16(name);
    if (!utf16) throw fail(ErrorCode::Invalid, "the registry name \"{}\" is not UTF-8", printable(name));
    StoredName stored;
    stored.utf16_size = utf16->size();
    if (utf16->size() / 2 > limit) {
        throw fail(ErrorCode::Invalid, "the registry name \"{}\" is longer than {} characters",
                   printable(name), limit);
    }
    for (std::size_t at = 0; at < utf16->size(); at += 2) {
        stored.plain = stored.plain && get16(*utf16, at) < 0x100;
        if (get16(*utf16, at) == 0) {
            throw fail(ErrorCode::Invalid, "the registry name \"{}\" has a NUL in it", printable(name));
        }
    }
    for (std::size_t at = 0; at < utf16->size(); at += stored.plain ? 2 : 1) stored.bytes += (*utf16)[at];
    return stored;
}

// The hash of "lh" lists.
std::uint32_t name_hash(std::string_view name) {
    std::string folded = *to_utf16(fold(Os::Windows, name));
    std::uint32_t hash = 0;
    for (std::size_t at = 0; at < folded.size(); at += 2) hash = hash * 37 + get16(folded, at);
    return hash;
}

bool is_differencing(const HiveKey& key) {
    auto tombstone = [](const HiveValue& value) { return value.tombstone; };
    return key.layer != LayerSemantics::Merge ||
           std::any_of(key.values.begin(), key.values.end(), tombstone) ||
           std::any_of(key.subkeys.begin(), key.subkeys.end(), is_differencing);
}

// Hands out cells, in bins.
class Cells {
  public:
    // The offset of a new cell that holds `bytes`.
    std::uint32_t add(std::string_view bytes) {
        std::size_t size = (bytes.size() + 4 + 7) / 8 * 8;
        if (data_.size() + size > bin_end_) new_bin(size);
        auto offset = static_cast<std::uint32_t>(data_.size());
        put32(data_, ~static_cast<std::uint32_t>(size) + 1);
        data_ += bytes;
        data_.resize(offset + size, '\0');
        return offset;
    }
    void set(std::uint32_t offset, std::size_t field, std::uint32_t value) {
        set32(data_, offset + 4 + field, value);
    }
    std::string finish(base::FileTime time) {
        close_bin();
        for (std::size_t i = 0; i < 8; ++i) data_[20 + i] = static_cast<char>(filetime(time) >> 8 * i);
        return std::move(data_);
    }

  private:
    void close_bin() {
        std::size_t rest = bin_end_ - data_.size();
        if (rest == 0) return;
        put32(data_, static_cast<std::uint32_t>(rest));
        data_.resize(bin_end_, '\0');
    }
    void new_bin(std::size_t needed) {
        close_bin();
        std::size_t size = (needed + regf::kBinHeader + regf::kPage - 1) / regf::kPage * regf::kPage;
        if (bin_end_ + size > HiveFile::kMaxSize)
            throw fail(ErrorCode::Invalid, "a registry hive is too large");
        data_ += "hbin";
        put32(data_, static_cast<std::uint32_t>(bin_end_));
        put32(data_, static_cast<std::uint32_t>(size));
        bin_end_ += size;
        data_.resize(bin_end_ - size + regf::kBinHeader, '\0');
    }

    std::string data_;
    std::size_t bin_end_ = 0;
};

class Writer {
  public:
    explicit Writer(base::FileTime time) : time_(time) {}

    std::uint32_t root(const HiveKey& key) {
        count_descriptors(key, 0);
        std::uint32_t offset = write_key(key, regf::kNoCell, true);
        link_descriptors();
        return offset;
    }
    std::string finish() { return cells_.finish(time_); }

  private:
    struct Security {
        std::uint32_t users = 0;
        std::uint32_t cell = 0;
    };

    static const std::string& bytes_of(const DescriptorRef& descriptor) {
        static const std::string usual = SecurityDescriptor::parse_sddl(kUsualDescriptor).self_relative();
        return descriptor ? *descriptor : usual;
    }

    void count_descriptors(const HiveKey& key, std::size_t depth) {
        if (depth > HiveFile::kMaxDepth) throw fail(ErrorCode::Invalid, "registry keys are nested too deep");
        auto [security, added] = securities_.try_emplace(bytes_of(key.descriptor));
        ++security->second.users;
        if (added) order_.push_back(&*security);
        for (const HiveKey& child : key.subkeys) count_descriptors(child, depth + 1);
    }

    std::uint32_t security(const DescriptorRef& descriptor) {
        auto& [bytes, security] = *securities_.find(bytes_of(descriptor));
        if (security.cell != 0) return security.cell;
        std::string record("sk\0\0", 4);
        record.resize(12, '\0');  // neighbours: link_descriptors
        put32(record, security.users);
        put32(record, static_cast<std::uint32_t>(bytes.size()));
        record += bytes;
        return security.cell = cells_.add(record);
    }

    // They form a ring.
    void link_descriptors() {
        for (std::size_t i = 0; i < order_.size(); ++i) {
            std::uint32_t cell = order_[i]->second.cell;
            cells_.set(cell, 4, order_[(i + 1) % order_.size()]->second.cell);
            cells_.set(cell, 8, order_[(i + order_.size() - 1) % order_.size()]->second.cell);
        }
    }

    std::uint32_t write_key(const HiveKey& key, std::uint32_t parent, bool is_root) {
        namespace at = regf::key;
        StoredName name = stored_name(is_root && key.name.empty() ? "ROOT" : key.name, regf::kMaxKeyName);
        if (name.bytes.empty() || key.name.find('\\') != std::string::npos) {
            throw fail(ErrorCode::Invalid, "\"{}\" cannot be the name of a registry key",
                       printable(key.name));
        }
        auto class_name = to_utf16(key.class_name);
        if (!class_name) throw fail(ErrorCode::Invalid, "a registry key's class is not UTF-8");
        std::string record("nk");
        put16(record,
              (is_root ? at::kFlagRoot | at::kFlagNoDelete : 0) | (name.plain ? at::kFlagPlainName : 0));
        put64(record, filetime(key.written == base::FileTime{} ? time_ : key.written));
        record += '\0';
        record += static_cast<char>(key.layer);
        record.resize(at::kNameBytes, '\0');
        put16(record, name.bytes.size());
        put16(record, class_name->size());
        record += name.bytes;
        std::uint32_t cell = cells_.add(record);
        cells_.set(cell, at::kParent, parent);
        cells_.set(cell, at::kSecurity, security(key.descriptor));
        cells_.set(cell, at::kVolatileList, regf::kNoCell);
        cells_.set(cell, at::kClass, class_name->empty() ? regf::kNoCell : cells_.add(*class_name));
        write_values(key, cell);
        write_subkeys(key, cell);
        return cell;
    }

    void write_values(const HiveKey& key, std::uint32_t cell) {
        namespace at = regf::key;
        std::string list;
        std::size_t longest = 0;
        std::size_t largest = 0;
        std::map<std::string, bool> names;
        for (const HiveValue& value : key.values) {
            if (!names.try_emplace(fold(Os::Windows, value.name)).second) {
                throw fail(ErrorCode::Invalid, "the registry key \"{}\" has two values \"{}\"",
                           printable(key.name), printable(value.name));
            }
            StoredName name = stored_name(value.name, regf::kMaxValueName);
            longest = std::max(longest, name.utf16_size);
            largest = std::max(largest, value.data.size());
            put32(list, write_value(value, name));
        }
        cells_.set(cell, at::kValues, static_cast<std::uint32_t>(key.values.size()));
        cells_.set(cell, at::kValueList, list.empty() ? regf::kNoCell : cells_.add(list));
        cells_.set(cell, at::kLongestValue, static_cast<std::uint32_t>(longest));
        cells_.set(cell, at::kLargestData, static_cast<std::uint32_t>(largest));
    }

    std::uint32_t write_value(const HiveValue& value, const StoredName& name) {
        namespace at = regf::value;
        std::string record("vk");
        put16(record, name.bytes.size());
        auto size = static_cast<std::uint32_t>(value.data.size());
        put32(record, size <= 4 ? size | regf::kInline : size);
        if (size <= 4) {
            record += value.data;
            record.resize(at::kType, '\0');
        } else {
            put32(record, write_data(value.data));
        }
        put32(record, value.type);
        put16(record, (name.plain ? at::kFlagPlainName : 0) | (value.tombstone ? at::kFlagTombstone : 0));
        put16(record, 0);
        return cells_.add(record + name.bytes);
    }

    std::uint32_t write_data(std::string_view data) {
        if (data.size() <= regf::kSegment) return cells_.add(data);
        std::string list;
        std::size_t segments = 0;
        for (; !data.empty(); ++segments) {
            put32(list, cells_.add(data.substr(0, regf::kSegment)));
            data.remove_prefix(std::min(data.size(), regf::kSegment));
        }
        if (segments > 0xffff) throw fail(ErrorCode::Invalid, "a registry value is too large");
        std::string record("db");
        put16(record, segments);
        put32(record, cells_.add(list));
        return cells_.add(record);
    }

    void write_subkeys(const HiveKey& key, std::uint32_t cell) {
        namespace at = regf::key;
        std::vector<const HiveKey*> sorted;
        for (const HiveKey& child : key.subkeys) sorted.push_back(&child);
        auto before = [](const HiveKey* a, const HiveKey* b) {
            return compare_names(Os::Windows, a->name, b->name) < 0;
        };
        std::sort(sorted.begin(), sorted.end(), before);
        std::size_t longest = 0;
        std::vector<std::string> leaves;
        for (std::size_t i = 0; i < sorted.size(); ++i) {
            if (i > 0 && !before(sorted[i - 1], sorted[i])) {
                throw fail(ErrorCode::Invalid, "the registry key \"{}\" has two subkeys \"{}\"",
                           printable(key.name), printable(sorted[i]->name));
            }
            longest = std::max(longest, to_utf16(sorted[i]->name).value_or("").size());
            if (i % kLeafKeys == 0) leaves.emplace_back();
            put32(leaves.back(), write_key(*sorted[i], cell, false));
            put32(leaves.back(), name_hash(sorted[i]->name));
        }
        cells_.set(cell, at::kSubkeys, static_cast<std::uint32_t>(sorted.size()));
        cells_.set(cell, at::kSubkeyList, write_lists(leaves));
        cells_.set(cell, at::kLongestSubkey, static_cast<std::uint32_t>(longest));
    }

    std::uint32_t write_lists(const std::vector<std::string>& leaves) {
        if (leaves.empty()) return regf::kNoCell;
        std::string lists;
        for (const std::string& entries : leaves) {
            std::string leaf("lh");
            put16(leaf, entries.size() / 8);
            put32(lists, cells_.add(leaf + entries));
        }
        if (leaves.size() == 1) return get32(lists, 0);
        if (leaves.size() > 0xffff) throw fail(ErrorCode::Invalid, "a registry key has too many subkeys");
        std::string index("ri");
        put16(index, leaves.size());
        return cells_.add(index + lists);
    }

    base::FileTime time_;
    Cells cells_;
    std::map<std::string, Security> securities_;
    std::vector<std::pair<const std::string, Security>*> order_;  // of first use
};

std::string header(const HiveOptions& options, std::uint32_t version, std::uint32_t root, std::size_t bins) {
    std::string out("regf");
    put32(out, 1);
    put32(out, 1);
    put64(out, filetime(options.time));
    put32(out, 1);
    put32(out, version);
    put32(out, 0);
    put32(out, 1);
    put32(out, root);
    put32(out, static_cast<std::uint32_t>(bins));
    put32(out, 1);
    std::string name = to_utf16(options.file_name).value_or("");
    std::size_t room = regf::header::kNameBytes - 2;
    out += name.substr(name.size() > room ? name.size() - room : 0);
    out.resize(regf::kHeader, '\0');
    set32(out, regf::header::kChecksum, regf::header_checksum(out));
    return out;
}

}  // namespace

std::string write_hive(const HiveKey& root, const HiveOptions& options) {
    Writer writer(options.time);
    std::uint32_t cell = writer.root(root);
    std::string bins = writer.finish();
    std::uint32_t version = is_differencing(root) ? regf::kDifferencingVersion : regf::kUsualVersion;
    return header(options, version, cell, bins.size()) + bins;
}

}  // namespace mullion::tree
