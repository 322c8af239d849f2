#include "worker/ops.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {
namespace {

// FROM scratch.
class ScratchOp final : public solver::Op {
  public:
    explicit ScratchOp(OpSetting setting) : setting_(std::move(setting)) {}

    solver::Category category() const override { return solver::Category::Cpu; }
    bool cheap() const override { return true; }

    solver::CacheMap cache_map(const solver::ExecContext&) override {
        return {base::Hasher().field("scratch 1").field(setting_.platform.string()).finish(), false, {}};
    }

    std::vector<solver::ResultRef> exec(const std::vector<solver::ResultRef>&,
                                        const solver::ExecContext&) override {
        return {Snapshot::empty(setting_.platform)};
    }

    std::string save(const solver::ResultRef&, std::size_t) override { return {}; }
    solver::ResultRef load(const std::string&, std::size_t) override { return nullptr; }

  private:
    OpSetting setting_;
};

}  // namespace

std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::ScratchSource&) {
    return std::make_unique<ScratchOp>(std::move(setting));
}

}  // namespace mullion::worker
