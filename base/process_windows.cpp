#include <windows.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "base/process.hpp"
#include "base/random_name.hpp"
#include "base/win32.hpp"

namespace mullion::base {
namespace {

constexpr DWORD kChunk = 65536;

// As CommandLineToArgvW and the C library of almost every program take it apart.
void append_quoted(std::wstring& line, std::wstring_view argument) {
    if (!line.empty()) line += L' ';
    if (!argument.empty() && argument.find_first_of(L" \t\n\v\"") == std::wstring_view::npos) {
        line += argument;
        return;
    }
    line += L'"';
    std::size_t backslashes = 0;
    for (wchar_t c : argument) {
        if (c == L'\\') {
            ++backslashes;
            continue;
        }
        // Backslashes count only before a quotation mark.
        line.append(c == L'"' ? 2 * backslashes + 1 : backslashes, L'\\');
        backslashes = 0;
        line += c;
    }
    line.append(2 * backslashes, L'\\');
    line += L'"';
}

std::wstring command_line(const std::vector<std::string>& argv) {
    std::wstring line;
    for (const std::string& argument : argv) append_quoted(line, to_wide(argument));
    return line;
}

// Sorted by name without case, as CreateProcess wants it: std::map has sorted it with case.
std::wstring environment_block(const std::map<std::string, std::string>& environment) {
    std::vector<std::wstring> variables;
    for (const auto& [name, value] : environment) variables.push_back(to_wide(name + "=" + value));
    std::sort(variables.begin(), variables.end(), [](const std::wstring& a, const std::wstring& b) {
        return ::CompareStringOrdinal(a.c_str(), static_cast<int>(a.find(L'=')), b.c_str(),
                                      static_cast<int>(b.find(L'=')), TRUE) == CSTR_LESS_THAN;
    });
    std::wstring block;
    for (const std::wstring& variable : variables) block += variable + L'\0';
    block += L'\0';
    if (variables.empty()) block += L'\0';
    return block;
}

bool is_file(const std::wstring& path) {
    DWORD attributes = ::GetFileAttributesW(path.c_str());
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

std::wstring search_path() {
    DWORD size = ::GetEnvironmentVariableW(L"PATH", nullptr, 0);
    if (size == 0) return {};
    std::wstring value(size, L'\0');
    value.resize(::GetEnvironmentVariableW(L"PATH", value.data(), size));
    return value;
}

// Only .exe: what is given to a script goes through a shell, whose quoting nobody can do right.
std::wstring program_file(const std::string& name) {
    std::wstring file = to_wide(name);
    if (!to_path(name).has_extension()) file += L".exe";
    return file;
}

// By our own search: CreateProcess would look into the current directory first.
std::wstring program_to_run(const std::string& name) {
    if (name.find_first_of("/\\:") != std::string::npos) {
        std::wstring file = program_file(name);
        if (is_file(file)) return file;
        throw windows_error(::GetLastError() == NO_ERROR ? ERROR_FILE_NOT_FOUND : ::GetLastError(),
                            fmt::format("cannot run {}", name));
    }
    if (std::optional<std::filesystem::path> found = find_program(name)) return found->wstring();
    throw windows_error(ERROR_FILE_NOT_FOUND, fmt::format("cannot run {}", name));
}

// One of the child's streams: our end for overlapped transfers, theirs inheritable.
struct Pipe {
    UniqueHandle ours;
    UniqueHandle theirs;
};

Pipe make_pipe(bool we_read) {
    std::wstring name = to_wide(fmt::format("\\\\.\\pipe\\mullion-{}", random_name()));
    Pipe pipe;
    pipe.ours = UniqueHandle(::CreateNamedPipeW(name.c_str(),
                                                (we_read ? PIPE_ACCESS_INBOUND : PIPE_ACCESS_OUTBOUND) |
                                                    FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                                                PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, 1, kChunk,
                                                kChunk, 0, nullptr));
    if (!pipe.ours) throw last_error("cannot create a pipe");
    SECURITY_ATTRIBUTES inherit{sizeof inherit, nullptr, TRUE};
    pipe.theirs = UniqueHandle(::CreateFileW(name.c_str(), we_read ? GENERIC_WRITE : GENERIC_READ, 0,
                                             &inherit, OPEN_EXISTING, 0, nullptr));
    if (!pipe.theirs) throw last_error("cannot create a pipe");
    return pipe;
}

UniqueHandle make_event() {
    UniqueHandle event(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
    if (!event) throw last_error("cannot create an event");
    return event;
}

// One transfer at a time over our end of a pipe.
class Transfer {
  public:
    explicit Transfer(UniqueHandle pipe) : pipe_(std::move(pipe)), event_(make_event()) {}
    ~Transfer() { close(); }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    bool is_open() const { return static_cast<bool>(pipe_); }
    HANDLE event() const { return event_.get(); }

    void start_read() {
        overlapped_ = {};
        overlapped_.hEvent = event_.get();
        settle(::ReadFile(pipe_.get(), buffer_.data(), kChunk, nullptr, &overlapped_) != 0);
    }
    void start_write(std::string_view data) {
        overlapped_ = {};
        overlapped_.hEvent = event_.get();
        auto part = static_cast<DWORD>(std::min<std::size_t>(data.size(), kChunk));
        settle(::WriteFile(pipe_.get(), data.data(), part, nullptr, &overlapped_) != 0);
    }
    // Bytes moved; nullopt if the other end is gone. Only after the event.
    std::optional<DWORD> result() {
        DWORD moved = 0;
        pending_ = false;
        if (::GetOverlappedResult(pipe_.get(), &overlapped_, &moved, FALSE) != 0) return moved;
        return {};
    }
    std::string_view bytes(DWORD size) const { return {buffer_.data(), size}; }

    // The system still has our buffer until a transfer that was called off has ended.
    void close() {
        if (pending_) {
            ::CancelIoEx(pipe_.get(), &overlapped_);
            DWORD moved = 0;
            ::GetOverlappedResult(pipe_.get(), &overlapped_, &moved, TRUE);
            pending_ = false;
        }
        pipe_.reset();
    }

  private:
    void settle(bool done) {
        pending_ = done || ::GetLastError() == ERROR_IO_PENDING;
        if (!pending_) close();
    }

    UniqueHandle pipe_;
    UniqueHandle event_;
    OVERLAPPED overlapped_{};
    std::array<char, kChunk> buffer_;
    bool pending_ = false;
};

// The handles a child inherits, and no others: another thread may be starting a child of its own.
class AttributeList {
  public:
    explicit AttributeList(std::array<HANDLE, 3>& inherited) {
        SIZE_T size = 0;
        ::InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
        memory_.resize(size);
        if (::InitializeProcThreadAttributeList(get(), 1, 0, &size) == 0 ||
            ::UpdateProcThreadAttribute(get(), 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, inherited.data(),
                                        sizeof inherited, nullptr, nullptr) == 0) {
            throw last_error("cannot prepare a process");
        }
    }
    ~AttributeList() { ::DeleteProcThreadAttributeList(get()); }
    AttributeList(const AttributeList&) = delete;
    AttributeList& operator=(const AttributeList&) = delete;
    LPPROC_THREAD_ATTRIBUTE_LIST get() {
        return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
    }

  private:
    std::vector<char> memory_;
};

// The running child in a job of its own, which ends with us.
class Child {
  public:
    Child(const ProcessOptions& options, std::array<HANDLE, 3> streams)
        : job_(::CreateJobObjectW(nullptr, nullptr)) {
        JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        if (!job_ || ::SetInformationJobObject(job_.get(), JobObjectExtendedLimitInformation, &limits,
                                               sizeof limits) == 0) {
            throw last_error("cannot create a job");
        }
        start(options, streams);
    }
    ~Child() { kill(); }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    void kill() { ::TerminateJobObject(job_.get(), ERROR_PROCESS_ABORTED); }
    HANDLE handle() const { return process_.get(); }
    int exit_code() const {
        DWORD code = 0;
        if (::GetExitCodeProcess(process_.get(), &code) == 0) throw last_error("the exit code is lost");
        return static_cast<int>(code);
    }

  private:
    void start(const ProcessOptions& options, std::array<HANDLE, 3>& streams) {
        std::wstring program = program_to_run(options.argv[0]);
        std::wstring line = command_line(options.argv);
        std::wstring variables;
        if (options.environment) variables = environment_block(*options.environment);
        std::wstring directory = options.directory.native();
        AttributeList attributes(streams);
        STARTUPINFOEXW start{};
        start.StartupInfo.cb = sizeof start;
        start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
        start.StartupInfo.hStdInput = streams[0];
        start.StartupInfo.hStdOutput = streams[1];
        start.StartupInfo.hStdError = streams[2];
        start.lpAttributeList = attributes.get();
        // Suspended until it is in the job: what it starts is then in it too.
        DWORD flags =
            CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT | CREATE_NO_WINDOW;
        PROCESS_INFORMATION made{};
        if (::CreateProcessW(program.c_str(), line.data(), nullptr, nullptr, TRUE, flags,
                             options.environment ? variables.data() : nullptr,
                             directory.empty() ? nullptr : directory.c_str(), &start.StartupInfo,
                             &made) == 0) {
            throw last_error(fmt::format("cannot run {}", options.argv[0]));
        }
        process_ = UniqueHandle(made.hProcess);
        UniqueHandle thread(made.hThread);
        if (::AssignProcessToJobObject(job_.get(), process_.get()) == 0) {
            Error error = last_error(fmt::format("cannot run {}", options.argv[0]));
            ::TerminateProcess(process_.get(), ERROR_PROCESS_ABORTED);
            throw error;
        }
        ::ResumeThread(thread.get());
    }

    UniqueHandle job_;
    UniqueHandle process_;
};

// Pumps the three streams until the child has exited and what it wrote is read. A grandchild that keeps an
// output open does not hold us up.
class Pump {
  public:
    Pump(const ProcessOptions& options, UniqueHandle in, UniqueHandle out, UniqueHandle err, HANDLE wake)
        : options_(options), in_(std::move(in)), out_(std::move(out)), err_(std::move(err)), wake_(wake) {
        if (options.time_limit) deadline_ = CancelToken::Clock::now() + *options.time_limit;
    }

    void run(const Child& child, const CancelToken& cancel) {
        out_.start_read();
        err_.start_read();
        feed();
        for (bool exited = false; !exited;) {
            exited = wait(child);
            cancel.check();
            if (deadline_ && CancelToken::Clock::now() >= *deadline_) {
                throw fail(ErrorCode::TimedOut, "{} did not finish within {} ms", options_.argv[0],
                           options_.time_limit->count());
            }
        }
        drain(out_, options_.on_stdout);
        drain(err_, options_.on_stderr);
    }

  private:
    static constexpr std::int64_t kLongest = 3'600'000;  // ms
    static constexpr int kMaxLeftover = 1024;            // chunks
    static constexpr DWORD kGrace = 20;                  // ms

    // True once the child has exited.
    bool wait(const Child& child) {
        // The child comes last, so that what it wrote is taken first.
        std::array<HANDLE, 5> handles{wake_};
        DWORD count = 1;
        for (Transfer* transfer : {&in_, &out_, &err_}) {
            if (transfer->is_open()) handles[count++] = transfer->event();
        }
        handles[count++] = child.handle();
        DWORD signaled = ::WaitForMultipleObjects(count, handles.data(), FALSE, timeout());
        if (signaled == WAIT_FAILED) throw last_error("cannot wait for a process");
        if (signaled == WAIT_TIMEOUT || signaled >= count) return false;
        HANDLE which = handles[signaled];
        if (which == child.handle()) return true;
        if (in_.is_open() && which == in_.event()) fed();
        if (out_.is_open() && which == out_.event()) take(out_, options_.on_stdout);
        if (err_.is_open() && which == err_.event()) take(err_, options_.on_stderr);
        return false;
    }

    DWORD timeout() const {
        if (!deadline_) return INFINITE;
        auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(*deadline_ - CancelToken::Clock::now());
        return static_cast<DWORD>(std::clamp<std::int64_t>(left.count() + 1, 0, kLongest));
    }

    void feed() {
        std::string_view rest = std::string_view(options_.input).substr(fed_);
        if (rest.empty()) return in_.close();
        in_.start_write(rest);
    }

    void fed() {
        std::optional<DWORD> moved = in_.result();
        if (!moved) return in_.close();
        fed_ += *moved;
        feed();
    }

    static void take(Transfer& from, const std::function<void(std::string_view)>& consumer) {
        std::optional<DWORD> got = from.result();
        if (!got) return from.close();
        if (consumer) consumer(from.bytes(*got));
        from.start_read();
    }

    // What lies in the pipe; whoever still writes is not waited for.
    static void drain(Transfer& from, const std::function<void(std::string_view)>& consumer) {
        for (int i = 0; i < kMaxLeftover && from.is_open(); ++i) {
            if (::WaitForSingleObject(from.event(), kGrace) != WAIT_OBJECT_0) return;
            take(from, consumer);
        }
    }

    const ProcessOptions& options_;
    Transfer in_, out_, err_;
    HANDLE wake_;
    std::size_t fed_ = 0;
    std::optional<CancelToken::Clock::time_point> deadline_;
};

}  // namespace

std::optional<std::filesystem::path> find_program(const std::string& name) {
    std::wstring file = program_file(name);
    std::wstring directories = search_path() + L';';
    for (std::size_t at = 0, end; (end = directories.find(L';', at)) != std::wstring::npos; at = end + 1) {
        std::wstring directory = directories.substr(at, end - at);
        std::erase(directory, L'"');
        if (directory.empty()) continue;
        std::wstring candidate = directory + L'\\' + file;
        if (is_file(candidate)) return candidate;
    }
    return std::nullopt;
}

int run_process(const ProcessOptions& options, const CancelToken& cancel) {
    if (options.argv.empty()) throw Error(ErrorCode::Internal, "empty argument vector");
    cancel.check();
    Pipe in = make_pipe(false), out = make_pipe(true), err = make_pipe(true);
    UniqueHandle wake = make_event();
    Child child(options, {in.theirs.get(), out.theirs.get(), err.theirs.get()});
    for (Pipe* pipe : {&in, &out, &err}) pipe->theirs.reset();
    auto registration = cancel.on_cancel([&] {
        child.kill();
        ::SetEvent(wake.get());
    });
    auto pump = std::make_unique<Pump>(options, std::move(in.ours), std::move(out.ours), std::move(err.ours),
                                       wake.get());
    pump->run(child, cancel);
    return child.exit_code();
}

}  // namespace mullion::base
