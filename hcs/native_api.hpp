// The functions of computecore.dll, computestorage.dll, computenetwork.dll, vmcompute.dll and virtdisk.dll
// that we call, loaded when they are needed: most of the libraries are not on a Windows without the feature
// Containers, and a program that imports them would not start there. Only for hcs/native_*.
//
//     std::shared_ptr<const ComputeCore> core = ComputeCore::load();
//     UniqueOperation operation(core->HcsCreateOperation(nullptr, nullptr), core->HcsCloseOperation);
//
// load() looks in the program's directory and in System32, nowhere else, and throws Unsupported with the
// feature to enable if the library or one of the functions is missing. A table keeps its library loaded.
#pragma once

#include <windows.h>
// Before the declarations that need it:
#include <computecore.h>
#include <computenetwork.h>
#include <computestorage.h>
#include <virtdisk.h>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/win32.hpp"
#include "hcs/hcs_error.hpp"

namespace mullion::hcs {

inline Hresult hresult(HRESULT value) {
    return Hresult(static_cast<std::uint32_t>(value));
}
inline Hresult last_error() {
    return Hresult::of_win32(::GetLastError());
}

// A string that one of the libraries allocated.
class ApiString {
  public:
    ApiString() = default;
    ~ApiString() { ::LocalFree(text_); }
    ApiString(const ApiString&) = delete;
    ApiString& operator=(const ApiString&) = delete;
    // Where the library puts it. What was there is freed.
    PWSTR* put() {
        ::LocalFree(std::exchange(text_, nullptr));
        return &text_;
    }
    std::string text() const { return text_ == nullptr ? std::string() : base::from_wide(text_); }

  private:
    PWSTR text_ = nullptr;
};

// Owners of handles. What closes a handle of the libraries is a member of their table.
template <typename Handle, typename Result = void>
using ApiHandle = std::unique_ptr<std::remove_pointer_t<Handle>, Result(WINAPI*)(Handle)>;
using UniqueOperation = ApiHandle<HCS_OPERATION>;
using UniqueSystem = ApiHandle<HCS_SYSTEM>;
using UniqueProcess = ApiHandle<HCS_PROCESS>;
using UniqueNetwork = ApiHandle<HCN_NETWORK, HRESULT>;
using UniqueEndpoint = ApiHandle<HCN_ENDPOINT, HRESULT>;
using UniqueNamespace = ApiHandle<HCN_NAMESPACE, HRESULT>;

class Library {
  public:
    explicit Library(const char* name);
    ~Library() { ::FreeLibrary(module_); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    template <typename Function>
    void find(Function& function, const char* name) const {
        function = reinterpret_cast<Function>(reinterpret_cast<void*>(address(name)));
    }

  private:
    FARPROC address(const char* name) const;

    std::string name_;
    HMODULE module_;
};

#define MULLION_COMPUTECORE(X)                 \
    X(HcsCreateOperation)                      \
    X(HcsCloseOperation)                       \
    X(HcsGetOperationResult)                   \
    X(HcsWaitForOperationResult)               \
    X(HcsWaitForOperationResultAndProcessInfo) \
    X(HcsCreateComputeSystem)                  \
    X(HcsOpenComputeSystem)                    \
    X(HcsCloseComputeSystem)                   \
    X(HcsStartComputeSystem)                   \
    X(HcsShutDownComputeSystem)                \
    X(HcsTerminateComputeSystem)               \
    X(HcsGetComputeSystemProperties)           \
    X(HcsModifyComputeSystem)                  \
    X(HcsGrantVmAccess)                        \
    X(HcsSetComputeSystemCallback)             \
    X(HcsCreateProcess)                        \
    X(HcsOpenProcess)                          \
    X(HcsCloseProcess)                         \
    X(HcsTerminateProcess)                     \
    X(HcsSignalProcess)                        \
    X(HcsModifyProcess)                        \
    X(HcsGetProcessInfo)                       \
    X(HcsGetProcessProperties)                 \
    X(HcsSetProcessCallback)

#define MULLION_COMPUTENETWORK(X) \
    X(HcnEnumerateNetworks)       \
    X(HcnCreateNetwork)           \
    X(HcnOpenNetwork)             \
    X(HcnQueryNetworkProperties)  \
    X(HcnCloseNetwork)            \
    X(HcnEnumerateEndpoints)      \
    X(HcnCreateEndpoint)          \
    X(HcnOpenEndpoint)            \
    X(HcnQueryEndpointProperties) \
    X(HcnDeleteEndpoint)          \
    X(HcnCloseEndpoint)           \
    X(HcnCreateNamespace)         \
    X(HcnOpenNamespace)           \
    X(HcnModifyNamespace)         \
    X(HcnDeleteNamespace)         \
    X(HcnCloseNamespace)

#define MULLION_COMPUTESTORAGE(X) \
    X(HcsFormatWritableLayerVhd)  \
    X(HcsSetupBaseOSLayer)

#define MULLION_VIRTDISK(X) \
    X(CreateVirtualDisk)    \
    X(OpenVirtualDisk)      \
    X(GetVirtualDiskInformation)

// Members are named as the functions, because that is what they are.
#define MULLION_MEMBER(function) decltype(&::function) function = nullptr;

struct ComputeCore {
    static std::shared_ptr<const ComputeCore> load();
    Library library{"computecore.dll"};
    MULLION_COMPUTECORE(MULLION_MEMBER)
};

struct ComputeNetwork {
    static std::shared_ptr<const ComputeNetwork> load();
    Library library{"computenetwork.dll"};
    MULLION_COMPUTENETWORK(MULLION_MEMBER)
};

struct ComputeStorage {
    static std::shared_ptr<const ComputeStorage> load();
    Library library{"computestorage.dll"};
    MULLION_COMPUTESTORAGE(MULLION_MEMBER)
};

struct VirtDisk {
    static std::shared_ptr<const VirtDisk> load();
    Library library{"virtdisk.dll"};
    MULLION_VIRTDISK(MULLION_MEMBER)
};

#undef MULLION_MEMBER

// vmcompute.dll has no header (hcs.md §1.8); a layer's id is its full path.
struct LayerDriver {
    int flavour = 1;  // filter
    PCWSTR home = L"";
};
struct LayerDescriptor {
    GUID id;
    ULONG flags;
    PCWSTR path;
};

struct VmCompute {
    static std::shared_ptr<const VmCompute> load();
    Library library{"vmcompute.dll"};
    HRESULT(WINAPI* NameToGuid)(PCWSTR name, GUID* id) = nullptr;
    HRESULT(WINAPI* CreateSandboxLayer)
    (const LayerDriver*, PCWSTR id, void* none, const LayerDescriptor* parents, int count) = nullptr;
    HRESULT(WINAPI* ExpandSandboxSize)(const LayerDriver*, PCWSTR id, UINT64 bytes) = nullptr;
    HRESULT(WINAPI* ActivateLayer)(const LayerDriver*, PCWSTR id) = nullptr;
    HRESULT(WINAPI* DeactivateLayer)(const LayerDriver*, PCWSTR id) = nullptr;
    HRESULT(WINAPI* PrepareLayer)
    (const LayerDriver*, PCWSTR id, const LayerDescriptor* parents, int count) = nullptr;
    HRESULT(WINAPI* UnprepareLayer)(const LayerDriver*, PCWSTR id) = nullptr;
    HRESULT(WINAPI* GetLayerMountPath)(const LayerDriver*, PCWSTR id, SIZE_T* length, PWSTR path) = nullptr;
    HRESULT(WINAPI* ImportLayer)
    (const LayerDriver*, PCWSTR id, PCWSTR folder, const LayerDescriptor* parents, int count) = nullptr;
    HRESULT(WINAPI* ExportLayer)
    (const LayerDriver*, PCWSTR id, PCWSTR folder, const LayerDescriptor* parents, int count) = nullptr;
    HRESULT(WINAPI* DestroyLayer)(const LayerDriver*, PCWSTR id) = nullptr;
    HRESULT(WINAPI* ProcessBaseImage)(PCWSTR folder) = nullptr;
    HRESULT(WINAPI* ProcessUtilityImage)(PCWSTR folder) = nullptr;
};

std::string to_text(const GUID& id);
GUID to_guid(std::string_view text);  // throws Invalid

}  // namespace mullion::hcs
