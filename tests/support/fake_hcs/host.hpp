// The host that the test doubles of HCS' libraries (computecore.dll and so on) pretend to be.
//
// What a test sets and sees lies in the directory that the variable MULLION_FAKE_HCS names:
//   log       a line for each call: name, object, document
//   faults    a line for each failure to come, once each: "CALL VALUE". VALUE is an HRESULT in hexadecimal or
//             "hang" (never ends by itself) or "pass" (does not fail this time). CALL is a function's name
//             (the call is refused), with ".result" behind it (it was accepted, its operation fails), or what
//             the doubles document elsewhere
//   build     Windows build number; 20348 if absent
//   family    "legacy": conditions of HCS have the numbers of vmcompute.dll (0xC037xxxx)
//   statistics  what every system has used, in one line; nothing if absent
//   volumes/, namespaces/   what one library made and another uses
//
// For handles that were not closed each double exports FakeOpenHandles(). When the program ends, each writes
// "left COUNT" to the log: handles, and objects that nobody removed.
#pragma once

#include <windows.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace mullion::fake {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// HCS_E_*, in computecore's numbers, and what else the doubles answer.
namespace code {
constexpr HRESULT of(unsigned long value) {
    return static_cast<HRESULT>(value);
}
constexpr HRESULT kImageMismatch = of(0x80370101);
constexpr HRESULT kInvalidState = of(0x80370105);
constexpr HRESULT kUnexpectedExit = of(0x80370106);
constexpr HRESULT kInvalidJson = of(0x8037010D);
constexpr HRESULT kSystemNotFound = of(0x8037010E);
constexpr HRESULT kSystemAlreadyExists = of(0x8037010F);
constexpr HRESULT kSystemAlreadyStopped = of(0x80370110);
constexpr HRESULT kInvalidLayer = of(0x80370112);
constexpr HRESULT kOperationNotStarted = of(0x80370115);
constexpr HRESULT kOperationAlreadyStarted = of(0x80370116);
constexpr HRESULT kOperationPending = of(0x80370117);
constexpr HRESULT kOperationTimeout = of(0x80370118);
constexpr HRESULT kProcessAlreadyStopped = of(0x8037011F);
constexpr HRESULT kNotFound = of(0x80070490);
}  // namespace code

fs::path directory();
std::string narrow(const wchar_t* text);
std::wstring wide(std::string_view text);
// Memory that LocalFree and CoTaskMemFree both free.
PWSTR give(std::string_view text);

void log(std::string_view call, std::string_view object, std::string_view document = {});

struct Fault {
    HRESULT result = S_OK;
    bool hang = false;
};
// Takes the next fault of that call, if there is one.
std::optional<Fault> fault(std::string_view call);

std::uint32_t host_build();
// The value in the family the test chose.
HRESULT in_family(HRESULT result);

// A failure with the document that describes it.
struct Refusal {
    HRESULT result;
    std::string message;
    std::string document() const;  // a ResultError
};

// Parses a document and compares it with `shape`, an example that has every member once: of objects all
// members may be absent and none may be unknown; an object with the one member "*" is a map. Throws Refusal
// (InvalidJson) naming the member's path.
Json parse_strictly(const wchar_t* document, const Json& shape);

// Each double's own: called when it is loaded, and what it still has when the program ends.
void loaded();
std::size_t left_over();

}  // namespace mullion::fake
