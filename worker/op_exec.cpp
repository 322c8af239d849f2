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

// RUN. Its layer is written at once: running again is what a cache is there to save.
class ExecOp final : public solver::Op {
  public:
    ExecOp(OpSetting setting, const solver::ExecOperation& operation)
        : setting_(std::move(setting)), operation_(operation) {
        if (setting_.input_count == 0) throw fail(ErrorCode::Invalid, "a RUN has no file system to run in");
        for (const solver::BindMount& mount : operation_.mounts) {
            if (mount.input >= setting_.input_count) {
                throw fail(ErrorCode::Invalid, "a RUN mounts an input it does not have");
            }
            if (mount.input > 0) mounts_[mount.input].push_back(mount);
        }
    }

    solver::Category category() const override { return solver::Category::Wait; }

    // Proxies change from machine to machine and may not change the result; what is mounted counts by
    // content.
    solver::CacheMap cache_map(const solver::ExecContext&) override {
        solver::ExecOperation key = operation_;
        key.proxy_environment.clear();
        for (solver::BindMount& mount : key.mounts) {
            if (mount.input > 0) mount.source.clear();
        }
        solver::CacheMap map{operation_key("exec 1", {setting_.platform.string(), key}), false, {}};
        map.content_digests.resize(setting_.input_count);
        map.content_digests[0] = [this](const solver::ResultRef& result, const base::CancelToken& cancel) {
            return rootfs_digest(*snapshot_of(result), cancel);
        };
        for (const auto& [input, mounts] : mounts_) {
            map.content_digests[input] = [this, &mounts = mounts](const solver::ResultRef& result,
                                                                  const base::CancelToken& cancel) {
                return mount_digest(mounts, *snapshot_of(result), cancel);
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

    base::Digest mount_digest(const std::vector<solver::BindMount>& mounts, const Snapshot& from,
                              const base::CancelToken& cancel) {
        base::Hasher hasher;
        for (const solver::BindMount& mount : mounts) {
            hasher.field(
                mount_tree(mount, from, cancel).digest("", setting_.parts.blobs.contents(), cancel).string());
        }
        if (from.registry_lost()) hasher.field("registry lost");
        return hasher.finish();
    }

    OpSetting setting_;
    solver::ExecOperation operation_;
    std::map<std::size_t, std::vector<solver::BindMount>> mounts_;  // by input
};

}  // namespace

std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::ExecOperation& operation) {
    return std::make_unique<ExecOp>(std::move(setting), operation);
}

}  // namespace mullion::worker
