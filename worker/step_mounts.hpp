// What a RUN sees besides its root file system (dockerfile.md §9): bind, cache, tmpfs, secret and ssh mounts,
// and the hosts file of --add-host.
//
// Everything is there when the object is made and goes with it: copies of what is bound, the use of cache
// directories, the bytes of secrets, which never touch a disk.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/private_file.hpp"
#include "cache/mount_store.hpp"
#include "solver/op.hpp"
#include "solver/operation.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {

class StepMounts {
  public:
    // `inputs` are the operation's, the root file system first; `directory` takes the copies. Waits for cache
    // directories that others have locked. Throws NotFound for a source or a required secret that is not
    // there, Invalid for targets no Windows can have and where a file would hide a directory or the other way
    // round.
    StepMounts(Worker::Parts& parts, const solver::ExecOperation& operation,
               const std::vector<SnapshotRef>& inputs, const std::filesystem::path& directory,
               const base::CancelToken& cancel);
    ~StepMounts();

    // Those that hold others first.
    const std::vector<hcs::MappedDirectory>& mapped() const { return mapped_; }
    // Pipes to the agents of ssh mounts.
    const std::vector<hcs::MappedPipe>& pipes() const { return pipes_; }
    // "NAME=value" of secrets that are variables, and of the first agent.
    const std::vector<std::string>& environment() const { return environment_; }

  private:
    void add(const solver::BindMount& mount);
    void add(const solver::CacheMount& mount);
    void add(const solver::TmpfsMount& mount);
    void add(const solver::SecretMount& mount);
    void add(const solver::SshMount& mount);
    void add_hosts();

    void map(std::filesystem::path host, const std::string& target, bool read_only);
    void map_private(std::string_view data, const std::string& target);
    void check_target(const std::string& target, bool directory) const;
    bool shows_file(const solver::Mount& mount) const;
    tree::Tree with_mount_points(tree::Tree tree, const std::string& target) const;
    std::optional<tree::Tree> cache_content(const solver::CacheMount& mount) const;
    base::Digest cache_key(const solver::CacheMount& mount) const;
    void take_caches();

    Worker::Parts& parts_;
    const solver::ExecOperation& operation_;
    const std::vector<SnapshotRef>& inputs_;
    std::filesystem::path directory_;
    const base::CancelToken& cancel_;
    std::vector<hcs::MappedDirectory> mapped_;
    std::vector<hcs::MappedPipe> pipes_;
    std::vector<std::string> environment_;
    std::vector<base::PrivateFile> files_;
    std::map<base::Digest, cache::CacheMount> caches_;  // by key: what a step mounts twice, it has once
};

// What a mount shows of its input: a directory, or a file as the root of a tree. NotFound if it is not there.
tree::Tree mount_tree(const std::string& source, const Snapshot& from, const base::CancelToken& cancel);

// The values of the secrets that the step can see.
std::vector<std::string> visible_secrets(const solver::ExecOperation& operation,
                                         const WorkerOptions& options);

}  // namespace mullion::worker
