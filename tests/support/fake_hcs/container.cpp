#include "tests/support/fake_hcs/container.hpp"

#include <algorithm>
#include <atomic>
#include <cwctype>
#include <fstream>
#include <map>
#include <utility>

namespace mullion::fake {
namespace {

// TerminateProcess by HCS.
constexpr DWORD kTerminated = 0xffffffff;

std::uint32_t newest_minor() {
    std::uint32_t build = host_build();
    if (build >= 20348) return 5;
    if (build >= 19041) return 3;
    return build >= 18362 ? 2 : 1;
}

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text;
    std::getline(file, text);
    return text;
}

// hcs.md §5: a host before Server 2022 runs its own build only, a later one those from 20348 on. The build of
// a layer is in its file "build"; without one it fits.
void check_image(const Json& layers) {
    std::string text = text_of(fs::path(wide(layers.back()["Path"].get<std::string>())) / "build");
    if (text.empty()) return;
    auto build = static_cast<std::uint32_t>(std::stoul(text));
    bool fits = host_build() < 20348 ? build == host_build() : build >= 20348 && build <= host_build();
    if (!fits) throw Refusal{code::kImageMismatch, "image " + text};
}

// `\\?\Volume{GUID}\` -> the directory it stands for.
fs::path root_of(const std::string& volume) {
    std::size_t open = volume.find('{'), close = volume.find('}');
    if (volume.rfind("\\\\?\\Volume{", 0) != 0 || close == std::string::npos || volume.back() != '\\') {
        throw Refusal{code::of(0x80070003), volume + " is no volume"};
    }
    std::string directory_name = text_of(directory() / "volumes" / volume.substr(open + 1, close - open - 1));
    if (directory_name.empty()) throw Refusal{code::of(0x80070003), volume + " is not mounted"};
    return wide(directory_name);
}

struct Pipe {
    HANDLE ours = nullptr;
    HANDLE childs = nullptr;
};

// Overlapped on our side, as HCS' are.
Pipe make_pipe(bool child_reads) {
    static std::atomic<unsigned> number{0};
    std::wstring name = L"\\\\.\\pipe\\mullion-fake-" + std::to_wstring(::GetCurrentProcessId()) + L"-" +
                        std::to_wstring(++number);
    Pipe pipe;
    pipe.ours = ::CreateNamedPipeW(
        name.c_str(), (child_reads ? PIPE_ACCESS_OUTBOUND : PIPE_ACCESS_INBOUND) | FILE_FLAG_OVERLAPPED,
        PIPE_TYPE_BYTE | PIPE_WAIT, 1, 1 << 16, 1 << 16, 0, nullptr);
    SECURITY_ATTRIBUTES inherited{sizeof(SECURITY_ATTRIBUTES), nullptr, TRUE};
    pipe.childs = ::CreateFileW(name.c_str(), child_reads ? GENERIC_READ : GENERIC_WRITE, 0, &inherited,
                                OPEN_EXISTING, 0, nullptr);
    return pipe;
}

// The container's variables over those a program cannot do without.
std::wstring environment_of(const Json& parameters) {
    std::map<std::wstring, std::wstring> variables;
    for (const wchar_t* name : {L"SystemRoot", L"PATH", L"ComSpec", L"TEMP", L"WINEPREFIX"}) {
        wchar_t value[4096];
        if (::GetEnvironmentVariableW(name, value, 4096) != 0) variables[name] = value;
    }
    if (parameters.contains("Environment")) {
        for (const auto& [name, value] : parameters["Environment"].items()) {
            variables[wide(name)] = wide(value.get<std::string>());
        }
    }
    std::wstring block;
    for (const auto& [name, value] : variables) block += name + L"=" + value + L'\0';
    return block + L'\0';
}

bool flag(const Json& object, const char* name) {
    return object.contains(name) && object[name].get<bool>();
}

std::string text(const Json& object, const char* name) {
    return object.contains(name) ? object[name].get<std::string>() : std::string();
}

// C: is the volume: a command gets the host's path for one on it, but for programs of Windows, which are
// Wine's.
std::wstring command_line(const fs::path& root, const Json& parameters) {
    std::wstring line = wide(text(parameters, "CommandLine"));
    for (std::size_t at = 0; (at = line.find(L":\\", at)) != line.npos; ++at) {
        bool drive = at > 0 && ::towupper(line[at - 1]) == L'C' && (at == 1 || !::iswalnum(line[at - 2]));
        std::wstring rest = line.substr(at + 2, line.find_first_of(L" \"&|<>", at) - (at + 2));
        bool wines = ::_wcsnicmp(rest.c_str(), L"Windows\\", 8) == 0 && !fs::exists(root / rest);
        if (!drive || wines) continue;
        line.replace(at - 1, 2, root.native());
        at += root.native().size();
    }
    return line;
}

fs::path working_directory(const fs::path& root, const Json& parameters) {
    std::string name = text(parameters, "WorkingDirectory");
    if (name.size() > 2 && name[1] == ':') name = name.substr(3);
    return root / wide(name);
}

}  // namespace

void Observed::add(std::weak_ptr<EventTarget> target) {
    std::lock_guard lock(mutex_);
    targets_.push_back(std::move(target));
}

void Observed::tell(HCS_EVENT_TYPE type, const std::string& data) {
    std::vector<std::weak_ptr<EventTarget>> targets;
    {
        std::lock_guard lock(mutex_);
        targets = targets_;
    }
    for (const auto& weak : targets) {
        if (auto target = weak.lock()) target->deliver(type, wide(data));
    }
}

FakeProcess::FakeProcess(const fs::path& root, const Json& parameters) {
    Pipe in, out, err;
    input_open_ = flag(parameters, "CreateStdInPipe");
    if (input_open_) in = make_pipe(true);
    if (flag(parameters, "CreateStdOutPipe")) out = make_pipe(false);
    if (flag(parameters, "CreateStdErrPipe")) err = make_pipe(false);
    STARTUPINFOW startup = {};
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = in.childs;
    startup.hStdOutput = out.childs;
    startup.hStdError = err.childs;
    std::wstring line = command_line(root, parameters);
    PROCESS_INFORMATION started = {};
    BOOL done = ::CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE,
                                 CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | CREATE_NO_WINDOW,
                                 environment_of(parameters).data(),
                                 working_directory(root, parameters).c_str(), &startup, &started);
    DWORD error = ::GetLastError();
    for (HANDLE handle : {in.childs, out.childs, err.childs}) {
        if (handle != nullptr) ::CloseHandle(handle);
    }
    if (!done) {
        for (HANDLE handle : {in.ours, out.ours, err.ours}) {
            if (handle != nullptr) ::CloseHandle(handle);
        }
        throw Refusal{code::of(0x80070000 | error), "CreateProcess: " + text(parameters, "CommandLine")};
    }
    process_ = started.hProcess;
    job_ = ::CreateJobObjectW(nullptr, nullptr);
    ::AssignProcessToJobObject(job_, process_);
    information_ = {started.dwProcessId, 0, in.ours, out.ours, err.ours};
    // HCS has either for "none".
    if (information_.StdError == nullptr) information_.StdError = INVALID_HANDLE_VALUE;
    ::ResumeThread(started.hThread);
    ::CloseHandle(started.hThread);
    watcher_ = std::thread([this] { watch(); });
}

// What it has started goes with it.
FakeProcess::~FakeProcess() {
    terminate(kTerminated);
    ::TerminateJobObject(job_, kTerminated);
    watcher_.join();
    ::CloseHandle(process_);
    ::CloseHandle(job_);
    for (HANDLE handle : {information_.StdInput, information_.StdOutput, information_.StdError}) {
        if (handle != nullptr && handle != INVALID_HANDLE_VALUE) ::CloseHandle(handle);
    }
}

HCS_PROCESS_INFORMATION FakeProcess::take_information() {
    std::lock_guard lock(mutex_);
    HCS_PROCESS_INFORMATION taken = information_;
    information_.StdInput = information_.StdOutput = information_.StdError = nullptr;
    return taken;
}

void FakeProcess::watch() {
    ::WaitForSingleObject(process_, INFINITE);
    if (!fault("ProcessExited")) tell(HcsEventProcessExited, status());
}

bool FakeProcess::ended() const {
    return ::WaitForSingleObject(process_, 0) == WAIT_OBJECT_0;
}

// Members that are zero are left out, as HCS does.
std::string FakeProcess::status() const {
    Json json;
    json["ProcessId"] = id();
    DWORD exit_code = 0;
    if (ended() && ::GetExitCodeProcess(process_, &exit_code)) {
        json["Exited"] = true;
        if (exit_code != 0) json["ExitCode"] = exit_code;
    }
    return json.dump();
}

bool FakeProcess::terminate(DWORD exit_code) {
    if (ended()) return false;
    ::TerminateJobObject(job_, exit_code);
    return ::WaitForSingleObject(process_, 5000) == WAIT_OBJECT_0;
}

bool FakeProcess::close_input() {
    std::lock_guard lock(mutex_);
    return !ended() && std::exchange(input_open_, false);
}

FakeSystem::FakeSystem(std::string id, Json document, std::shared_ptr<FakeSystem> host)
    : id_(std::move(id)), document_(std::move(document)), host_(host) {
    if (document_.contains("VirtualMachine")) {
        machine_ = std::make_unique<FakeMachine>(id_, document_["VirtualMachine"]);
    } else if (host) {
        const Json& storage = document_["HostedSystem"]["Container"]["Storage"];
        host->guest_root(storage["Path"].get<std::string>(), storage["Layers"]);
    } else {
        check_image(document_["Container"]["Storage"]["Layers"]);
    }
}

FakeSystem::~FakeSystem() {
    stop("ForcedExit", S_OK);
}

bool FakeSystem::stopped() const {
    std::lock_guard lock(mutex_);
    return state_ == State::Stopped;
}

void FakeSystem::start() {
    std::lock_guard lock(mutex_);
    if (state_ != State::Created) throw Refusal{code::kInvalidState, "start of a system that is not new"};
    if (machine_) {
        machine_->start();
    } else if (document_.contains("HostedSystem")) {
        auto host = host_.lock();
        if (!host) throw Refusal{code::kSystemNotFound, "the hosting system"};
        const Json& container = document_["HostedSystem"]["Container"];
        const Json& storage = container["Storage"];
        root_ = host->guest_root(storage["Path"].get<std::string>(), storage["Layers"]);
        host->check_network(container);
    } else {
        root_ = root_of(document_["Container"]["Storage"]["Path"].get<std::string>());
        check_network(document_["Container"]);
    }
    state_ = State::Running;
}

// A namespace must be there: of a VM's guest in the VM, else on the host.
void FakeSystem::check_network(const Json& container) const {
    if (!container.contains("Networking")) return;
    std::string name = text(container["Networking"], "Namespace");
    bool there = machine_ ? machine_->has_network(name) : fs::exists(directory() / "namespaces" / name);
    if (!there) throw Refusal{code::kNotFound, "no network namespace " + name};
}

fs::path FakeSystem::guest_root(const std::string& path, const Json& layers) const {
    std::lock_guard lock(mutex_);
    if (!machine_ || state_ != State::Running) throw Refusal{code::kInvalidState, id_ + " runs no guests"};
    return machine_->root(path, layers);
}

void FakeSystem::add_guest(std::weak_ptr<FakeSystem> guest) {
    std::lock_guard lock(mutex_);
    guests_.push_back(std::move(guest));
}

void FakeSystem::modify(const Json& request) {
    std::lock_guard lock(mutex_);
    if (!machine_) throw Refusal{E_NOTIMPL, "the double modifies VMs only"};
    if (state_ != State::Running) throw Refusal{code::kInvalidState, "modification of what does not run"};
    bool in_use = std::any_of(guests_.begin(), guests_.end(), [](const std::weak_ptr<FakeSystem>& weak) {
        auto guest = weak.lock();
        return guest && !guest->stopped();
    });
    machine_->modify(request, in_use);
}

std::shared_ptr<FakeProcess> FakeSystem::create_process(const Json& parameters) {
    std::lock_guard lock(mutex_);
    if (state_ == State::Created) throw Refusal{code::kInvalidState, "process before start"};
    if (state_ == State::Stopped) throw Refusal{code::kSystemAlreadyStopped, "process after the end"};
    processes_.push_back(std::make_shared<FakeProcess>(root_, parameters));
    return processes_.back();
}

std::shared_ptr<FakeProcess> FakeSystem::find_process(DWORD id) const {
    std::lock_guard lock(mutex_);
    for (const auto& process : processes_) {
        if (process->id() == id) return process;
    }
    return nullptr;
}

std::string FakeSystem::properties() const {
    Json json = {
        {"Id", id_}, {"SystemType", "Container"}, {"RuntimeOsType", "Windows"}, {"State", "Running"}};
    if (stopped()) json["State"] = "Stopped";
    std::string statistics = text_of(directory() / "statistics");
    json["Statistics"] = Json::parse(statistics.empty() ? "{}" : statistics);
    return json.dump();
}

// False if it has ended before.
bool FakeSystem::end() {
    std::vector<std::shared_ptr<FakeProcess>> processes;
    std::vector<std::weak_ptr<FakeSystem>> guests;
    {
        std::lock_guard lock(mutex_);
        if (state_ == State::Stopped) return false;
        state_ = State::Stopped;
        processes = processes_;
        guests.swap(guests_);
    }
    for (const auto& process : processes) process->terminate(kTerminated);
    for (const auto& weak : guests) {
        if (auto guest = weak.lock()) guest->end();
    }
    return true;
}

void FakeSystem::stop(const char* exit_type, HRESULT status) {
    if (!end()) return;
    if (fault("SystemExited")) return;
    Json json;
    if (status != S_OK) json["Status"] = static_cast<std::int32_t>(status);
    json["ExitType"] = exit_type;
    tell(HcsEventSystemExited, json.dump());
}

const Json& container_shape() {
    static const Json shape = Json::parse(R"({
            "GuestOs": {"HostName": ""},
            "Storage": {"Layers": [{"Id": "", "Path": ""}], "Path": "",
                        "QoS": {"IopsMaximum": 0, "BandwidthMaximum": 0}},
            "Memory": {"SizeInMB": 0},
            "Processor": {"Count": 0, "Maximum": 0, "Weight": 0},
            "MappedDirectories": [{"HostPath": "", "ContainerPath": "", "ReadOnly": true}],
            "MappedPipes": [{"HostPath": "", "ContainerPipeName": ""}],
            "Networking": {"Namespace": "", "AllowUnqualifiedDnsQuery": true, "DnsSearchList": ""},
            "AssignedDevices": [{"InterfaceClassGuid": "", "Type": "", "LocationPath": ""}],
            "RegistryChanges": {
                "AddValues": [{"Key": {"Hive": "", "Name": ""}, "Name": "", "Type": "", "StringValue": "",
                               "BinaryValue": "", "DWordValue": 0, "QWordValue": 0}],
                "DeleteKeys": [{"Hive": "", "Name": ""}]}})");
    return shape;
}

const Json& system_shape() {
    static const Json shape = [] {
        Json system = Json::parse(R"({
            "Owner": "", "SchemaVersion": {"Major": 0, "Minor": 0}, "ShouldTerminateOnLastHandleClosed": true,
            "HostingSystemId": "", "HostedSystem": {"SchemaVersion": {"Major": 0, "Minor": 0}}})");
        system["HostedSystem"]["Container"] = system["Container"] = container_shape();
        system["VirtualMachine"] = machine_shape();
        return system;
    }();
    return shape;
}

const Json& process_shape() {
    static const Json shape = Json::parse(R"({
        "ApplicationName": "", "CommandLine": "", "User": "", "WorkingDirectory": "",
        "Environment": {"*": ""}, "RestrictedToken": true, "EmulateConsole": true, "CreateStdInPipe": true,
        "CreateStdOutPipe": true, "CreateStdErrPipe": true, "ConsoleSize": [0]})");
    return shape;
}

namespace {

[[noreturn]] void invalid(const std::string& message) {
    throw Refusal{code::kInvalidJson, message};
}

void check_container(const Json& container) {
    if (container.contains("Processor") && container["Processor"].size() > 1) {
        invalid("$.Container.Processor: Count, Maximum and Weight exclude one another");
    }
    if (!container.contains("Storage") || !container["Storage"].contains("Layers")) {
        invalid("$.Container.Storage.Layers: missing");
    }
}

}  // namespace

void check_system(const Json& document) {
    if (!document.contains("SchemaVersion")) invalid("$.SchemaVersion: missing");
    const Json& version = document["SchemaVersion"];
    std::uint32_t minor = version.contains("Minor") ? version["Minor"].get<std::uint32_t>() : 0;
    if (version["Major"] != 2 || minor > newest_minor()) invalid("$.SchemaVersion: not known");
    int kinds = document.contains("Container") + document.contains("VirtualMachine") +
                document.contains("HostedSystem");
    if (kinds != 1) invalid("$: Container, VirtualMachine and HostedSystem exclude one another");
    if (document.contains("HostedSystem") != document.contains("HostingSystemId")) {
        invalid("$: HostedSystem and HostingSystemId belong together");
    }
    if (document.contains("VirtualMachine")) return check_machine(document["VirtualMachine"]);
    if (document.contains("HostedSystem")) return check_container(document["HostedSystem"].at("Container"));
    const Json& container = document["Container"];
    check_container(container);
    for (const Json& layer : container["Storage"]["Layers"]) {
        if (!fs::is_directory(fs::path(wide(layer["Path"].get<std::string>())) / "Files")) {
            throw Refusal{code::kInvalidLayer, layer["Path"].get<std::string>()};
        }
    }
}

}  // namespace mullion::fake
