#include "hcs/native_operation.hpp"

#include <fmt/format.h>

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// How soon a cancel is seen.
constexpr DWORD kSliceMilliseconds = 50;
// How long a request may take to end after its system was ended.
constexpr auto kGrace = 10s;

}  // namespace

Operation::Operation(std::shared_ptr<const ComputeCore> core, std::string what)
    : core_(std::move(core)),
      what_("cannot " + std::move(what)),
      operation_(core_->HcsCreateOperation(nullptr, nullptr), core_->HcsCloseOperation) {
    if (!operation_) throw base::fail(ErrorCode::Exhausted, "{}: no memory for the request", what_);
}

void Operation::submitted(HRESULT value) {
    if (!hresult(value).failed()) return;
    ApiString document;
    core_->HcsGetOperationResult(operation_.get(), document.put());
    throw hcs_failure(hresult(value), what_, document.text());
}

Hresult Operation::wait_once(std::string& document, HCS_PROCESS_INFORMATION* process) {
    ApiString text;
    HRESULT result = process == nullptr
                         ? core_->HcsWaitForOperationResult(operation_.get(), kSliceMilliseconds, text.put())
                         : core_->HcsWaitForOperationResultAndProcessInfo(
                               operation_.get(), kSliceMilliseconds, process, text.put());
    document = text.text();
    return hresult(result);
}

std::string Operation::wait(const Patience& patience, HCS_PROCESS_INFORMATION* process) {
    Clock::time_point deadline = Clock::now() + patience.limit;
    bool given_up = false;
    std::string document;
    while (true) {
        Hresult result = wait_once(document, process);
        if (result.handling() != HcsHandling::KeepWaiting) {
            if (given_up) break;
            if (result.failed()) throw hcs_failure(result, what_, document);
            return document;
        }
        bool over = Clock::now() >= deadline;
        if (given_up && over) break;
        if (given_up || (!over && !patience.cancel.canceled())) continue;
        given_up = true;
        deadline = Clock::now() + kGrace;
        if (patience.give_up) patience.give_up();
    }
    patience.cancel.check();
    throw base::fail(ErrorCode::TimedOut, "{}: it did not end in {} s", what_,
                     std::chrono::duration_cast<std::chrono::seconds>(patience.limit).count());
}

std::string Operation::wait(const Patience& patience) {
    return wait(patience, nullptr);
}

std::string Operation::wait(const Patience& patience, HCS_PROCESS_INFORMATION& process) {
    return wait(patience, &process);
}

}  // namespace mullion::hcs
