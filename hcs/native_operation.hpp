// One asynchronous request to HCS (hcs.md §1.2): submitted once, awaited, its result taken.
//
//     Operation operation(core, "start compute system x");
//     operation.submitted(core->HcsStartComputeSystem(system, operation.get(), nullptr));
//     operation.wait({.cancel = cancel, .give_up = [&] { terminate(); }});
//
// HCS cannot cancel a request. Whoever has waited long enough ends the system instead, and the request ends
// with it; a request is never left while one of its calls runs.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/cancel.hpp"
#include "hcs/native_api.hpp"

namespace mullion::hcs {

struct Patience {
    std::chrono::milliseconds limit = std::chrono::minutes(4);  // what hcsshim grants create and start
    base::CancelToken cancel = {};
    // Makes the request end: called once, when the limit has passed or on cancel. May be empty.
    std::function<void()> give_up = {};
};

class Operation {
  public:
    // `what` is for errors: "cannot WHAT: ...".
    Operation(std::shared_ptr<const ComputeCore> core, std::string what);

    HCS_OPERATION get() const { return operation_.get(); }
    // Throws, with the result document, if HCS did not accept the request.
    void submitted(HRESULT result);
    // Returns the result document. Throws what the request failed with, TimedOut or Canceled.
    std::string wait(const Patience& patience);
    // The same for requests that make or describe a process; the handles in `process` are the caller's.
    std::string wait(const Patience& patience, HCS_PROCESS_INFORMATION& process);

  private:
    Hresult wait_once(std::string& document, HCS_PROCESS_INFORMATION* process);
    std::string wait(const Patience& patience, HCS_PROCESS_INFORMATION* process);

    std::shared_ptr<const ComputeCore> core_;
    std::string what_;
    UniqueOperation operation_;
};

}  // namespace mullion::hcs
