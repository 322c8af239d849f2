#include "tests/support/fake_hcs/operation.hpp"

#include <chrono>
#include <thread>

#include "tests/support/fake_hcs/handles.hpp"

namespace mullion::fake {
namespace {

using namespace std::chrono_literals;

Handles<HCS_OPERATION, FakeOperation>& operations() {
    static Handles<HCS_OPERATION, FakeOperation> instance;
    return instance;
}

Result run(const char* call, const std::function<Result()>& body, const std::function<bool()>& ended) {
    // Never before the call has returned.
    std::this_thread::sleep_for(2ms);
    std::optional<Fault> failure = fault(std::string(call) + ".result");
    if (failure && !failure->hang) return {failure->result, Refusal{failure->result, "injected"}.document()};
    if (failure) {
        while (!ended()) std::this_thread::sleep_for(5ms);
        return {code::kSystemAlreadyStopped, ""};
    }
    try {
        return body();
    } catch (const Refusal& refusal) {
        return {refusal.result, refusal.document()};
    }
}

}  // namespace

bool FakeOperation::begin(bool of_process) {
    std::lock_guard lock(mutex_);
    if (state_ != State::NotStarted) return false;
    state_ = State::Pending;
    of_process_ = of_process;
    return true;
}

void FakeOperation::refuse(const Refusal& refusal) {
    std::lock_guard lock(mutex_);
    state_ = State::Completed;
    result_ = {refusal.result, refusal.document()};
}

void FakeOperation::complete(Result result) {
    {
        std::lock_guard lock(mutex_);
        state_ = State::Completed;
        result_ = std::move(result);
    }
    changed_.notify_all();
    if (callback_ != nullptr) callback_(handle_, context_);
}

HRESULT FakeOperation::result(DWORD milliseconds, HCS_PROCESS_INFORMATION* process, PWSTR* document) {
    std::unique_lock lock(mutex_);
    auto completed = [&] { return state_ == State::Completed; };
    if (process != nullptr && !of_process_ && !completed()) return E_INVALIDARG;
    if (state_ == State::NotStarted) return in_family(code::kOperationNotStarted);
    if (milliseconds == INFINITE) {
        changed_.wait(lock, completed);
    } else if (!changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), completed)) {
        return in_family(milliseconds == 0 ? code::kOperationPending : code::kOperationTimeout);
    }
    if (document != nullptr && !result_.document.empty()) *document = give(result_.document);
    if (process != nullptr) *process = result_.process;
    return in_family(result_.value);
}

HRESULT submit(HCS_OPERATION handle, const char* call, bool of_process, std::function<Result()> body,
               std::function<bool()> ended) {
    auto operation = operations().get(handle);
    if (!operation) return E_HANDLE;
    std::optional<Fault> failure = fault(call);
    if (failure) return refuse(handle, {failure->result, "injected"});
    if (!operation->begin(of_process)) return in_family(code::kOperationAlreadyStarted);
    std::thread([operation, call, body = std::move(body), ended = std::move(ended)] {
        operation->complete(run(call, body, ended));
    }).detach();
    return S_OK;
}

HRESULT refuse(HCS_OPERATION handle, const Refusal& refusal) {
    auto operation = operations().get(handle);
    if (!operation) return E_HANDLE;
    operation->refuse(refusal);
    return in_family(refusal.result);
}

std::size_t open_operations() {
    return operations().size();
}

}  // namespace mullion::fake

using namespace mullion::fake;

extern "C" {

HCS_OPERATION WINAPI HcsCreateOperation(const void* context, HCS_OPERATION_COMPLETION callback) {
    if (fault("HcsCreateOperation")) return nullptr;
    auto operation = std::make_shared<FakeOperation>(const_cast<void*>(context), callback);
    HCS_OPERATION handle = operations().add(operation);
    operation->set_handle(handle);
    return handle;
}

// The request goes on, its result is dropped.
void WINAPI HcsCloseOperation(HCS_OPERATION handle) {
    operations().remove(handle);
}

HRESULT WINAPI HcsGetOperationResult(HCS_OPERATION handle, PWSTR* document) {
    return HcsWaitForOperationResult(handle, 0, document);
}

HRESULT WINAPI HcsWaitForOperationResult(HCS_OPERATION handle, DWORD milliseconds, PWSTR* document) {
    auto operation = operations().get(handle);
    return operation ? operation->result(milliseconds, nullptr, document) : E_HANDLE;
}

HRESULT WINAPI HcsWaitForOperationResultAndProcessInfo(HCS_OPERATION handle, DWORD milliseconds,
                                                       HCS_PROCESS_INFORMATION* process, PWSTR* document) {
    auto operation = operations().get(handle);
    return operation ? operation->result(milliseconds, process, document) : E_HANDLE;
}

}  // extern "C"
