// Host directories as Trees.
#pragma once

#include <filesystem>

#include "base/cancel.hpp"
#include "tree/content.hpp"
#include "tree/pattern.hpp"
#include "tree/tree.hpp"

namespace mullion::tree {

struct ScanOptions {
    Os os = Os::Windows;  // the image's OS: its name rules apply
    const IgnorePatterns* ignore = nullptr;
    StatCache* stat_cache = nullptr;  // only looked up here; HostContent fills it
};

// Walks `root` in parallel. File bytes are not read. What the result depends on is the directory's content
// and times alone, not its owner, the umask or the order in which the host lists names:
//   * Linux images keep the permission bits; owners become 0:0. Windows images get attributes (directory or
//     archive), no descriptor (one is inherited where the file is placed in an image), no mode.
//   * All four times are the host's modification time, cut to 100 ns.
//   * Hard links on the host become separate files: package managers make them between unrelated files.
//     Extended attributes and ACLs of the host are not read.
//   * Symlinks are kept as links, never followed, with the host's targets; absolute ones mean the image's
//     root. For Windows '/' becomes '\' (several at the beginning become one), and a link that leads to a
//     directory of the same tree gets attribute::kDirectory, which Windows wants to know. A target that
//     Windows would read otherwise ('\' or ':' in a name) stays as on the host: the link leads nowhere, and
//     no layer takes it (is_host_target).
//   * An ignored directory with something kept below it is kept, alone with that.
// Sockets, devices and FIFOs, names illegal on the image's OS and names that clash by case are Invalid unless
// ignored; the error names them and says what to do.
Tree scan(const std::filesystem::path& root, const ScanOptions& options, const base::CancelToken& cancel);

}  // namespace mullion::tree
