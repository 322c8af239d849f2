#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "worker/exec_step.hpp"
#include "worker/ops.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

// What a mount reads.
struct Source {
    std::size_t input;
    std::string path;
};

std::optional<Source> source_of(const solver::Mount& mount) {
    if (const auto* bind = std::get_if<solver::BindMount>(&mount)) return Source{bind->input, bind->source};
    const auto* cache = std::get_if<solver::CacheMount>(&mount);
    if (cache == nullptr || !cache->input) return std::nullopt;
    return Source{*cache->input, cache->source};
}

// The part of the operation that counts for its key (dockerfile.md §18). Proxies and addresses change from
// machine to machine and may not change the result, nor may what a cache directory holds, limits, and how
// often a step is tried. What is mounted counts by content.
solver::ExecOperation what_counts(solver::ExecOperation operation) {
    operation.proxy_environment.clear();
    operation.settings = {};
    for (solver::ExtraHost& host : operation.extra_hosts) host.address.clear();
    for (solver::Mount& mount : operation.mounts) {
        if (auto* bind = std::get_if<solver::BindMount>(&mount); bind != nullptr && bind->input > 0) {
            bind->source.clear();
        } else if (auto* cache = std::get_if<solver::CacheMount>(&mount)) {
            cache->id.clear();
            cache->sharing = {};
            cache->source.clear();
        }
    }
    return operation;
}

// RUN. Its layer is written at once: running again is what a cache is there to save.
class ExecOp final : public solver::Op {
  public:
    ExecOp(OpSetting setting, const solver::ExecOperation& operation)
        : setting_(std::move(setting)), operation_(operation) {
        if (setting_.input_count == 0) throw fail(ErrorCode::Invalid, "a RUN has no file system to run in");
        for (const solver::Mount& mount : operation_.mounts) {
            std::optional<Source> source = source_of(mount);
            if (!source) continue;
            if (source->input >= setting_.input_count) {
                throw fail(ErrorCode::Invalid, "a RUN mounts an input it does not have");
            }
            if (source->input > 0) sources_[source->input].push_back(source->path);
        }
    }

    solver::Category category() const override { return solver::Category::Wait; }

    solver::CacheMap cache_map(const solver::ExecContext&) override {
        solver::OperationDocument key{setting_.platform.string(), what_counts(operation_)};
        solver::CacheMap map{operation_key("exec 2", key), false, {}};
        map.content_digests.resize(setting_.input_count);
        map.content_digests[0] = [this](const solver::ResultRef& result, const base::CancelToken& cancel) {
            return rootfs_digest(*snapshot_of(result), cancel);
        };
        for (const auto& [input, sources] : sources_) {
            map.content_digests[input] = [this, &paths = sources](const solver::ResultRef& result,
                                                                  const base::CancelToken& cancel) {
                return mount_digest(paths, *snapshot_of(result), cancel);
            };
        }
        return map;
    }

    std::vector<solver::ResultRef> exec(const std::vector<solver::ResultRef>& inputs,
                                        const solver::ExecContext& context) override {
        std::vector<SnapshotRef> snapshots;
        for (const solver::ResultRef& input : inputs) snapshots.push_back(snapshot_of(input));
        ExecStep step(setting_.parts, operation_, std::move(snapshots), context);
        return {step.run()};
    }

    std::string save(const solver::ResultRef& result, std::size_t) override {
        return save_payload(*snapshot_of(result));
    }

    solver::ResultRef load(const std::string& payload, std::size_t) override {
        return load_payload(payload, setting_.parts.blobs, setting_.parts.options.allow_registry_loss);
    }

  private:
    // The layers themselves, which are cheap to compare where the files of a whole OS are not: a step that
    // was run again with the same result stops the rebuild here. To be run in, they must be written anyway.
    base::Digest rootfs_digest(const Snapshot& rootfs, const base::CancelToken& cancel) {
        base::Hasher hasher;
        hasher.field("rootfs").field(rootfs.platform().string());
        for (const WrittenLayer& layer : setting_.parts.writer.write_all(rootfs, cancel)) {
            hasher.field(layer.diff_id.digest.string());
        }
        if (rootfs.registry_lost()) hasher.field("registry lost");
        return hasher.finish();
    }

    base::Digest mount_digest(const std::vector<std::string>& paths, const Snapshot& from,
                              const base::CancelToken& cancel) {
        base::Hasher hasher;
        for (const std::string& path : paths) {
            tree::Tree tree = mount_tree(path, from, cancel);
            hasher.field(tree.digest("", setting_.parts.blobs.contents(), cancel).string());
        }
        if (from.registry_lost()) hasher.field("registry lost");
        return hasher.finish();
    }

    OpSetting setting_;
    solver::ExecOperation operation_;
    std::map<std::size_t, std::vector<std::string>> sources_;  // what is mounted of an input
};

}  // namespace

std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::ExecOperation& operation) {
    return std::make_unique<ExecOp>(std::move(setting), operation);
}

}  // namespace mullion::worker
