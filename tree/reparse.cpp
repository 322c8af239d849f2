#include "tree/reparse.hpp"

#include "base/error.hpp"
#include "tree/little_endian.hpp"
#include "tree/name.hpp"
#include "tree/utf16.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kHeader = 8;  // tag, length, reserved
constexpr std::size_t kMountPointFields = 8;
constexpr std::size_t kSymlinkFields = 12;
constexpr std::uint32_t kRelative = 1;

std::string name_to_utf16(std::string_view text) {
    auto bytes = to_utf16(text);
    if (!bytes || text.find('\0') != std::string_view::npos) {
        throw fail(ErrorCode::Invalid, "a link target is not UTF-8");
    }
    return *bytes;
}

std::string name_from_utf16(std::string_view data) {
    Utf16Text name = from_utf16(data);
    if (!name.valid || name.text.find('\0') != std::string::npos) {
        throw fail(ErrorCode::Corrupt, "a reparse point's name is not UTF-16");
    }
    return name.text;
}

bool is_drive_path(std::string_view target) {
    return target.size() >= 2 && target[1] == ':' &&
           ((target[0] >= 'A' && target[0] <= 'Z') || (target[0] >= 'a' && target[0] <= 'z'));
}

// The NT form of an absolute target; empty for a relative one.
std::string nt_target(std::string_view target) {
    if (target.starts_with(R"(\\?\)")) return R"(\??\)" + std::string(target.substr(4));
    if (target.starts_with(R"(\\)")) return R"(\??\UNC\)" + std::string(target.substr(2));
    if (is_drive_path(target)) return R"(\??\)" + std::string(target);
    return {};
}

std::string target_from_nt(std::string name) {
    if (name.starts_with(R"(\??\UNC\)")) return R"(\\)" + name.substr(8);
    if (!name.starts_with(R"(\??\)")) return name;
    std::string rest = name.substr(4);
    return is_drive_path(rest) ? rest : R"(\\?\)" + rest;
}

// The name at `offset` from the end of the fields.
std::string_view counted_name(std::string_view names, std::uint32_t offset, std::uint32_t length) {
    if (offset % 2 != 0 || length % 2 != 0 || offset > names.size() || length > names.size() - offset) {
        throw fail(ErrorCode::Corrupt, "a reparse point's name lies outside its buffer");
    }
    return names.substr(offset, length);
}

}  // namespace

bool is_host_target(std::string_view target) {
    bool host_form = target.starts_with('/') || target.starts_with("./");
    return host_form && target.find_first_of("\\:") != std::string_view::npos;
}

std::string encode_reparse(const ReparsePoint& point) {
    if (point.target.empty()) throw fail(ErrorCode::Invalid, "a link has an empty target");
    if (is_host_target(point.target)) {
        throw fail(ErrorCode::Invalid, "Windows would read the link target \"{}\" otherwise",
                   printable(std::string_view(point.target).substr(0, 256)))
            .hint(
                "On Windows '\\' separates names and ':' marks a drive or a stream. Remove the link or add "
                "it "
                "to .dockerignore.");
    }
    std::string print = name_to_utf16(point.target);
    std::string nt = nt_target(point.target);
    if (point.mount_point && nt.empty()) {
        throw fail(ErrorCode::Invalid, "a junction cannot have the relative target \"{}\"",
                   printable(std::string_view(point.target).substr(0, 64)));
    }
    std::string substitute = nt.empty() ? print : name_to_utf16(nt);
    std::size_t fields = point.mount_point ? kMountPointFields : kSymlinkFields;
    std::size_t size = fields + substitute.size() + print.size() + 4;
    if (kHeader + size > kMaxReparseBuffer) {
        throw fail(ErrorCode::Invalid, "the link target \"{}...\" is too long",
                   printable(std::string_view(point.target).substr(0, 64)));
    }
    std::string out;
    put32(out, point.mount_point ? kReparseTagMountPoint : kReparseTagSymlink);
    put16(out, size);
    put16(out, 0);
    put16(out, 0);
    put16(out, substitute.size());
    put16(out, substitute.size() + 2);
    put16(out, print.size());
    if (!point.mount_point) put32(out, nt.empty() ? kRelative : 0);
    out += substitute;
    put16(out, 0);
    out += print;
    put16(out, 0);
    return out;
}

ReparsePoint decode_reparse(std::string_view buffer) {
    if (buffer.size() < kHeader || buffer.size() > kMaxReparseBuffer) {
        throw fail(ErrorCode::Corrupt, "a reparse point has {} bytes", buffer.size());
    }
    std::uint32_t tag = get32(buffer, 0);
    if (tag != kReparseTagMountPoint && tag != kReparseTagSymlink) {
        throw fail(ErrorCode::Unsupported, "reparse tag 0x{:08x} cannot be put into a layer", tag);
    }
    bool mount_point = tag == kReparseTagMountPoint;
    std::size_t fields = mount_point ? kMountPointFields : kSymlinkFields;
    if (get16(buffer, 4) != buffer.size() - kHeader || buffer.size() < kHeader + fields) {
        throw fail(ErrorCode::Corrupt, "a reparse point's length is wrong");
    }
    std::string_view names = buffer.substr(kHeader + fields);
    std::string_view substitute = counted_name(names, get16(buffer, 8), get16(buffer, 10));
    std::string_view print = counted_name(names, get16(buffer, 12), get16(buffer, 14));
    std::string target = print.empty() ? target_from_nt(name_from_utf16(substitute)) : name_from_utf16(print);
    if (target.empty()) throw fail(ErrorCode::Corrupt, "a reparse point has no target");
    return {mount_point, target};
}

}  // namespace mullion::tree
