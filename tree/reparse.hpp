// Reparse data of symbolic links and mount points (junctions): [MS-FSCC] 2.1.2.4 and 2.1.2.5.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tree/tree.hpp"

namespace mullion::tree {

constexpr std::uint32_t kReparseTagMountPoint = 0xA0000003;
constexpr std::uint32_t kReparseTagSymlink = 0xA000000C;
constexpr std::size_t kMaxReparseBuffer = 16 * 1024;

// Symbolic links and junctions, which lead somewhere else.
inline bool is_link(NodeKind kind) {
    return kind == NodeKind::Symlink || kind == NodeKind::Junction;
}

struct ReparsePoint {
    bool mount_point = false;
    // As layers store it and Explorer shows it: `C:\x`, `\\server\share`, `\\?\Volume{...}\`, `..\x`.
    std::string target;
    bool operator==(const ReparsePoint&) const = default;
};

// Does `target` mean on a Linux host what Windows would read otherwise? Such a target has a '\' or a ':' in a
// name, which Windows takes for a separator, a drive or a stream. Trees of host directories keep it as the
// host has it, beginning with "/" or "./" (see scan()); no link of a Windows image can say it.
bool is_host_target(std::string_view target);

// A REPARSE_DATA_BUFFER: substitute name first, both names NUL-terminated. A target that is neither a UNC, a
// `\\?\` nor a drive path makes a relative symlink. Throws Invalid for a target that is empty, not UTF-8 or
// too long, for a relative one of a mount point, and for a host target.
std::string encode_reparse(const ReparsePoint& point);

// The print name, or where there is none the substitute name without its NT prefix. Throws Unsupported for
// other tags, Corrupt for a malformed buffer.
ReparsePoint decode_reparse(std::string_view buffer);

}  // namespace mullion::tree
