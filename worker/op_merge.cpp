#include "base/error.hpp"
#include "worker/ops.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {
namespace {

// Puts a layer that was made on its own on top of a file system: nothing is read, nothing is copied.
class MergeOp final : public solver::Op {
  public:
    explicit MergeOp(OpSetting setting) : setting_(std::move(setting)) {
        if (setting_.input_count != 2) {
            throw base::fail(base::ErrorCode::Invalid, "a merge has {} inputs, not two",
                             setting_.input_count);
        }
    }

    solver::Category category() const override { return solver::Category::Cpu; }
    bool cheap() const override { return true; }

    solver::CacheMap cache_map(const solver::ExecContext&) override {
        solver::OperationDocument document{setting_.platform.string(), solver::MergeOperation{}};
        return {operation_key("merge 1", document), false, {{}, {}}};
    }

    std::vector<solver::ResultRef> exec(const std::vector<solver::ResultRef>& inputs,
                                        const solver::ExecContext&) override {
        SnapshotRef upper = snapshot_of(inputs.at(1));
        if (!upper->top()) return {snapshot_of(inputs.at(0))};
        return {Snapshot::on_top(snapshot_of(inputs.at(0)), upper->top())};
    }

    std::string save(const solver::ResultRef& result, std::size_t) override {
        return save_payload(*snapshot_of(result));
    }
    solver::ResultRef load(const std::string& payload, std::size_t) override {
        return load_payload(payload, setting_.parts.blobs, setting_.parts.options.allow_registry_loss);
    }

  private:
    OpSetting setting_;
};

}  // namespace

std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::MergeOperation&) {
    return std::make_unique<MergeOp>(std::move(setting));
}

}  // namespace mullion::worker
