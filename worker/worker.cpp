#include "worker/worker.hpp"

#include "base/error.hpp"
#include "worker/ops.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {

base::Digest operation_key(std::string_view kind, const solver::OperationDocument& document) {
    return base::Hasher().field(kind).field(solver::serialise(document)).finish();
}

Worker::Worker(cache::State& state, ComputeServices services, WorkerOptions options)
    : parts_(std::make_unique<Parts>(state, std::move(services), std::move(options))) {}

Worker::~Worker() = default;

std::unique_ptr<solver::Op> Worker::resolve(const solver::VertexRef& vertex) {
    solver::OperationDocument document = solver::parse_operation(vertex->operation());
    OpSetting setting{*parts_, oci::Platform::parse(document.platform), vertex->inputs().size()};
    return std::visit([&](const auto& operation) { return make_op(setting, operation); }, document.operation);
}

}  // namespace mullion::worker
