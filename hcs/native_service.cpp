// ComputeService on computecore.dll.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "base/error.hpp"
#include "base/synced.hpp"
#include "hcs/native.hpp"
#include "hcs/native_network.hpp"
#include "hcs/native_system.hpp"
#include "hcs/native_vm.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;

// Windows cuts a stop off after five seconds otherwise, and what services had to write is lost.
void let_services_end(Container& container) {
    RegistryValue value;
    value.Key = {"System", "ControlSet001\\Control"};
    value.Name = "WaitToKillServiceTimeout";
    value.Type = "String";
    value.StringValue = "2147483647";
    if (!container.RegistryChanges) container.RegistryChanges.emplace();
    container.RegistryChanges->AddValues.push_back(std::move(value));
}

// As HCS gets it.
ComputeSystemDocument adapted(const ComputeSystemDocument& document) {
    validate(document);
    if (!document.ShouldTerminateOnLastHandleClosed) {
        throw base::fail(ErrorCode::Unsupported,
                         "$.ShouldTerminateOnLastHandleClosed: must be true: nothing of ours outlives us");
    }
    ComputeSystemDocument result = document;
    let_services_end(result.Container);
    return result;
}

class NativeComputeService final : public ComputeService {
  public:
    explicit NativeComputeService(const NativeOptions& options)
        : core_(ComputeCore::load()), options_(options) {}

    std::unique_ptr<ComputeSystem> create(const std::string& id, const ComputeSystemDocument& document,
                                          const base::CancelToken& cancel) override {
        cancel.check();
        auto network = take_network(document.Container);  // goes with whatever fails from here on
        return std::make_unique<NativeSystem>(core_, options_, id, to_json(adapted(document)),
                                              std::move(network), cancel, nullptr);
    }

    std::unique_ptr<ComputeSystem> create_hyperv(const std::string& id, const ComputeSystemDocument& document,
                                                 const std::filesystem::path& scratch,
                                                 const base::CancelToken& cancel) override {
        cancel.check();
        auto network = take_network(document.Container);
        if (!document.Container.Storage.Path.empty()) {
            throw base::fail(ErrorCode::Invalid,
                             "$.Container.Storage.Path: the guest mounts the scratch itself");
        }
        ComputeSystemDocument inside = document;
        inside.Container.Storage.Path = NativeVm::container_root();
        auto vm = std::make_unique<NativeVm>(core_, options_, id + "-vm", adapted(inside), scratch,
                                             network.get(), cancel);
        std::string hosted = vm->container_document();
        return std::make_unique<NativeSystem>(core_, options_, id, hosted, std::move(network), cancel,
                                              std::move(vm));
    }

    void check_network(const NetworkSpec& spec) const override {
        if (spec.mode == NetworkMode::Host) {
            throw base::fail(ErrorCode::Unsupported, "a Windows container cannot share the host's network");
        }
        check_mtu(spec.mtu);
    }

    std::optional<Networking> networking(const NetworkSpec& spec) override {
        if (spec.mode == NetworkMode::None) return std::nullopt;
        check_network(spec);
        auto network = std::make_unique<ContainerNetwork>(networks(), spec);
        Networking networking{network->namespace_id(), true,
                              fmt::format("{}", fmt::join(spec.dns.search, ","))};
        waiting_.with([&](auto& map) { map.emplace(networking.Namespace, std::move(network)); });
        return networking;
    }

    MappedDirectory memory_directory(const std::string& container_path, std::uint64_t) override {
        throw base::fail(ErrorCode::Unsupported, "{}: Windows containers have no directories in memory",
                         container_path);
    }

  private:
    std::shared_ptr<NativeNetworks> networks() {
        return networks_.with([](std::shared_ptr<NativeNetworks>& networks) {
            if (networks) return networks;
            networks = std::make_shared<NativeNetworks>();
            networks->sweep();
            return networks;
        });
    }

    std::unique_ptr<ContainerNetwork> take_network(const Container& container) {
        if (!container.Networking) return nullptr;
        return waiting_.with([&](auto& map) {
            auto found = map.find(container.Networking->Namespace);
            if (found == map.end()) return std::unique_ptr<ContainerNetwork>();
            auto network = std::move(found->second);
            map.erase(found);
            return network;
        });
    }

    std::shared_ptr<const ComputeCore> core_;
    NativeOptions options_;
    base::Synced<std::shared_ptr<NativeNetworks>> networks_;
    // Made by networking(), until the system comes that they are for.
    base::Synced<std::map<std::string, std::unique_ptr<ContainerNetwork>>> waiting_;
};

}  // namespace

std::unique_ptr<ComputeService> make_native_compute_service(const NativeOptions& options) {
    return std::make_unique<NativeComputeService>(options);
}

// Windows itself says what is missing.
std::optional<std::string> hint_for_command(std::string_view, std::uint32_t, std::string_view) {
    return std::nullopt;
}

}  // namespace mullion::hcs
