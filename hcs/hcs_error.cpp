#include "hcs/hcs_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hcs/schema.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;

// Severity, customer and reserved bits, in which the families of numbers differ.
constexpr std::uint32_t kSharedBits = 0x1FFFFFFF;
constexpr std::uint32_t kFacilityBits = 0x1FFF0000;
constexpr std::uint32_t kWin32Facility = 0x00070000;
constexpr std::size_t kMostDetail = 4096;

constexpr const char* kEnableContainers =
    "enable the feature Containers and restart: Enable-WindowsOptionalFeature -Online -FeatureName "
    "Containers -All (on a server: Install-WindowsFeature Containers)";
constexpr const char* kEnableHyperV =
    "enable Hyper-V and restart: Enable-WindowsOptionalFeature -Online -FeatureName Microsoft-Hyper-V -All "
    "(on a server: Install-WindowsFeature Hyper-V), or use --isolation=process";
constexpr const char* kBeAdministrator = "run it as administrator";
constexpr const char* kOldWindows =
    "this Windows is older than what was asked of it; without the option that asked it may work";

struct Condition {
    std::uint32_t value;
    const char* name;
    const char* meaning;
    ErrorCode code;
    HcsHandling handling = HcsHandling::Fatal;
    const char* hint = "";
};

constexpr std::uint32_t of(HcsError error) {
    return static_cast<std::uint32_t>(error);
}

using enum HcsHandling;

constexpr std::array kConditions = {
    Condition{of(HcsError::TerminatedDuringStart), "HCS_E_TERMINATED_DURING_START",
              "it exited while it was starting", ErrorCode::Process},
    Condition{of(HcsError::ImageMismatch), "HCS_E_IMAGE_MISMATCH",
              "the container operating system does not match the host operating system",
              ErrorCode::Unsupported, Fatal, "use an image of the host's version, or --isolation=hyperv"},
    Condition{of(HcsError::HyperVNotInstalled), "HCS_E_HYPERV_NOT_INSTALLED",
              "Hyper-V, or what it needs of the processor, is missing", ErrorCode::Unsupported, Fatal,
              kEnableHyperV},
    Condition{of(HcsError::InvalidState), "HCS_E_INVALID_STATE", "not valid in its current state",
              ErrorCode::Invalid},
    Condition{of(HcsError::UnexpectedExit), "HCS_E_UNEXPECTED_EXIT", "exited unexpectedly",
              ErrorCode::Process},
    Condition{of(HcsError::Terminated), "HCS_E_TERMINATED", "terminated", ErrorCode::Process},
    Condition{of(HcsError::ConnectFailed), "HCS_E_CONNECT_FAILED", "no connection to the guest",
              ErrorCode::Unavailable},
    Condition{of(HcsError::ConnectionTimeout), "HCS_E_CONNECTION_TIMEOUT", "the guest gave no answer",
              ErrorCode::TimedOut, Transient},
    Condition{of(HcsError::ConnectionClosed), "HCS_E_CONNECTION_CLOSED", "the guest closed the connection",
              ErrorCode::Unavailable},
    Condition{of(HcsError::UnknownMessage), "HCS_E_UNKNOWN_MESSAGE", "the guest does not know this request",
              ErrorCode::Unsupported, Fatal, kOldWindows},
    Condition{of(HcsError::UnsupportedProtocolVersion), "HCS_E_UNSUPPORTED_PROTOCOL_VERSION",
              "the guest is too old or too new", ErrorCode::Unsupported},
    Condition{of(HcsError::InvalidJson), "HCS_E_INVALID_JSON", "the document is invalid",
              ErrorCode::Unsupported, Fatal, kOldWindows},
    Condition{of(HcsError::SystemNotFound), "HCS_E_SYSTEM_NOT_FOUND", "there is no such system",
              ErrorCode::NotFound, AlreadyGone},
    Condition{of(HcsError::SystemAlreadyExists), "HCS_E_SYSTEM_ALREADY_EXISTS", "the id is in use",
              ErrorCode::Exists},
    Condition{of(HcsError::SystemAlreadyStopped), "HCS_E_SYSTEM_ALREADY_STOPPED", "it has stopped",
              ErrorCode::Invalid, AlreadyGone},
    Condition{of(HcsError::ProtocolError), "HCS_E_PROTOCOL_ERROR", "the guest broke the protocol",
              ErrorCode::Io},
    Condition{of(HcsError::InvalidLayer), "HCS_E_INVALID_LAYER", "the layer has no form it knows",
              ErrorCode::Corrupt},
    Condition{of(HcsError::WindowsInsiderRequired), "HCS_E_WINDOWS_INSIDER_REQUIRED",
              "only a preview of Windows can do this", ErrorCode::Unsupported},
    Condition{of(HcsError::ServiceNotAvailable), "HCS_E_SERVICE_NOT_AVAILABLE",
              "the host compute service is not installed", ErrorCode::Unsupported, Fatal, kEnableContainers},
    Condition{of(HcsError::OperationNotStarted), "HCS_E_OPERATION_NOT_STARTED",
              "the operation was not started", ErrorCode::Internal},
    Condition{of(HcsError::OperationAlreadyStarted), "HCS_E_OPERATION_ALREADY_STARTED",
              "the operation was started before", ErrorCode::Internal},
    Condition{of(HcsError::OperationPending), "HCS_E_OPERATION_PENDING", "the operation still runs",
              ErrorCode::Unavailable, KeepWaiting},
    Condition{of(HcsError::OperationTimeout), "HCS_E_OPERATION_TIMEOUT", "it did not end in time",
              ErrorCode::TimedOut, KeepWaiting},
    Condition{of(HcsError::OperationSystemCallbackAlreadySet), "HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET",
              "the system has a callback", ErrorCode::Internal},
    Condition{of(HcsError::OperationResultAllocationFailed), "HCS_E_OPERATION_RESULT_ALLOCATION_FAILED",
              "no memory for the result", ErrorCode::Exhausted},
    Condition{of(HcsError::AccessDenied), "HCS_E_ACCESS_DENIED",
              "only administrators and Hyper-V administrators may do this", ErrorCode::Denied, Fatal,
              kBeAdministrator},
    Condition{of(HcsError::GuestCriticalError), "HCS_E_GUEST_CRITICAL_ERROR", "the guest crashed",
              ErrorCode::Process},
    Condition{of(HcsError::ProcessInfoNotAvailable), "HCS_E_PROCESS_INFO_NOT_AVAILABLE",
              "nothing is known of the process", ErrorCode::NotFound},
    Condition{of(HcsError::ServiceDisconnect), "HCS_E_SERVICE_DISCONNECT",
              "the host compute service was restarted", ErrorCode::Unavailable},
    Condition{of(HcsError::ProcessAlreadyStopped), "HCS_E_PROCESS_ALREADY_STOPPED", "the process has ended",
              ErrorCode::Invalid, AlreadyGone},

    Condition{of(HcsError::NetworkNotFound), "HCN_E_NETWORK_NOT_FOUND", "there is no such network",
              ErrorCode::NotFound, AlreadyGone},
    Condition{of(HcsError::EndpointNotFound), "HCN_E_ENDPOINT_NOT_FOUND", "there is no such endpoint",
              ErrorCode::NotFound, AlreadyGone},
    Condition{of(HcsError::NetworkAlreadyExists), "HCN_E_NETWORK_ALREADY_EXISTS",
              "a network of that name exists", ErrorCode::Exists},
    Condition{of(HcsError::PortAlreadyExists), "HCN_E_PORT_ALREADY_EXISTS", "the port is in use",
              ErrorCode::Exists, Fatal, "publish another port of the host"},
    Condition{of(HcsError::EndpointAlreadyAttached), "HCN_E_ENDPOINT_ALREADY_ATTACHED",
              "the endpoint is attached", ErrorCode::Exists},
    Condition{of(HcsError::HcnUnsupported), "HCN_E_REQUEST_UNSUPPORTED", "the network service cannot do this",
              ErrorCode::Unsupported, Fatal, kOldWindows},
    Condition{of(HcsError::HcnMappingNotSupported), "HCN_E_MAPPING_NOT_SUPPORTED",
              "this network maps no ports", ErrorCode::Unsupported, Fatal,
              "publish ports in a NAT network (--network nat)"},
    Condition{of(HcsError::HcnInvalidJson), "HCN_E_INVALID_JSON", "the document is invalid",
              ErrorCode::Unsupported, Fatal, kOldWindows},
    Condition{of(HcsError::HcnInvalidIp), "HCN_E_INVALID_IP",
              "an address is invalid, or in no subnet of the network", ErrorCode::Invalid},
    Condition{of(HcsError::HcnManagerStopped), "HCN_E_MANAGER_STOPPED", "the network service is stopping",
              ErrorCode::Unavailable, Transient},
    Condition{of(HcsError::HcnIcsDisabled), "HCN_E_ICS_DISABLED",
              "Internet Connection Sharing, which the network needs, is disabled", ErrorCode::Unsupported,
              Fatal, "in an elevated prompt: sc.exe config SharedAccess start= demand"},
    Condition{of(HcsError::EndpointInNamespace), "HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS",
              "the endpoint is in a namespace", ErrorCode::Exists},
    Condition{of(HcsError::HcnHasReferences), "HCN_E_ENTITY_HAS_REFERENCES", "others still use it",
              ErrorCode::Unavailable, Transient},
    Condition{of(HcsError::EndpointNotAttached), "HCN_E_ENDPOINT_NOT_ATTACHED",
              "the endpoint is not attached", ErrorCode::NotFound, AlreadyGone},

    Condition{0x80004001, "E_NOTIMPL", "not implemented", ErrorCode::Unsupported},
    Condition{0x8000FFFF, "E_UNEXPECTED", "an unexpected failure", ErrorCode::Io},
    Condition{0x80070002, "ERROR_FILE_NOT_FOUND", "there is no such file", ErrorCode::NotFound},
    Condition{0x80070003, "ERROR_PATH_NOT_FOUND", "there is no such path", ErrorCode::NotFound},
    Condition{0x80070005, "ERROR_ACCESS_DENIED", "access is denied", ErrorCode::Denied, Fatal,
              kBeAdministrator},
    Condition{0x80070006, "ERROR_INVALID_HANDLE", "the handle is closed", ErrorCode::Internal},
    Condition{0x80070008, "ERROR_NOT_ENOUGH_MEMORY", "no memory", ErrorCode::Exhausted},
    Condition{0x8007000D, "ERROR_INVALID_DATA", "the document is invalid", ErrorCode::Unsupported},
    Condition{0x8007000E, "ERROR_OUTOFMEMORY", "no memory", ErrorCode::Exhausted},
    Condition{0x80070015, "ERROR_NOT_READY", "the device is not ready", ErrorCode::Unavailable, Transient},
    Condition{0x80070020, "ERROR_SHARING_VIOLATION", "another process uses the file", ErrorCode::Unavailable,
              Transient},
    Condition{0x80070032, "ERROR_NOT_SUPPORTED", "not supported", ErrorCode::Unsupported},
    Condition{0x80070050, "ERROR_FILE_EXISTS", "it exists already", ErrorCode::Exists},
    Condition{0x80070057, "ERROR_INVALID_PARAMETER", "an argument is not valid", ErrorCode::Invalid},
    Condition{0x8007006D, "ERROR_BROKEN_PIPE", "the pipe has ended", ErrorCode::Io},
    Condition{0x80070070, "ERROR_DISK_FULL", "the disk is full", ErrorCode::Exhausted},
    Condition{0x80070079, "ERROR_SEM_TIMEOUT", "it did not end in time", ErrorCode::TimedOut},
    Condition{0x8007007E, "ERROR_MOD_NOT_FOUND", "a library is missing", ErrorCode::Unsupported},
    Condition{0x8007007F, "ERROR_PROC_NOT_FOUND", "a function is missing", ErrorCode::Unsupported, Fatal,
              kOldWindows},
    Condition{0x800700B7, "ERROR_ALREADY_EXISTS", "it exists already", ErrorCode::Exists},
    Condition{0x8007048F, "ERROR_DEVICE_NOT_CONNECTED", "the device is not connected", ErrorCode::Unavailable,
              Transient},
    Condition{0x80070490, "ERROR_NOT_FOUND", "it is not there", ErrorCode::NotFound, AlreadyGone},
    Condition{0x80070522, "ERROR_PRIVILEGE_NOT_HELD", "a privilege is missing", ErrorCode::Denied, Fatal,
              kBeAdministrator},
    Condition{0x800705B4, "ERROR_TIMEOUT", "it did not end in time", ErrorCode::TimedOut},
};

const Condition* find(std::uint32_t value) {
    auto same = [&](const Condition& condition) { return ((condition.value ^ value) & kSharedBits) == 0; };
    auto found = std::find_if(kConditions.begin(), kConditions.end(), same);
    return found == kConditions.end() ? nullptr : &*found;
}

class HresultCategory final : public std::error_category {
  public:
    const char* name() const noexcept override { return "HRESULT"; }
    std::string message(int value) const override {
        return Hresult(static_cast<std::uint32_t>(value)).describe();
    }
};

const HresultCategory& category() {
    static const HresultCategory instance;
    return instance;
}

// The messages of a result document. Hosts write documents that are not quite JSON: those are shown as they
// are.
std::string detail_of(std::string_view document) {
    std::string text;
    if (document.empty()) return text;
    auto append = [&](const std::string& message) {
        if (message.empty() || text.find(message) != std::string::npos) return;
        if (!text.empty()) text += "; ";
        text += message;
    };
    try {
        ResultError parsed = parse_result_error(document);
        append(parsed.ErrorMessage);
        for (const ErrorEvent& event : parsed.ErrorEvents) append(event.Message);
    } catch (const base::Error&) {
        text = document;
    }
    if (text.size() > kMostDetail) text = text.substr(0, kMostDetail) + "...";
    return text;
}

}  // namespace

std::string describe(HcsError error) {
    return Hresult(of(error)).describe();
}

bool Hresult::is(HcsError error) const {
    return ((value_ ^ of(error)) & kSharedBits) == 0;
}

std::optional<std::uint32_t> Hresult::win32() const {
    if ((value_ & kFacilityBits) != kWin32Facility) return std::nullopt;
    return value_ & 0xffff;
}

HcsHandling Hresult::handling() const {
    const Condition* condition = find(value_);
    return condition != nullptr ? condition->handling : Fatal;
}

base::ErrorCode Hresult::code() const {
    const Condition* condition = find(value_);
    return condition != nullptr ? condition->code : ErrorCode::Io;
}

std::string Hresult::describe() const {
    const Condition* condition = find(value_);
    if (condition == nullptr) return fmt::format("HRESULT 0x{:08X}", value_);
    return fmt::format("{}: {} (0x{:08X})", condition->name, condition->meaning, value_);
}

std::string Hresult::hint() const {
    const Condition* condition = find(value_);
    return condition != nullptr ? condition->hint : "";
}

base::Error hcs_failure(Hresult result, std::string_view what, std::string_view document,
                        std::source_location where) {
    std::string text = fmt::format("{}: {}", what, result.describe());
    if (std::string detail = detail_of(document); !detail.empty()) text += ": " + detail;
    base::Error error(result.code(), std::move(text), where);
    error.system({static_cast<int>(result.value()), category()});
    if (std::string hint = result.hint(); !hint.empty()) error.hint(std::move(hint));
    return error;
}

std::optional<Hresult> hresult_of(const base::Error& error) {
    if (error.system().category() != category()) return std::nullopt;
    return Hresult(static_cast<std::uint32_t>(error.system().value()));
}

}  // namespace mullion::hcs
