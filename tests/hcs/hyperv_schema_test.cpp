#include "hcs/hyperv_schema.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace mullion::hcs {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The documents of hcs.md §2.2, without white space.
TEST(HyperVSchema, UtilityVmIsTheReferences) {
    EXPECT_EQ(
        utility_vm_document(UtilityVm{"mullion", "D:\\store\\layers\\4\\UtilityVM\\Files",
                                      "D:\\store\\vm\\9\\sandbox.vhdx", 2048, 2}),
        R"({"Owner":"mullion","SchemaVersion":{"Major":2,"Minor":1},"ShouldTerminateOnLastHandleClosed":true,)"
        R"("VirtualMachine":{"StopOnReset":true,)"
        R"("Chipset":{"Uefi":{"BootThis":{"DeviceType":"VmbFs","DevicePath":"\\EFI\\Microsoft\\Boot\\bootmgfw.efi"}}},)"
        R"("ComputeTopology":{"Memory":{"SizeInMB":2048,"AllowOvercommit":true,"EnableHotHint":true,)"
        R"("EnableDeferredCommit":false},"Processor":{"Count":2}},)"
        R"("Devices":{"Scsi":{"df6d0690-79e5-55b6-a5ec-c1e2f77f580a":{"Attachments":{)"
        R"("0":{"Type":"VirtualDisk","Path":"D:\\store\\vm\\9\\sandbox.vhdx"}}}},)"
        R"x("HvSocket":{"HvSocketConfig":{"DefaultBindSecurityDescriptor":"D:P(A;;FA;;;SY)(A;;FA;;;BA)"}},)x"
        R"("VirtualSmb":{"DirectFileMappingInMB":1024,"Shares":[{"Name":"os",)"
        R"("Path":"D:\\store\\layers\\4\\UtilityVM\\Files","Options":{"ReadOnly":true,"ShareRead":true,)"
        R"("CacheIo":true,"PseudoOplocks":true,"TakeBackupPrivilege":true}}]}},)"
        R"("RegistryChanges":{"AddValues":[{"Key":{"Hive":"System","Name":"CurrentControlSet\\Services\\gns"},)"
        R"("Name":"EnableCompartmentNamespace","Type":"DWord","DWordValue":1}]},"GuestConnection":{}}})");
}

TEST(HyperVSchema, RequestsAreTheReferences) {
    EXPECT_EQ(add_share_request({"s1", "D:\\store\\layers\\12"}),
              R"({"RequestType":"Add","ResourcePath":"VirtualMachine/Devices/VirtualSmb/Shares","Settings":)"
              R"({"Name":"s1","Path":"D:\\store\\layers\\12","Options":{"ReadOnly":true,"ShareRead":true,)"
              R"("CacheIo":true,"PseudoOplocks":true,"TakeBackupPrivilege":true}}})");
    EXPECT_EQ(attach_disk_request(1, "D:\\store\\scratch\\31\\sandbox.vhdx"),
              R"({"RequestType":"Add","ResourcePath":)"
              R"("VirtualMachine/Devices/Scsi/df6d0690-79e5-55b6-a5ec-c1e2f77f580a/Attachments/1",)"
              R"("Settings":{"Type":"VirtualDisk","Path":"D:\\store\\scratch\\31\\sandbox.vhdx"},)"
              R"("GuestRequest":{"RequestType":"Add","ResourceType":"MappedVirtualDisk",)"
              R"("Settings":{"ContainerPath":"c:\\mounts\\scsi\\m1","Lun":1}}})");
    EXPECT_EQ(combine_layers_request("c:\\mounts\\scsi\\m1", {{"0c7f", share_in_guest("s1")}}),
              R"({"GuestRequest":{"RequestType":"Add","ResourceType":"CombinedLayers","Settings":)"
              R"({"ContainerRootPath":"c:\\mounts\\scsi\\m1","Layers":[{"Id":"0c7f","Path":)"
              R"("\\\\?\\VMSMB\\VSMB-{dcc079ae-60ba-4d07-847c-3493609c0870}\\s1"}]}}})");
    EXPECT_EQ(detach_disk_request(1),
              R"({"RequestType":"Remove","ResourcePath":)"
              R"("VirtualMachine/Devices/Scsi/df6d0690-79e5-55b6-a5ec-c1e2f77f580a/Attachments/1",)"
              R"("GuestRequest":{"RequestType":"Remove","ResourceType":"MappedVirtualDisk",)"
              R"("Settings":{"ContainerPath":"c:\\mounts\\scsi\\m1","Lun":1}}})");
    EXPECT_EQ(separate_layers_request("c:\\mounts\\scsi\\m1"),
              R"({"GuestRequest":{"RequestType":"Remove","ResourceType":"CombinedLayers","Settings":)"
              R"({"ContainerRootPath":"c:\\mounts\\scsi\\m1"}}})");
    EXPECT_EQ(remove_share_request("s1"),
              R"({"RequestType":"Remove","ResourcePath":"VirtualMachine/Devices/VirtualSmb/Shares",)"
              R"("Settings":{"Name":"s1"}})");
}

// hcs.md §6.1.
TEST(HyperVSchema, AdaptersAreAnnouncedToTheGuest) {
    EXPECT_EQ(announce_adapter_request("a1", R"({"ID":"e1","MacAddress":"00-15-5D-0A-00-01"})"),
              R"({"GuestRequest":{"RequestType":"Add","ResourceType":"Network","Settings":{"AdapterId":"a1",)"
              R"("RequestType":"PreAdd","Settings":{"ID":"e1","MacAddress":"00-15-5D-0A-00-01"}}}})");
    EXPECT_EQ(add_adapter_request("a1", "e1", "00-15-5D-0A-00-01"),
              R"({"RequestType":"Add","ResourcePath":"VirtualMachine/Devices/NetworkAdapters/a1",)"
              R"("Settings":{"EndpointId":"e1","MacAddress":"00-15-5D-0A-00-01"},)"
              R"("GuestRequest":{"RequestType":"Add","ResourceType":"Network",)"
              R"("Settings":{"AdapterId":"a1","RequestType":"Add"}}})");
}

TEST(HyperVSchema, SharesSayWhatTheyAreFor) {
    EXPECT_THAT(add_share_request({"s2", "D:\\ctx", Share::Use::ReadOnly}),
                AllOf(HasSubstr("ReadOnly"), Not(HasSubstr("TakeBackupPrivilege"))));
    EXPECT_THAT(add_share_request({"s3", "D:\\cache", Share::Use::Writable}), HasSubstr(R"("Options":{})"));
    EXPECT_THAT(add_share_request({"s4", "D:\\etc", Share::Use::ReadOnly, "hosts"}),
                AllOf(HasSubstr(R"("RestrictFileAccess":true,"SingleFileMapping":true)"),
                      HasSubstr(R"("AllowedFiles":["hosts"])")));
}

// A server of the older guest refuses members it does not know (hcs.md §2: FilterType, Server 2022).
TEST(HyperVSchema, NothingNewerThanTheSchemaIsWritten) {
    EXPECT_THAT(combine_layers_request("c:\\", {}), Not(HasSubstr("FilterType")));
}

TEST(HyperVSchema, DisksHaveTheirNumbers) {
    EXPECT_THROW(attach_disk_request(0, "x"), base::Error);
    EXPECT_THROW(attach_disk_request(64, "x"), base::Error);
    EXPECT_THAT(detach_disk_request(63), HasSubstr("/Attachments/63"));
}

TEST(HyperVSchema, HostedContainersNameTheirVm) {
    ComputeSystemDocument container;
    container.Owner = "mullion";
    container.ShouldTerminateOnLastHandleClosed = true;
    container.Container.Storage.Layers = {{"0c7f", share_in_guest("s1")}};
    container.Container.Storage.Path = "c:\\mounts\\scsi\\m0";
    container.Container.MappedDirectories = {{share_in_guest("s2"), "C:\\src", true}};
    EXPECT_EQ(
        hosted_container_document("vm-9", container),
        R"({"Owner":"mullion","SchemaVersion":{"Major":2,"Minor":1},"HostingSystemId":"vm-9",)"
        R"("ShouldTerminateOnLastHandleClosed":true,"HostedSystem":{"SchemaVersion":{"Major":2,"Minor":1},)"
        R"("Container":{"Storage":{"Layers":[{"Id":"0c7f",)"
        R"("Path":"\\\\?\\VMSMB\\VSMB-{dcc079ae-60ba-4d07-847c-3493609c0870}\\s1"}],)"
        R"("Path":"c:\\mounts\\scsi\\m0"},"MappedDirectories":[{"HostPath":)"
        R"("\\\\?\\VMSMB\\VSMB-{dcc079ae-60ba-4d07-847c-3493609c0870}\\s2","ContainerPath":"C:\\src",)"
        R"("ReadOnly":true}]}}})");
}

// hcs.md §2.3.
TEST(HyperVSchema, LinuxVmsBootAKernelDirectly) {
    LinuxUtilityVm vm;
    vm.owner = "mullion";
    vm.kernel = "C:\\lcow\\kernel";
    vm.initial_ramdisk = "C:\\lcow\\initrd.img";
    vm.command_line = "panic=-1 quiet pci=off";
    vm.layer_disks = {"C:\\l\\1.vhd"};
    vm.scratch = "C:\\s.vhdx";
    EXPECT_THAT(
        utility_vm_document(vm),
        AllOf(HasSubstr(R"("SchemaVersion":{"Major":2,"Minor":2})"),
              HasSubstr(R"("Chipset":{"LinuxKernelDirect":{"KernelFilePath":"C:\\lcow\\kernel",)"
                        R"("InitRdPath":"C:\\lcow\\initrd.img","KernelCmdLine":"panic=-1 quiet pci=off"}})"),
              HasSubstr(R"("VirtualPMem":{"MaximumCount":64,"MaximumSizeBytes":4294967296,)"
                        R"("Backing":"Virtual","Devices":{"0":{"HostPath":"C:\\l\\1.vhd",)"
                        R"("ReadOnly":true,"ImageFormat":"Vhd1"}}})")));
    vm.layer_disks.assign(65, "C:\\l.vhd");
    EXPECT_THROW(utility_vm_document(vm), base::Error);
}

}  // namespace
}  // namespace mullion::hcs
