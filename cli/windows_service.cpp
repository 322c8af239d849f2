#include "cli/windows_service.hpp"

#include <windows.h>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/win32.hpp"

namespace mullion::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartLimit = 30s;
constexpr auto kPause = 100ms;

struct Closer {
    void operator()(SC_HANDLE handle) const { ::CloseServiceHandle(handle); }
};
using UniqueService = std::unique_ptr<std::remove_pointer_t<SC_HANDLE>, Closer>;

// None if there is no such service.
UniqueService open_service(const std::string& name, DWORD rights) {
    UniqueService services(::OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT));
    if (!services) throw base::last_error("cannot reach the service control manager");
    UniqueService service(::OpenServiceW(services.get(), base::to_wide(name).c_str(), rights));
    if (service || ::GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST) return service;
    throw base::last_error(fmt::format("cannot open the service {}", name));
}

bool runs(SC_HANDLE service) {
    SERVICE_STATUS status = {};
    if (!::QueryServiceStatus(service, &status)) throw base::last_error("cannot query a service");
    return status.dwCurrentState == SERVICE_RUNNING;
}

bool is_disabled(SC_HANDLE service) {
    DWORD size = 0;
    ::QueryServiceConfigW(service, nullptr, 0, &size);
    std::vector<std::byte> buffer(size);
    auto* config = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(buffer.data());
    if (!::QueryServiceConfigW(service, config, size, &size))
        throw base::last_error("cannot query a service");
    return config->dwStartType == SERVICE_DISABLED;
}

}  // namespace

ServiceState service_state(const std::string& name) {
    UniqueService service = open_service(name, SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG);
    if (!service) return ServiceState::Absent;
    if (runs(service.get())) return ServiceState::Running;
    return is_disabled(service.get()) ? ServiceState::Disabled : ServiceState::Stopped;
}

void start_service(const std::string& name, const base::CancelToken& cancel) {
    UniqueService service = open_service(name, SERVICE_START | SERVICE_QUERY_STATUS);
    if (!service) throw base::fail(base::ErrorCode::NotFound, "there is no service {}", name);
    if (!::StartServiceW(service.get(), 0, nullptr) && ::GetLastError() != ERROR_SERVICE_ALREADY_RUNNING) {
        throw base::last_error(fmt::format("cannot start the service {}", name));
    }
    for (auto give_up = std::chrono::steady_clock::now() + kStartLimit; !runs(service.get());) {
        cancel.check();
        if (std::chrono::steady_clock::now() > give_up) {
            throw base::fail(base::ErrorCode::TimedOut, "the service {} does not start", name);
        }
        std::this_thread::sleep_for(kPause);
    }
}

}  // namespace mullion::cli
