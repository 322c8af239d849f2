#include "tree/security_descriptor.hpp"

#include "base/error.hpp"
#include "tree/sid.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kHeader = 20;    // of a descriptor
constexpr std::size_t kAclHeader = 8;  // revision, zero, size, count, zero
constexpr std::size_t kAceHeader = 4;  // type, flags, size
constexpr std::size_t kMaxAcl = 0xffff;
// More than Windows can make: two SIDs and two ACLs of the largest size.
constexpr std::size_t kMaxDescriptor = 2 * kMaxAcl + 256;

void put(std::string& out, std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

void put_at(std::string& out, std::size_t at, std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
        out[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * i) & 0xff);
}

[[noreturn]] void corrupt(std::string_view what) {
    throw fail(ErrorCode::Corrupt, "a security descriptor {}", what);
}

// Bounds-checked little-endian reads.
class Bytes {
  public:
    explicit Bytes(std::string_view data) : data_(data) {}
    std::uint32_t get(std::size_t at, std::size_t bytes) const {
        std::string_view part = slice(at, bytes);
        std::uint32_t value = 0;
        for (std::size_t i = bytes; i > 0; --i) value = value << 8 | static_cast<std::uint8_t>(part[i - 1]);
        return value;
    }
    std::string_view slice(std::size_t at, std::size_t size) const {
        if (at > data_.size() || size > data_.size() - at) corrupt("is truncated");
        return data_.substr(at, size);
    }
    std::string_view from(std::size_t at) const {
        return slice(at, data_.size() - std::min(at, data_.size()));
    }

  private:
    std::string_view data_;
};

bool has_sid(std::uint8_t type) {
    return type == ace_type::kAllow || type == ace_type::kDeny || type == ace_type::kAllowCallback ||
           type == ace_type::kDenyCallback;
}

void append_ace(std::string& out, const Ace& ace) {
    std::size_t start = out.size();
    out += static_cast<char>(ace.type);
    out += static_cast<char>(ace.flags);
    put(out, 0, 2);
    if (has_sid(ace.type)) {
        put(out, ace.mask, 4);
        append_sid(out, ace.sid);
    }
    out += ace.data;
    if (out.size() - start > kMaxAcl) throw fail(ErrorCode::Invalid, "an access control entry is too long");
    put_at(out, start + 2, static_cast<std::uint32_t>(out.size() - start), 2);
}

std::string acl_bytes(const std::vector<Ace>& aces, std::uint8_t revision) {
    std::string out;
    put(out, revision, 2);
    put(out, 0, 2);
    put(out, static_cast<std::uint32_t>(aces.size()), 2);
    put(out, 0, 2);
    for (const Ace& ace : aces) append_ace(out, ace);
    if (out.size() > kMaxAcl) throw fail(ErrorCode::Invalid, "an access control list is too long");
    put_at(out, 2, static_cast<std::uint32_t>(out.size()), 2);
    return out;
}

Ace parse_ace(std::string_view bytes) {
    Bytes data(bytes);
    Ace ace;
    ace.type = static_cast<std::uint8_t>(data.get(0, 1));
    ace.flags = static_cast<std::uint8_t>(data.get(1, 1));
    if (!has_sid(ace.type)) {
        ace.data = data.from(kAceHeader);
        return ace;
    }
    ace.mask = data.get(kAceHeader, 4);
    ParsedSid sid = parse_sid(data.from(kAceHeader + 4));
    ace.sid = std::move(sid.text);
    ace.data = data.from(kAceHeader + 4 + sid.size);
    return ace;
}

// The whole ACL at the start of `bytes`.
std::string_view acl_at(std::string_view bytes) {
    Bytes data(bytes);
    std::size_t size = data.get(2, 2);
    if (size < kAclHeader) corrupt("has an ACL without a header");
    return data.slice(0, size);
}

std::vector<Ace> parse_acl(std::string_view bytes) {
    Bytes data(bytes);
    std::size_t count = data.get(4, 2);
    std::vector<Ace> aces;
    std::size_t at = kAclHeader;
    for (; count > 0; --count) {
        std::size_t size = data.get(at + 2, 2);
        if (size < kAceHeader) corrupt("has an ACE without a header");
        aces.push_back(parse_ace(data.slice(at, size)));
        at += size;
    }
    return aces;
}

}  // namespace

SecurityDescriptor SecurityDescriptor::parse(std::string_view self_relative) {
    Bytes data(self_relative);
    SecurityDescriptor descriptor;
    if (self_relative.size() > kMaxDescriptor) corrupt("is too long");
    if (data.get(0, 1) != 1) corrupt("is of an unknown revision");
    descriptor.control = static_cast<std::uint16_t>(data.get(2, 2));
    if ((descriptor.control & sd_control::kSelfRelative) == 0) corrupt("is not self-relative");
    std::size_t owner = data.get(4, 4);
    std::size_t group = data.get(8, 4);
    std::size_t sacl = data.get(12, 4);
    std::size_t dacl = data.get(16, 4);
    for (std::size_t offset : {owner, group, sacl, dacl}) {
        if (offset != 0 && offset < kHeader) corrupt("has a part inside its header");
    }
    if (owner != 0) descriptor.owner = parse_sid(data.from(owner)).text;
    if (group != 0) descriptor.group = parse_sid(data.from(group)).text;
    if (sacl != 0) descriptor.sacl = acl_at(data.from(sacl));
    descriptor.has_dacl = dacl != 0;
    if (dacl != 0) {
        std::string_view acl = acl_at(data.from(dacl));
        descriptor.dacl_revision = static_cast<std::uint8_t>(acl[0]);
        descriptor.dacl = parse_acl(acl);
    }
    return descriptor;
}

std::string SecurityDescriptor::self_relative() const {
    std::string out;
    put(out, 1, 2);
    put(out, control, 2);
    out.resize(kHeader);
    auto begin_part = [&](std::size_t field) {
        put_at(out, field, static_cast<std::uint32_t>(out.size()), 4);
    };
    if (!owner.empty()) {
        begin_part(4);
        append_sid(out, owner);
    }
    if (!group.empty()) {
        begin_part(8);
        append_sid(out, group);
    }
    if (!sacl.empty()) {
        begin_part(12);
        out += sacl;
    }
    if (has_dacl) {
        begin_part(16);
        out += acl_bytes(dacl, dacl_revision);
    }
    return out;
}

}  // namespace mullion::tree
