// Commits of remote repositories: which one a reference means now, and its files (dockerfile.md §10, §18).
#pragma once

#include <filesystem>
#include <string>

#include "base/cancel.hpp"
#include "base/file_time.hpp"
#include "solver/operation.hpp"
#include "tree/tree.hpp"
#include "worker/git_program.hpp"

namespace mullion::worker {

struct GitCommit {
    std::string id;         // hexadecimal
    std::string reference;  // full name it was found under ("refs/heads/main"); empty: the ID was given
};

// What `source` means at the remote now; no request if it names a commit. Throws NotFound for a reference
// that is not there, Invalid for one that cannot be, Corrupt for a commit other than `source.checksum`.
GitCommit resolve_commit(const Git& git, const solver::GitSource& source,
                         const std::filesystem::path& directory, const base::CancelToken& cancel);

struct GitCheckout {
    tree::Tree files;
    base::FileTime committed;
};

// Fetches as little as the server lets us, and checks out into `directory`, which is empty and must outlive
// the tree. The tree depends on the commit alone, not on us, the host or the time (unless
// source.checkout_times).
GitCheckout check_out(const Git& git, const solver::GitSource& source, const GitCommit& commit, tree::Os os,
                      const std::filesystem::path& directory, const base::CancelToken& cancel);

}  // namespace mullion::worker
