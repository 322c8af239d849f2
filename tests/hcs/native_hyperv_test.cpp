// Hyper-V isolation: the native code on the doubles of the host's libraries.
#include <gmock/gmock.h>

#include <chrono>
#include <fstream>

#include "base/error.hpp"
#include "base/json.hpp"
#include "hcs/hyperv_schema.hpp"
#include "hcs/native.hpp"
#include "hcs/native_operation.hpp"
#include "hcs/native_system.hpp"
#include "hcs/native_vm.hpp"
#include "tests/hcs/fake_host.hpp"
#include "tests/support/errors.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

std::string plain(std::string text) {
    std::erase(text, '\r');
    return text;
}

// One layer with a utility VM, and a scratch that nobody has attached.
class HyperVHost : public FakeHost {
  protected:
    HyperVHost() {
        fs::create_directories(layer() / "UtilityVM/Files");
        fs::create_directories(layer() / "Files/sub");
        write(layer() / "UtilityVM/SystemTemplate.vhdx");
        write(scratch() / "sandbox.vhdx");
        service_ = hcs::make_native_compute_service({.shut_down_limit = 500ms});
    }
    ~HyperVHost() override { EXPECT_FALSE(fs::exists(scratch() / "vm")); }

    static void write(const fs::path& path) { std::ofstream(path, std::ios::binary) << "disk"; }
    hcs::ComputeSystemDocument inside() {
        hcs::ComputeSystemDocument result = document();
        result.Container.Storage.Path.clear();
        return result;
    }
    std::unique_ptr<hcs::ComputeSystem> create(const hcs::ComputeSystemDocument& document) {
        return service_->create_hyperv("one", document, scratch(), {});
    }
    std::unique_ptr<hcs::Process> start(hcs::ComputeSystem& system, std::string_view arguments) {
        hcs::ProcessParameters parameters = child(arguments);
        parameters.WorkingDirectory = "C:\\sub";
        return system.create_process(parameters, {nullptr, &out_, &err_}, {});
    }
    // Each call with its object; modifications with what they add or remove.
    std::vector<std::string> steps() const {
        std::vector<std::string> steps;
        std::istringstream lines(log());
        for (std::string line; std::getline(lines, line);) {
            std::size_t document = line.find(" {");
            std::string step = line.substr(0, document);
            if (step.rfind("HcsModify", 0) == 0) {
                base::Json json = base::Json::parse(line.substr(document + 1));
                const base::Json& part = json.contains("ResourcePath") ? json : json["GuestRequest"];
                step = part["RequestType"].get<std::string>() + " " +
                       part.value("ResourcePath", part.value("ResourceType", ""));
            }
            steps.push_back(step);
        }
        return steps;
    }

    base::StringSink out_, err_;
    std::unique_ptr<hcs::ComputeService> service_;
};

using NativeHyperV = HyperVHost;

TEST_F(NativeHyperV, AProcessRunsInAVmOfItsOwn) {
    set("layer/build", "17763");  // the host's is another
    auto system = create(inside());
    EXPECT_TRUE(fs::exists(scratch() / "vm/sandbox.vhdx"));
    system->start({});
    auto process = start(*system, "directory");
    EXPECT_EQ(process->wait(std::nullopt, {}).ExitCode, 0u);
    EXPECT_THAT(plain(out_.data()), EndsWith("\\scratch\\C\\sub\n"));
    process.reset();
    EXPECT_EQ(system->shut_down({}).ExitType, "GracefulExit");
    EXPECT_FALSE(fs::exists(scratch() / "vm"));
    system.reset();
    constexpr const char* kDisk =
        "VirtualMachine/Devices/Scsi/df6d0690-79e5-55b6-a5ec-c1e2f77f580a/Attachments/1";
    std::vector<std::string> order = steps();
    std::erase_if(order, [](const std::string& step) { return step.starts_with("HcsGetProcess"); });
    EXPECT_THAT(order,
                ElementsAre("HcsGrantVmAccess one-vm sandbox.vhdx", "HcsCreateComputeSystem one-vm",
                            "HcsStartComputeSystem one-vm", "Add VirtualMachine/Devices/VirtualSmb/Shares",
                            "HcsGrantVmAccess one-vm sandbox.vhdx", std::string("Add ") + kDisk,
                            "Add CombinedLayers", "HcsCreateComputeSystem one", "HcsStartComputeSystem one",
                            "HcsCreateProcess one", "HcsShutDownComputeSystem one", "Remove CombinedLayers",
                            std::string("Remove ") + kDisk, "HcsTerminateComputeSystem one-vm",
                            "HcsCloseComputeSystem one-vm", "HcsCloseComputeSystem one"));
}

TEST_F(NativeHyperV, TheContainersDocumentHasTheGuestsPaths) {
    hcs::ComputeSystemDocument document = inside();
    document.Container.Memory = hcs::Memory{2048};
    fs::create_directories(directory() / "cache");
    write(directory() / "hosts");
    document.Container.MappedDirectories = {{(directory() / "cache").string(), "C:\\cache", false},
                                            {(directory() / "hosts").string(), "C:\\hosts", true}};
    auto system = create(document);
    std::string share = "\\\\\\\\?\\\\VMSMB\\\\VSMB-{dcc079ae-60ba-4d07-847c-3493609c0870}\\\\";
    EXPECT_THAT(log(), AllOf(HasSubstr("\"SizeInMB\":3072"),
                             HasSubstr("HcsCreateComputeSystem one {\"Owner\":\"test\""),
                             HasSubstr("\"HostingSystemId\":\"one-vm\""),
                             HasSubstr("\"Path\":\"c:\\\\mounts\\\\scsi\\\\m1\""),
                             HasSubstr("{\"HostPath\":\"" + share +
                                       "s2\",\"ContainerPath\":\"C:\\\\cache\",\"ReadOnly\":false}"),
                             HasSubstr("{\"HostPath\":\"" + share +
                                       "s3\\\\hosts\",\"ContainerPath\":\"C:\\\\hosts\",\"ReadOnly\":true}"),
                             HasSubstr("\"AllowedFiles\":[\"hosts\"]")));
}

TEST_F(NativeHyperV, TheGuestIsConnectedBeforeItsContainerIsMade) {
    hcs::ComputeSystemDocument document = inside();
    document.Container.Networking = service_->networking({.mode = hcs::NetworkMode::Nat});
    auto system = create(document);
    system->start({});
    std::vector<std::string> order;
    for (const std::string& step : steps()) {
        if (step.starts_with("Add VirtualMachine/Devices/NetworkAdapters/")) {
            order.push_back("adapter");
        } else if (step.starts_with("Add Network") || step.starts_with("HcsCreate")) {
            order.push_back(step);
        }
    }
    EXPECT_THAT(order, ElementsAre("HcsCreateComputeSystem one-vm", "Add NetworkNamespace", "Add Network",
                                   "adapter", "HcsCreateComputeSystem one"));
    EXPECT_THAT(log(), HasSubstr("\"MacAddress\":\"00-15-5D-0A-00-01\"},\"GuestRequest\""));
    system->shut_down({});
}

TEST_F(NativeHyperV, WhatOnlyTheGuestHasWrittenIsExported) {
    auto storage = hcs::make_native_layer_storage({directory() / "state"});
    fs::path container = directory() / "container";
    storage->create_scratch(container, {.parents = {layer()}, .os_version = "", .users = {}});
    auto system = service_->create_hyperv("one", inside(), container, {});
    system->start({});
    EXPECT_EQ(start(*system, "write new.txt")->wait(std::nullopt, {}).ExitCode, 0u);
    system->shut_down({});
    hcs::LayerChanges changes = storage->export_layer(container, {});
    EXPECT_TRUE(std::any_of(changes.files.begin(), changes.files.end(),
                            [](const hcs::RawChange& change) { return change.path == "sub/new.txt"; }));
    storage->destroy(container);
    EXPECT_FALSE(fs::exists(container));
}

TEST_F(NativeHyperV, AVmThatDiesTakesItsContainerWithIt) {
    auto system = create(inside());
    system->start({});
    fault("ProcessExited");
    auto process = start(*system, "sleep");
    exit_unexpectedly("one-vm");
    EXPECT_EQ(error_of([&] { process->wait(Clock::now() + 30s, {}); }).code(), ErrorCode::Process);
    EXPECT_EQ(system->state(), hcs::SystemState::Stopped);
    EXPECT_EQ(error_of([&] { system->shut_down({}); }).code(), ErrorCode::Invalid);
}

TEST_F(NativeHyperV, TerminationEndsBoth) {
    auto system = create(inside());
    system->start({});
    auto process = start(*system, "sleep");
    system->terminate();
    process.reset();
    system.reset();
    EXPECT_THAT(log(), AllOf(HasSubstr("HcsTerminateComputeSystem one\n"),
                             HasSubstr("HcsTerminateComputeSystem one-vm\n")));
}

TEST_F(NativeHyperV, WhatAVmCannotHaveIsRefused) {
    EXPECT_EQ(error_of([&] { create(document()); }).code(), ErrorCode::Invalid);
    hcs::ComputeSystemDocument piped = inside();
    piped.Container.MappedPipes = {{"\\\\.\\pipe\\x", "x"}};
    EXPECT_EQ(error_of([&] { create(piped); }).code(), ErrorCode::Unsupported);
    fs::remove_all(layer() / "UtilityVM");
    base::Error error = error_of([&] { create(inside()); });
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_THAT(error.hint(), HasSubstr("--isolation=process"));
    EXPECT_EQ(log(), "");
}

// The double enforces the order that the real service needs.
TEST_F(NativeHyperV, DisorderIsFoundOut) {
    auto core = hcs::ComputeCore::load();
    hcs::UtilityVm vm{"test", (layer() / "UtilityVM/Files").string(), (scratch() / "sandbox.vhdx").string()};
    auto make = [&] {
        return std::make_unique<hcs::NativeSystem>(core, hcs::NativeOptions{}, "vm",
                                                   hcs::utility_vm_document(vm), nullptr, base::CancelToken{},
                                                   nullptr);
    };
    EXPECT_EQ(error_of([&] { make()->start({}); }).code(), ErrorCode::Denied);  // to its disk
    core->HcsGrantVmAccess(L"vm", (scratch() / "sandbox.vhdx").c_str());
    auto machine = make();
    auto code_of = [&](const std::string& request) {
        return error_of([&] { machine->modify(request, {}); }).code();
    };
    EXPECT_EQ(code_of(hcs::add_share_request({"s1", layer().string()})), ErrorCode::Invalid);  // not started
    machine->start({});
    std::string root = hcs::disk_in_guest(1);
    std::vector<hcs::Layer> layers = {{"id", hcs::share_in_guest("s1")}};
    write(directory() / "other.vhdx");
    std::string disk = (directory() / "other.vhdx").string();
    EXPECT_EQ(code_of(hcs::attach_disk_request(1, disk)), ErrorCode::Denied);
    core->HcsGrantVmAccess(L"vm", (directory() / "other.vhdx").c_str());
    EXPECT_EQ(code_of(hcs::combine_layers_request(root, layers)), ErrorCode::NotFound);  // no disk
    machine->modify(hcs::attach_disk_request(1, disk), {});
    EXPECT_EQ(code_of(hcs::attach_disk_request(1, disk)), ErrorCode::Exists);
    EXPECT_EQ(code_of(hcs::combine_layers_request(root, layers)), ErrorCode::NotFound);  // no share
    machine->modify(hcs::add_share_request({"s1", layer().string()}), {});
    EXPECT_EQ(code_of(hcs::add_share_request({"s1", layer().string()})), ErrorCode::Exists);
    hcs::ComputeSystemDocument container = document();
    container.Container.Storage = {layers, root, {}};
    auto host = [&] {
        hcs::NativeSystem(core, {}, "one", hcs::hosted_container_document("vm", container), nullptr, {},
                          nullptr);
    };
    EXPECT_EQ(error_of(host).code(), ErrorCode::NotFound);  // nothing is combined
    machine->modify(hcs::combine_layers_request(root, layers), {});
    EXPECT_EQ(code_of(hcs::detach_disk_request(1)), ErrorCode::Unavailable);
    host();
    EXPECT_EQ(code_of(R"({"RequestType":"Add","ResourcePath":"VirtualMachine/Devices/Gpu"})"),
              ErrorCode::Unsupported);
    machine.reset();
    EXPECT_EQ(error_of(host).code(), ErrorCode::NotFound);
}

// Every call of a step in a VM fails, at each of the times it is made.
class NativeHyperVFault : public HyperVHost, public testing::WithParamInterface<const char*> {
  protected:
    void run() {
        hcs::ComputeSystemDocument document = inside();
        document.Container.Networking = service_->networking({.mode = hcs::NetworkMode::Nat});
        auto system = create(document);
        system->start({});
        auto process = start(*system, "print hello");
        EXPECT_EQ(process->wait(Clock::now() + 60s, {}).ExitCode, 0u);
        process.reset();
        system->shut_down({});
    }
    bool was_met() const {
        return !fs::exists(directory() / "faults") || fs::is_empty(directory() / "faults");
    }
};

TEST_P(NativeHyperVFault, EndsInSuccessOrInThatFailureAndLeavesNothing) {
    int met = 0;
    for (bool more = true; more; met += more) {
        set("faults", "");
        for (int i = 0; i < met; ++i) fault(GetParam(), "pass");
        fault(GetParam(), "80070070");
        try {
            run();
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Exhausted) << error.what();
        }
        more = was_met();
        set("faults", "");
        EXPECT_FALSE(fs::exists(scratch() / "vm"));
        EXPECT_EQ(network_objects("namespaces"), 0u);
    }
    EXPECT_GT(met, 0);
    run();
}

INSTANTIATE_TEST_SUITE_P(EveryCall, NativeHyperVFault,
                         testing::Values("HcsGrantVmAccess", "HcsCreateComputeSystem",
                                         "HcsCreateComputeSystem.result", "HcsSetComputeSystemCallback",
                                         "HcsStartComputeSystem", "HcsStartComputeSystem.result",
                                         "HcsModifyComputeSystem", "HcsModifyComputeSystem.result",
                                         "HcsCreateProcess", "HcsCreateProcess.result",
                                         "HcsShutDownComputeSystem", "HcsShutDownComputeSystem.result",
                                         "HcsTerminateComputeSystem", "HcsTerminateComputeSystem.result",
                                         "HcnQueryEndpointProperties"),
                         [](const auto& test) {
                             std::string name = test.param;
                             std::replace(name.begin(), name.end(), '.', '_');
                             return name;
                         });

}  // namespace
}  // namespace mullion::test
