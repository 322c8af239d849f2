// The double of computestorage.dll: set-up of base layers (hcs.md §3.3). Every call has a fault of its name.
#include <windows.h>
// Before the declarations that need it:
#include <computestorage.h>

#include "tests/support/fake_hcs/disk.hpp"
#include "tests/support/fake_hcs/host.hpp"

namespace mullion::fake {
namespace {

constexpr std::uint32_t kServer2019 = 17763;
constexpr HRESULT kFileExists = code::of(0x80070050);
constexpr HRESULT kSharingViolation = code::of(0x80070020);

template <typename Body>
HRESULT answer(const char* call, const std::string& object, const std::string& document, Body body) {
    log(call, object, document);
    try {
        if (auto failure = fault(call)) throw Refusal{failure->result, "injected"};
        body();
        return S_OK;
    } catch (const Refusal& refusal) {
        return in_family(refusal.result);
    }
}

void format(HANDLE disk) {
    // Windows Server 2019 wants CreateFile's handle, later ones virtdisk.dll's.
    if (is_disk(disk) != (host_build() > kServer2019)) throw Refusal{E_INVALIDARG, "another kind of handle"};
    constexpr std::string_view kText = "formatted\n";
    DWORD written = 0;
    ::SetFilePointer(disk, 0, nullptr, FILE_END);
    if (!::WriteFile(disk, kText.data(), kText.size(), &written, nullptr)) throw Refusal{E_HANDLE, "no disk"};
}

// It opens the disk itself: whoever else has it is in its way.
void check_disk(const fs::path& path) {
    HANDLE disk = ::CreateFileW(path.c_str(), GENERIC_READ, 0, nullptr, OPEN_EXISTING, 0, nullptr);
    if (disk == INVALID_HANDLE_VALUE) throw Refusal{kSharingViolation, "in use"};
    ::CloseHandle(disk);
    if (!read_disk(path).formatted) throw Refusal{code::kInvalidLayer, "not formatted"};
}

void set_up(const fs::path& layer, HANDLE disk, const std::string& type) {
    if (!fs::is_directory(layer / "Files")) throw Refusal{code::kInvalidLayer, "no Files"};
    for (const char* name : {"Hives", "Layout"}) {
        if (fs::exists(layer / name)) throw Refusal{kFileExists, name};
    }
    if (type != "Container" || disk != nullptr) throw Refusal{E_INVALIDARG, "no layer of a container"};
    check_disk(layer / "blank-base.vhdx");
    fs::create_directory(layer / "Hives");
    std::ofstream(layer / "Layout") << "layout";
}

}  // namespace

void loaded() {}

std::size_t left_over() {
    return 0;
}

}  // namespace mullion::fake

using namespace mullion::fake;

extern "C" {

HRESULT WINAPI HcsFormatWritableLayerVhd(HANDLE disk) {
    return answer("HcsFormatWritableLayerVhd", is_disk(disk) ? "disk" : "file", {}, [&] { format(disk); });
}

HRESULT WINAPI HcsSetupBaseOSLayer(PCWSTR layer, HANDLE disk, PCWSTR options) {
    fs::path path(layer);
    return answer("HcsSetupBaseOSLayer", path.filename().string(), narrow(options), [&] {
        set_up(path, disk, parse_strictly(options, {{"Type", ""}}).value("Type", ""));
    });
}

}  // extern "C"
