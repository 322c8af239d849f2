// What the results of the host compute, host network and layer calls mean (hcs.md §1.5, §6.1).
//
// HCS has two numbers for one condition: computecore.dll says 0x8037xxxx, vmcompute.dll 0xC037xxxx. All
// comparisons here look at what both share; text shows the number that came.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace mullion::hcs {

// Conditions our code or our errors name. The value is computecore's (HCS_E_*) or computenetwork's (HCN_E_*).
enum class HcsError : std::uint32_t {
    TerminatedDuringStart = 0x80370100,
    ImageMismatch = 0x80370101,
    HyperVNotInstalled = 0x80370102,
    InvalidState = 0x80370105,
    UnexpectedExit = 0x80370106,
    Terminated = 0x80370107,
    ConnectFailed = 0x80370108,
    ConnectionTimeout = 0x80370109,
    ConnectionClosed = 0x8037010A,
    UnknownMessage = 0x8037010B,
    UnsupportedProtocolVersion = 0x8037010C,
    InvalidJson = 0x8037010D,
    SystemNotFound = 0x8037010E,
    SystemAlreadyExists = 0x8037010F,
    SystemAlreadyStopped = 0x80370110,
    ProtocolError = 0x80370111,
    InvalidLayer = 0x80370112,
    WindowsInsiderRequired = 0x80370113,
    ServiceNotAvailable = 0x80370114,
    OperationNotStarted = 0x80370115,
    OperationAlreadyStarted = 0x80370116,
    OperationPending = 0x80370117,
    OperationTimeout = 0x80370118,
    OperationSystemCallbackAlreadySet = 0x80370119,
    OperationResultAllocationFailed = 0x8037011A,
    AccessDenied = 0x8037011B,
    GuestCriticalError = 0x8037011C,
    ProcessInfoNotAvailable = 0x8037011D,
    ServiceDisconnect = 0x8037011E,
    ProcessAlreadyStopped = 0x8037011F,
    NetworkNotFound = 0x803B0001,
    EndpointNotFound = 0x803B0002,
    NetworkAlreadyExists = 0x803B0010,
    PortAlreadyExists = 0x803B0013,
    EndpointAlreadyAttached = 0x803B0014,
    HcnUnsupported = 0x803B0015,
    HcnMappingNotSupported = 0x803B0016,
    HcnInvalidJson = 0x803B001B,
    HcnInvalidIp = 0x803B001E,
    HcnManagerStopped = 0x803B0020,
    HcnIcsDisabled = 0x803B002A,
    EndpointInNamespace = 0x803B002B,
    HcnHasReferences = 0x803B002C,
    EndpointNotAttached = 0x803B0034,
};

// "HCS_E_INVALID_STATE: not valid in its current state (0x80370105)".
std::string describe(HcsError error);

// What a caller does about a failure. The same condition may be an outcome for one call and the end for
// another: AlreadyGone is success for whoever wanted the thing to end.
enum class HcsHandling {
    Fatal,        // the same call will fail again
    Transient,    // may succeed if repeated shortly
    KeepWaiting,  // the request still runs
    AlreadyGone,  // what was to be ended or removed is not there (any more)
};

// A value of Windows' type HRESULT.
class Hresult {
  public:
    explicit constexpr Hresult(std::uint32_t value) : value_(value) {}
    static constexpr Hresult of_win32(std::uint32_t code) {
        return Hresult(code == 0 ? 0 : 0x80070000 | (code & 0xffff));
    }

    constexpr std::uint32_t value() const { return value_; }
    constexpr bool failed() const { return (value_ & 0x80000000) != 0; }
    bool is(HcsError error) const;
    bool is_win32(std::uint32_t code) const { return win32() == code; }
    // The Win32 code in it, if it holds one.
    std::optional<std::uint32_t> win32() const;

    HcsHandling handling() const;
    base::ErrorCode code() const;
    // "HCS_E_INVALID_STATE: not valid in its current state (0x80370105)", "ERROR_NOT_READY: the device is not
    // ready (0x80070015)", "HRESULT 0x8000FFFF".
    std::string describe() const;
    // What the user can do about it; "" if nothing is known.
    std::string hint() const;

  private:
    std::uint32_t value_;
};

// "WHAT: DESCRIPTION: MESSAGES OF THE RESULT DOCUMENT", with code, hint and, as system(), the value
// (hresult_of). `result` is the result document or error record, JSON or not, "" if there is none; at most
// 4 KiB of it are shown.
[[nodiscard]] base::Error hcs_failure(Hresult result, std::string_view what, std::string_view document = {},
                                      std::source_location where = std::source_location::current());

// The value that made the error; nullopt for errors of other kinds.
std::optional<Hresult> hresult_of(const base::Error& error);

}  // namespace mullion::hcs
