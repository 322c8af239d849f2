// HCS operations: NotStarted -> Pending -> Completed, each for one request (hcs.md §1.2).
#pragma once

#include <windows.h>
// Needs the declarations above.
#include <computecore.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "tests/support/fake_hcs/host.hpp"

namespace mullion::fake {

struct Result {
    HRESULT value = S_OK;
    std::string document = {};
    HCS_PROCESS_INFORMATION process = {};
};

class FakeOperation {
  public:
    FakeOperation(void* context, HCS_OPERATION_COMPLETION callback)
        : context_(context), callback_(callback) {}
    // What the callback is told.
    void set_handle(HCS_OPERATION handle) { handle_ = handle; }

    // False if it was used before.
    bool begin(bool of_process);
    // A request that was refused: the document stays to be read.
    void refuse(const Refusal& refusal);
    void complete(Result result);
    // Result, or why there is none yet.
    HRESULT result(DWORD milliseconds, HCS_PROCESS_INFORMATION* process, PWSTR* document);

  private:
    enum class State { NotStarted, Pending, Completed };

    std::mutex mutex_;
    std::condition_variable changed_;
    State state_ = State::NotStarted;
    bool of_process_ = false;
    Result result_;
    HCS_OPERATION handle_ = nullptr;
    void* context_;
    HCS_OPERATION_COMPLETION callback_;
};

// Accepts a request: runs `body` on a thread of its own and completes the operation with what it returns or
// throws (Refusal). The faults of CALL and CALL.result come first; one that hangs completes when `ended`
// returns true.
HRESULT submit(HCS_OPERATION handle, const char* call, bool of_process, std::function<Result()> body,
               std::function<bool()> ended);
// Refuses it, with a document.
HRESULT refuse(HCS_OPERATION handle, const Refusal& refusal);

std::size_t open_operations();

}  // namespace mullion::fake
