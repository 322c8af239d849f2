// The exports of the double of computecore.dll that deal with systems and processes.
//
// HcsTerminateProcess refuses a dying process with access denied where the fault "Dying" is set.
#include <map>
#include <utility>

#include "tests/support/fake_hcs/container.hpp"
#include "tests/support/fake_hcs/handles.hpp"
#include "tests/support/fake_hcs/machine.hpp"
#include "tests/support/fake_hcs/operation.hpp"

namespace mullion::fake {
namespace {

// An open handle: the object, and the callback that is the handle's own.
template <typename Object>
struct Opened {
    std::shared_ptr<Object> object;
    std::shared_ptr<EventTarget> target = std::make_shared<EventTarget>();
};

// Systems by id, as long as they run or somebody has a handle.
struct Systems {
    std::mutex mutex;
    std::map<std::string, std::weak_ptr<FakeSystem>> by_id;
};

Systems& all_systems() {
    static Systems instance;
    return instance;
}

Handles<HCS_SYSTEM, Opened<FakeSystem>>& systems() {
    static Handles<HCS_SYSTEM, Opened<FakeSystem>> instance;
    return instance;
}

Handles<HCS_PROCESS, Opened<FakeProcess>>& processes() {
    static Handles<HCS_PROCESS, Opened<FakeProcess>> instance;
    return instance;
}

template <typename Object>
std::shared_ptr<Opened<Object>> opened(std::shared_ptr<Object> object) {
    auto handle = std::make_shared<Opened<Object>>();
    handle->object = std::move(object);
    handle->object->add(handle->target);
    return handle;
}

std::shared_ptr<FakeSystem> find_system(const std::string& id) {
    Systems& all = all_systems();
    std::lock_guard lock(all.mutex);
    auto found = all.by_id.find(id);
    return found == all.by_id.end() ? nullptr : found->second.lock();
}

std::shared_ptr<FakeSystem> make_system(const std::string& id, Json document) {
    Systems& all = all_systems();
    std::lock_guard lock(all.mutex);
    std::weak_ptr<FakeSystem>& slot = all.by_id[id];
    auto present = slot.lock();
    if (present && !present->stopped()) throw Refusal{code::kSystemAlreadyExists, id};
    std::shared_ptr<FakeSystem> host;
    if (document.contains("HostedSystem")) {
        auto found = all.by_id.find(document["HostingSystemId"].get<std::string>());
        host = found == all.by_id.end() ? nullptr : found->second.lock();
        if (!host) throw Refusal{code::kSystemNotFound, "the hosting system"};
    }
    auto system = std::make_shared<FakeSystem>(id, std::move(document), host);
    if (host) host->add_guest(system);
    slot = system;
    return system;
}

// A request to the system behind a handle.
template <typename Body>
HRESULT request(HCS_SYSTEM handle, HCS_OPERATION operation, const char* call, Body body,
                const wchar_t* document = nullptr) {
    auto opened_system = systems().get(handle);
    if (!opened_system) return E_HANDLE;
    auto system = opened_system->object;
    log(call, system->id(), narrow(document));
    return submit(
        operation, call, false, [system, body] { return body(*system); },
        [system] { return system->stopped(); });
}

template <typename Body>
HRESULT request(HCS_PROCESS handle, HCS_OPERATION operation, const char* call, const wchar_t* document,
                Body body) {
    auto opened_process = processes().get(handle);
    if (!opened_process) return E_HANDLE;
    auto process = opened_process->object;
    log(call, std::to_string(process->id()), narrow(document));
    return submit(
        operation, call, false, [process, body] { return body(*process); },
        [process] { return process->ended(); });
}

Result terminate(FakeSystem& system) {
    if (system.stopped()) throw Refusal{code::kSystemAlreadyStopped, system.id()};
    system.stop("ForcedExit", S_OK);
    return {};
}

Result terminate_process(FakeProcess& process, DWORD exit_code) {
    if (fault("Dying")) throw Refusal{E_ACCESSDENIED, "the process is dying"};
    if (!process.terminate(exit_code)) throw Refusal{code::kProcessAlreadyStopped, "no longer"};
    return {};
}

Result information(FakeProcess& process) {
    return {S_OK, "", process.take_information()};
}

}  // namespace

void loaded() {}

std::size_t left_over() {
    return open_operations() + systems().size() + processes().size();
}

}  // namespace mullion::fake

using namespace mullion::fake;

extern "C" {

std::size_t WINAPI FakeOpenHandles() {
    return left_over();
}

// The service dies: every system hears of it.
void WINAPI FakeDisconnect() {
    std::vector<std::shared_ptr<FakeSystem>> running;
    {
        Systems& all = all_systems();
        std::lock_guard lock(all.mutex);
        for (const auto& entry : all.by_id) {
            if (auto system = entry.second.lock()) running.push_back(system);
        }
    }
    for (const auto& system : running) system->tell(HcsEventServiceDisconnect, "");
}

void WINAPI FakeUnexpectedExit(PCWSTR id) {
    if (auto system = find_system(narrow(id))) system->stop("UnexpectedExit", code::kUnexpectedExit);
}

HRESULT WINAPI HcsCreateComputeSystem(PCWSTR id, PCWSTR configuration, HCS_OPERATION operation,
                                      const SECURITY_DESCRIPTOR*, HCS_SYSTEM* handle) {
    log("HcsCreateComputeSystem", narrow(id), narrow(configuration));
    std::shared_ptr<FakeSystem> system;
    try {
        Json document = parse_strictly(configuration, system_shape());
        check_system(document);
        system = make_system(narrow(id), std::move(document));
    } catch (const Refusal& refusal) {
        return refuse(operation, refusal);
    }
    HRESULT result = submit(
        operation, "HcsCreateComputeSystem", false, [] { return Result{}; },
        [system] { return system->stopped(); });
    // The handle is there before the request has succeeded, and when it fails later.
    if (result == S_OK) *handle = systems().add(opened(system));
    return result;
}

HRESULT WINAPI HcsOpenComputeSystem(PCWSTR id, DWORD, HCS_SYSTEM* handle) {
    log("HcsOpenComputeSystem", narrow(id));
    if (auto failure = fault("HcsOpenComputeSystem")) return in_family(failure->result);
    auto system = find_system(narrow(id));
    if (!system) return in_family(code::kSystemNotFound);
    *handle = systems().add(opened(system));
    return S_OK;
}

// The last handle ends the system.
void WINAPI HcsCloseComputeSystem(HCS_SYSTEM handle) {
    if (auto closed = systems().remove(handle)) {
        closed->target->clear();
        log("HcsCloseComputeSystem", closed->object->id());
    }
}

HRESULT WINAPI HcsStartComputeSystem(HCS_SYSTEM handle, HCS_OPERATION operation, PCWSTR) {
    return request(handle, operation, "HcsStartComputeSystem", [](FakeSystem& system) {
        system.start();
        return Result{};
    });
}

// The request is done when the system has been told, its end comes later.
HRESULT WINAPI HcsShutDownComputeSystem(HCS_SYSTEM handle, HCS_OPERATION operation, PCWSTR) {
    return request(handle, operation, "HcsShutDownComputeSystem", [](FakeSystem& system) {
        if (system.stopped()) throw Refusal{code::kSystemAlreadyStopped, system.id()};
        system.stop("GracefulExit", S_OK);
        return Result{};
    });
}

HRESULT WINAPI HcsModifyComputeSystem(HCS_SYSTEM handle, HCS_OPERATION operation, PCWSTR configuration,
                                      HANDLE) {
    auto opened_system = systems().get(handle);
    if (!opened_system) return E_HANDLE;
    auto system = opened_system->object;
    log("HcsModifyComputeSystem", system->id(), narrow(configuration));
    Json request;
    try {
        request = parse_modification(configuration);
    } catch (const Refusal& refusal) {
        return refuse(operation, refusal);
    }
    return submit(
        operation, "HcsModifyComputeSystem", false,
        [system, request] {
            system->modify(request);
            return Result{};
        },
        [system] { return system->stopped(); });
}

HRESULT WINAPI HcsGrantVmAccess(PCWSTR vm, PCWSTR file) {
    log("HcsGrantVmAccess", narrow(vm), fs::path(file).filename().string());
    if (auto failure = fault("HcsGrantVmAccess")) return in_family(failure->result);
    return grant_access(narrow(vm), file) ? S_OK : code::of(0x80070002);
}

HRESULT WINAPI HcsTerminateComputeSystem(HCS_SYSTEM handle, HCS_OPERATION operation, PCWSTR) {
    return request(handle, operation, "HcsTerminateComputeSystem", terminate);
}

HRESULT WINAPI HcsGetComputeSystemProperties(HCS_SYSTEM handle, HCS_OPERATION operation, PCWSTR query) {
    static const Json shape = Json::parse(R"({"PropertyTypes": [""]})");
    try {
        parse_strictly(query, shape);
    } catch (const Refusal& refusal) {
        return refuse(operation, refusal);
    }
    return request(
        handle, operation, "HcsGetComputeSystemProperties",
        [](FakeSystem& system) {
            return Result{S_OK, system.properties()};
        },
        query);
}

HRESULT WINAPI HcsSetComputeSystemCallback(HCS_SYSTEM handle, HCS_EVENT_OPTIONS, const void* context,
                                           HCS_EVENT_CALLBACK callback) {
    if (auto failure = fault("HcsSetComputeSystemCallback")) return in_family(failure->result);
    auto opened_system = systems().get(handle);
    if (!opened_system) return E_HANDLE;
    opened_system->target->set(const_cast<void*>(context), callback);
    return S_OK;
}

HRESULT WINAPI HcsCreateProcess(HCS_SYSTEM handle, PCWSTR text, HCS_OPERATION operation,
                                const SECURITY_DESCRIPTOR*, HCS_PROCESS* process_handle) {
    auto opened_system = systems().get(handle);
    if (!opened_system) return E_HANDLE;
    auto system = opened_system->object;
    log("HcsCreateProcess", system->id(), narrow(text));
    std::shared_ptr<FakeProcess> process;
    try {
        Json parameters = parse_strictly(text, process_shape());
        if (auto failure = fault("HcsCreateProcess")) throw Refusal{failure->result, "injected"};
        process = system->create_process(parameters);
    } catch (const Refusal& refusal) {
        return refuse(operation, refusal);
    }
    *process_handle = processes().add(opened(process));
    return submit(
        operation, "HcsCreateProcess", true, [process] { return information(*process); },
        [process] { return process->ended(); });
}

HRESULT WINAPI HcsOpenProcess(HCS_SYSTEM handle, DWORD id, DWORD, HCS_PROCESS* process_handle) {
    if (auto failure = fault("HcsOpenProcess")) return in_family(failure->result);
    auto opened_system = systems().get(handle);
    if (!opened_system) return E_HANDLE;
    auto process = opened_system->object->find_process(id);
    if (!process) return code::kNotFound;
    *process_handle = processes().add(opened(process));
    return S_OK;
}

void WINAPI HcsCloseProcess(HCS_PROCESS handle) {
    if (auto closed = processes().remove(handle)) closed->target->clear();
}

HRESULT WINAPI HcsSetProcessCallback(HCS_PROCESS handle, HCS_EVENT_OPTIONS, void* context,
                                     HCS_EVENT_CALLBACK callback) {
    if (auto failure = fault("HcsSetProcessCallback")) return in_family(failure->result);
    auto opened_process = processes().get(handle);
    if (!opened_process) return E_HANDLE;
    opened_process->target->set(context, callback);
    return S_OK;
}

HRESULT WINAPI HcsTerminateProcess(HCS_PROCESS handle, HCS_OPERATION operation, PCWSTR) {
    return request(handle, operation, "HcsTerminateProcess", nullptr,
                   [](FakeProcess& process) { return terminate_process(process, 0xffffffff); });
}

// A program that does not handle Ctrl-C ends with STATUS_CONTROL_C_EXIT.
HRESULT WINAPI HcsSignalProcess(HCS_PROCESS handle, HCS_OPERATION operation, PCWSTR options) {
    return request(handle, operation, "HcsSignalProcess", options,
                   [](FakeProcess& process) { return terminate_process(process, 0xC000013A); });
}

HRESULT WINAPI HcsModifyProcess(HCS_PROCESS handle, HCS_OPERATION operation, PCWSTR settings) {
    static const Json shape = Json::parse(
        R"({"Operation": "", "CloseHandle": {"Handle": ""}, "ConsoleSize": {"Height": 0, "Width": 0}})");
    try {
        parse_strictly(settings, shape);
    } catch (const Refusal& refusal) {
        return refuse(operation, refusal);
    }
    return request(handle, operation, "HcsModifyProcess", settings, [](FakeProcess& process) {
        if (!process.close_input()) throw Refusal{code::kProcessAlreadyStopped, "no input any more"};
        return Result{};
    });
}

HRESULT WINAPI HcsGetProcessInfo(HCS_PROCESS handle, HCS_OPERATION operation) {
    auto opened_process = processes().get(handle);
    if (!opened_process) return E_HANDLE;
    auto process = opened_process->object;
    log("HcsGetProcessInfo", std::to_string(process->id()));
    return submit(
        operation, "HcsGetProcessInfo", true, [process] { return information(*process); },
        [process] { return process->ended(); });
}

HRESULT WINAPI HcsGetProcessProperties(HCS_PROCESS handle, HCS_OPERATION operation, PCWSTR) {
    return request(handle, operation, "HcsGetProcessProperties", nullptr, [](FakeProcess& process) {
        return Result{S_OK, process.status()};
    });
}

}  // extern "C"
