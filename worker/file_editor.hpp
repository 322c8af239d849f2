// The actions of a file operation as functions on Trees (dockerfile.md §10, §11, DESIGN §2): no disk, no
// mount.
//
// What is put into a Windows image gets its security descriptor from the directory it is put in, by Windows'
// own rule; copies of files that have a descriptor (those of another image) keep it; --chown changes owner
// and group in it, --chmod its access list. Directories that exist keep their metadata, those that are made
// on the way to a destination are the default account's. What the step itself creates has the epoch's time,
// copies keep their modification time.
#pragma once

#include <cstdint>
#include <optional>

#include "base/cancel.hpp"
#include "base/file_time.hpp"
#include "solver/operation.hpp"
#include "tree/content.hpp"
#include "tree/tree.hpp"
#include "worker/archive.hpp"
#include "worker/copy_sources.hpp"
#include "worker/ownership.hpp"

namespace mullion::worker {

class FileEditor {
  public:
    // `follow_links`: destinations go through links of the base; otherwise (--link) a link is in the way.
    // `accounts` are those of `base`.
    FileEditor(const tree::Tree& base, base::FileTime epoch, bool follow_links = true, Accounts accounts = {})
        : tree_(base), epoch_(epoch), follow_links_(follow_links), accounts_(std::move(accounts)) {}

    // `archives` is asked only where ADD has to see whether a file is an archive. All throw Invalid for names
    // the OS does not allow and for what is in the way, NotFound for accounts that the image does not have,
    // Unsupported for what cannot be done here (setuid bits in Windows images).
    void copy(const solver::CopyAction& action, const CopyInput& input, Archives& archives,
              const base::CancelToken& cancel);
    void write_file(const solver::WriteFileAction& action);
    void make_directory(const solver::MakeDirectoryAction& action);

    const tree::Tree& tree() const { return tree_; }

  private:
    struct Edit;

    tree::Tree tree_;
    base::FileTime epoch_;
    bool follow_links_;
    Accounts accounts_;
};

// The time of what a step creates, from an operation's `epoch_ticks`.
base::FileTime epoch_of(const std::optional<std::int64_t>& ticks);

}  // namespace mullion::worker
