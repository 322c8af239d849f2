// The utility VM of one container under Hyper-V isolation (hcs.md §2.2).
//
//     NativeVm vm(core, options, "run-9-vm", document, scratch, network, cancel);     // boots it
//     ... a NativeSystem of vm.container_document() is created, runs and ends ...
//     vm.shut_down(cancel);                                                           // the scratch is free
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "hcs/hyperv_schema.hpp"
#include "hcs/native_network.hpp"
#include "hcs/native_system.hpp"
#include "hcs/schema.hpp"

namespace mullion::hcs {

class NativeVm {
  public:
    // Runs, with everything in it that `container` is made of, when constructed. `scratch` is the folder of a
    // scratch that is not attached; the VM's own files lie in its subfolder "vm". `network` may be null.
    NativeVm(std::shared_ptr<const ComputeCore> core, const NativeOptions& options, const std::string& id,
             const ComputeSystemDocument& container, const std::filesystem::path& scratch,
             const ContainerNetwork* network, const base::CancelToken& cancel);
    // Ends it at once; what is not on the scratch's disk yet is lost.
    ~NativeVm();

    // Where the guest has the container's C:, for Storage.Path.
    static std::string container_root();
    // Of the container as its guest sees it, for HcsCreateComputeSystem.
    std::string container_document() const;
    // `system` ends when the VM does.
    void carry(std::weak_ptr<Watch> system) { machine_->carry(std::move(system)); }
    // After the container's end: the guest writes the scratch's disk and lets go of it, then the VM goes.
    void shut_down(const base::CancelToken& cancel);

  private:
    // Removed with everything in it.
    struct Folder {
        explicit Folder(std::filesystem::path path);
        ~Folder();
        std::filesystem::path path;
    };

    void boot(const std::filesystem::path& system, const base::CancelToken& cancel);
    void share_layers(const base::CancelToken& cancel);
    void share_directories(const base::CancelToken& cancel);
    std::string add(Share share, const base::CancelToken& cancel);
    void attach_scratch(const base::CancelToken& cancel);
    void connect(const ContainerNetwork& network, const base::CancelToken& cancel);

    std::shared_ptr<const ComputeCore> core_;
    NativeOptions options_;
    std::string id_;
    ComputeSystemDocument container_;  // with the guest's paths
    std::filesystem::path scratch_;
    std::size_t shares_ = 0;
    std::unique_ptr<Folder> folder_;
    std::unique_ptr<NativeSystem> machine_;
};

}  // namespace mullion::hcs
