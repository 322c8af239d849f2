#include <windows.h>
// After windows.h.
#include <io.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include "base/handle.hpp"
#include "base/win32.hpp"
#include "cli/standard_input.hpp"

namespace mullion::cli {

struct StandardInput::State {
    base::UniqueFd input;
    std::atomic<bool> interrupted{false};
    std::atomic<bool> interrupting{false};
    // The thread that waits in a read, for interrupt() to end it.
    std::atomic<HANDLE> reader{nullptr};

    HANDLE handle() const { return reinterpret_cast<HANDLE>(::_get_osfhandle(input.get())); }
};

namespace {

base::UniqueHandle this_thread() {
    HANDLE handle = nullptr;
    if (::DuplicateHandle(::GetCurrentProcess(), ::GetCurrentThread(), ::GetCurrentProcess(), &handle, 0,
                          FALSE, DUPLICATE_SAME_ACCESS) == 0) {
        throw base::last_error("cannot read standard input");
    }
    return base::UniqueHandle(handle);
}

}  // namespace

StandardInput::StandardInput(int descriptor) : state_(new State{base::duplicate(descriptor)}) {}

StandardInput::~StandardInput() = default;

std::size_t StandardInput::read(char* buffer, std::size_t size) {
    base::UniqueHandle thread = this_thread();
    state_->reader = thread.get();
    DWORD got = 0;
    auto part = static_cast<DWORD>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
    bool good = state_->interrupted || ::ReadFile(state_->handle(), buffer, part, &got, nullptr) != 0;
    DWORD code = ::GetLastError();
    state_->reader = nullptr;
    // interrupt() may be about to use the handle; it is short.
    while (state_->interrupting) ::SwitchToThread();
    if (state_->interrupted) return 0;
    if (good) return got;
    if (code == ERROR_BROKEN_PIPE || code == ERROR_HANDLE_EOF) return 0;
    throw base::windows_error(code, "cannot read standard input");
}

void StandardInput::interrupt() {
    state_->interrupted = true;
    state_->interrupting = true;
    // The read may be about to begin: it is called off until it has ended.
    while (HANDLE reader = state_->reader) {
        ::CancelSynchronousIo(reader);
        ::Sleep(1);
    }
    state_->interrupting = false;
}

}  // namespace mullion::cli
