#include "hcs/native_pump.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.hpp"

namespace mullion::hcs {
namespace {

constexpr DWORD kChunk = 1 << 16;

base::UniqueHandle make_event() {
    base::UniqueHandle event(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
    if (!event) throw hcs_failure(last_error(), "cannot make an event");
    return event;
}

// One overlapped transfer. It has ended when the destructor is done: the system must not write into a buffer
// that is gone.
class Transfer {
  public:
    explicit Transfer(HANDLE pipe) : pipe_(pipe), event_(make_event()) { overlapped_.hEvent = event_.get(); }
    ~Transfer() {
        if (pending_) cancel();
    }

    void read(char* buffer, DWORD size) { begun(::ReadFile(pipe_, buffer, size, nullptr, &overlapped_)); }
    void write(const char* data, DWORD size) { begun(::WriteFile(pipe_, data, size, nullptr, &overlapped_)); }
    // Waits; false if `stop` came first, which cancels the transfer unless it was done by then.
    bool await(HANDLE stop) {
        if (!pending_) return true;
        HANDLE both[2] = {event_.get(), stop};
        if (::WaitForMultipleObjects(2, both, FALSE, INFINITE) == WAIT_OBJECT_0) {
            collect();
            return true;
        }
        cancel();
        return size_ > 0;
    }
    // Bytes moved; 0 at the end of the stream and after failures, which for a pipe mean the same.
    DWORD size() const { return size_; }

  private:
    void begun(BOOL done) {
        pending_ = done || ::GetLastError() == ERROR_IO_PENDING;
        if (done) collect();
    }
    void collect() {
        pending_ = false;
        if (!::GetOverlappedResult(pipe_, &overlapped_, &size_, TRUE)) size_ = 0;
    }
    void cancel() {
        ::CancelIoEx(pipe_, &overlapped_);
        collect();
    }

    HANDLE pipe_;
    base::UniqueHandle event_;
    OVERLAPPED overlapped_ = {};
    bool pending_ = false;
    DWORD size_ = 0;
};

bool is_set(const base::UniqueHandle& event) {
    return ::WaitForSingleObject(event.get(), 0) == WAIT_OBJECT_0;
}

}  // namespace

NativeOutputPump::NativeOutputPump(base::UniqueHandle pipe, base::Sink& sink,
                                   std::function<void()> on_failure)
    : pipe_(std::move(pipe)),
      stop_(make_event()),
      done_(make_event()),
      sink_(sink),
      on_failure_(std::move(on_failure)) {
    thread_ = std::thread([this] { run(); });
}

NativeOutputPump::~NativeOutputPump() {
    ::SetEvent(stop_.get());
    if (thread_.joinable()) thread_.join();
}

void NativeOutputPump::finish(std::chrono::steady_clock::time_point deadline) {
    using std::chrono::milliseconds;
    auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    ::WaitForSingleObject(done_.get(), static_cast<DWORD>(std::max(left, milliseconds(0)).count()));
    ::SetEvent(stop_.get());
    if (thread_.joinable()) thread_.join();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

// False at the end of the stream, or when told to stop.
bool NativeOutputPump::pump_once() {
    std::array<char, kChunk> buffer;
    Transfer transfer(pipe_.get());
    transfer.read(buffer.data(), kChunk);
    if (!transfer.await(stop_.get()) || transfer.size() == 0) return false;
    sink_.write({buffer.data(), transfer.size()});
    return !is_set(stop_);
}

// What is in the pipe by now: whoever still writes would keep us here for ever.
void NativeOutputPump::read_rest() {
    DWORD left = 0;
    if (!::PeekNamedPipe(pipe_.get(), nullptr, 0, nullptr, &left, nullptr)) return;
    std::array<char, kChunk> buffer;
    while (left > 0) {
        Transfer transfer(pipe_.get());
        transfer.read(buffer.data(), std::min(left, kChunk));
        transfer.await(done_.get());
        if (transfer.size() == 0) return;
        sink_.write({buffer.data(), transfer.size()});
        left -= transfer.size();
    }
}

void NativeOutputPump::run() {
    try {
        while (pump_once()) {
        }
        if (is_set(stop_)) read_rest();
    } catch (...) {
        failure_ = std::current_exception();
        on_failure_();
    }
    ::SetEvent(done_.get());
}

NativeInputPump::NativeInputPump(base::UniqueHandle pipe, base::Source& source,
                                 std::function<void()> interrupt, std::function<void()> at_end)
    : pipe_(std::move(pipe)),
      stop_(make_event()),
      source_(source),
      interrupt_(std::move(interrupt)),
      at_end_(std::move(at_end)) {
    thread_ = std::thread([this] { run(); });
}

NativeInputPump::~NativeInputPump() {
    ::SetEvent(stop_.get());
    if (interrupt_) interrupt_();
    thread_.join();
}

// False when the reader is gone or it was told to stop.
bool NativeInputPump::write(const char* data, DWORD size) {
    while (size > 0) {
        Transfer transfer(pipe_.get());
        transfer.write(data, size);
        if (!transfer.await(stop_.get()) || transfer.size() == 0) return false;
        data += transfer.size();
        size -= transfer.size();
    }
    return true;
}

void NativeInputPump::run() {
    try {
        std::array<char, kChunk> buffer;
        while (std::size_t size = source_.read(buffer.data(), buffer.size())) {
            if (is_set(stop_) || !write(buffer.data(), static_cast<DWORD>(size))) break;
        }
        at_end_();
    } catch (const std::exception& error) {
        base::log("hcs").warn("cannot feed standard input: {}", error.what());
    }
    pipe_.reset();
}

}  // namespace mullion::hcs
