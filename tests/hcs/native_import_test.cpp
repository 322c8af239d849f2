// Layers made by the native code on the doubles of vmcompute.dll and BackupWrite.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "hcs/native.hpp"
#include "tests/hcs/fake_host.hpp"
#include "tree/reparse.hpp"
#include "tree/security_descriptor.hpp"

namespace mullion::test {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

tree::Upsert put(std::string path, tree::NodeKind kind, std::string data = {}) {
    auto node = std::make_shared<tree::Node>();
    node->kind = kind;
    node->metadata.set_times(base::FileTime::from_seconds(1'700'000'000));
    node->metadata.descriptor = tree::default_descriptor(kind == tree::NodeKind::Directory);
    if (kind == tree::NodeKind::File) node->content = tree::Content::inline_bytes(std::move(data));
    if (tree::is_link(kind)) node->link_target = std::move(data);
    return {std::move(path), std::move(node)};
}

tree::Upsert directory_at(std::string path) {
    return put(std::move(path), tree::NodeKind::Directory);
}

tree::Upsert file_at(std::string path, std::string data) {
    return put(std::move(path), tree::NodeKind::File, std::move(data));
}

tree::Upsert link_at(std::string path, std::string existing) {
    tree::Upsert link = file_at(std::move(path), "");
    link.hard_link = std::move(existing);
    return link;
}

class NativeImport : public FakeHost {
  protected:
    NativeImport() : storage_(hcs::make_native_layer_storage({directory() / "state"})) {}

    fs::path import(const std::string& name, const tree::Delta& delta, std::vector<fs::path> parents = {}) {
        fs::path folder = directory() / name;
        fs::create_directory(folder);
        storage_->import_layer(folder, {std::move(parents), delta, contents_}, {});
        return folder;
    }
    static std::string text(const fs::path& path) {
        std::ostringstream data;
        data << std::ifstream(path, std::ios::binary).rdbuf();
        return data.str();
    }

    tree::HostContent contents_;
    std::unique_ptr<hcs::LayerStorage> storage_;
};

TEST_F(NativeImport, ABaseIsWrittenThroughBackupWriteAndProcessed) {
    tree::Delta delta;
    tree::Upsert with_stream = file_at("a.txt", "hello");
    auto node = std::make_shared<tree::Node>(*with_stream.node);
    node->metadata.extended_attributes = {{"EA", "value"}};
    node->streams = {{"Zone.Identifier", tree::Content::inline_bytes("[ZoneTransfer]")}};
    with_stream.node = std::move(node);
    delta.changes = {directory_at("Data"), link_at("Data/again.txt", "a.txt"),
                     put("Data/mount", tree::NodeKind::Junction, "C:\\Data"), with_stream};
    std::swap(delta.changes[1], delta.changes[3]);  // what a link names comes first
    fs::path base = import("base", delta);
    EXPECT_EQ(text(base / "Files/a.txt"), "hello");
    EXPECT_EQ(text(base / "Files/Data/again.txt"), "hello");
    EXPECT_TRUE(fs::exists(base / "blank.vhdx"));
    // Descriptor, extended attributes, data, stream; of a junction the descriptor and the reparse point.
    EXPECT_THAT(log(), HasSubstr("BackupWrite a.txt 3,2,1,4\n"));
    EXPECT_THAT(log(), HasSubstr("BackupWrite mount 3,8\n"));
    EXPECT_THAT(log(), HasSubstr("BackupWrite Data 3\n"));
    EXPECT_THAT(log(), Not(HasSubstr("cut off")));
    auto written = std::chrono::file_clock::to_sys(fs::last_write_time(base / "Files/Data"));
    EXPECT_EQ(std::chrono::duration_cast<std::chrono::seconds>(written.time_since_epoch()).count(),
              1'700'000'000);
}

// The disks have the size containers get, and virtual machines may read them.
TEST_F(NativeImport, ABaseGetsTheDisksOfItsContainers) {
    fs::path base = import("base", {});
    EXPECT_TRUE(fs::exists(base / "Hives"));
    EXPECT_EQ(text(base / "blank-base.vhdx"), "disk 136365211648\nformatted\n");
    EXPECT_EQ(text(base / "blank.vhdx"), "disk 136365211648\nformatted\n");
    EXPECT_THAT(log(), HasSubstr("HcsFormatWritableLayerVhd disk\n"));
    EXPECT_THAT(log(), HasSubstr("HcsSetupBaseOSLayer base {\"Type\":\"Container\"}\n"));
    EXPECT_THAT(log(),
                HasSubstr("CreateVirtualDisk blank.vhdx D:(A;;FA;;;SY)(A;;FA;;;BA)(A;;GR;;;S-1-5-83-0)\n"));
    EXPECT_THAT(log(), Not(HasSubstr("ProcessBaseImage")));
    storage_->create_scratch(directory() / "container", {.parents = {base}});
    EXPECT_EQ(text(directory() / "container/sandbox.vhdx"), text(base / "blank.vhdx"));
    EXPECT_THAT(log(), Not(HasSubstr("ExpandSandboxSize")));
    storage_->destroy(directory() / "container");
}

TEST_F(NativeImport, WindowsServer2019FormatsFilesOfDisks) {
    set("build", "17763");
    fs::path base = import("base", {});
    EXPECT_EQ(text(base / "blank.vhdx"), "disk 136365211648\nformatted\n");
    EXPECT_THAT(log(), HasSubstr("HcsFormatWritableLayerVhd disk\nHcsFormatWritableLayerVhd file\n"));
}

class NativeDiskFault : public NativeImport, public testing::WithParamInterface<const char*> {};

// Then it is ProcessBaseImage that makes disks, and each container's is enlarged.
TEST_P(NativeDiskFault, LeavesTheBaseToTheOldCall) {
    int times = std::string(GetParam()) == "HcsFormatWritableLayerVhd" ? 2 : 1;
    for (int i = 0; i < times; ++i) fault(GetParam(), "80070005");
    fs::path base = import("base", {});
    EXPECT_THAT(log(), HasSubstr("ProcessBaseImage base"));
    EXPECT_FALSE(fs::exists(base / "Layout"));
    storage_->create_scratch(directory() / "container", {.parents = {base}});
    EXPECT_EQ(text(directory() / "container/sandbox.vhdx"), "disk 136365211648\nformatted\n");
    storage_->destroy(directory() / "container");
}

INSTANTIATE_TEST_SUITE_P(EveryCall, NativeDiskFault,
                         testing::Values("CreateVirtualDisk", "HcsFormatWritableLayerVhd",
                                         "HcsSetupBaseOSLayer"),
                         [](const auto& test) { return std::string(test.param); });

// A disk that does not tell its size is taken for one that is too small.
TEST_F(NativeImport, ADiskOfUnknownSizeIsEnlarged) {
    fs::path base = import("base", {});
    for (const char* call : {"OpenVirtualDisk", "GetVirtualDiskInformation"}) {
        clear_log();
        fault(call, "80070005");
        storage_->create_scratch(directory() / "container", {.parents = {base}});
        EXPECT_THAT(log(), HasSubstr("ExpandSandboxSize"));
        storage_->destroy(directory() / "container");
    }
}

TEST_F(NativeImport, ABaseRemovesNothing) {
    tree::Delta delta;
    delta.changes = {tree::Removal{"x"}};
    EXPECT_THROW(import("base", delta), base::Error);
    EXPECT_THAT(log(), Not(HasSubstr("HcsSetupBaseOSLayer")));
}

TEST_F(NativeImport, LinksNameFilesOfTheLayerOrOfTheOnesBelow) {
    tree::Delta lower, upper, broken;
    lower.changes = {file_at("old.txt", "old"), file_at("gone.txt", "x")};
    fs::path base = import("base", lower);
    upper.changes = {tree::Removal{"gone.txt"}, file_at("new.txt", "new"), link_at("new-link.txt", "new.txt"),
                     link_at("old-link.txt", "old.txt")};
    fs::path layer = import("layer", upper, {base});
    EXPECT_EQ(text(layer / "Files/new-link.txt"), "new");
    EXPECT_EQ(text(layer / "Files/old-link.txt"), "old");
    EXPECT_FALSE(fs::exists(layer / "Files/gone.txt"));
    broken.changes = {link_at("link.txt", "absent.txt")};
    EXPECT_THROW(import("broken", broken, {base}), base::Error);
    for (const auto& entry : fs::directory_iterator(directory())) {
        EXPECT_THAT(entry.path().filename().string(), Not(testing::StartsWith("transport")));
    }
}

TEST_F(NativeImport, HivesOfALayerAreImported) {
    fs::path base = import("base", {});
    tree::Delta delta;
    delta.hives = {file_at("System_Delta", "regf")};
    EXPECT_EQ(text(import("layer", delta, {base}) / "Hives/System_Delta"), "regf");
    delta.hives = {tree::Removal{"System_Delta"}};
    EXPECT_THROW(import("removes", delta, {base}), base::Error);
    delta.hives = {directory_at("System_Delta")};
    EXPECT_THROW(import("directory", delta, {base}), base::Error);
}

// A VM boots one folder: what the layer does not change is shared with the one below, but for what processing
// changes.
TEST_F(NativeImport, AUtilityVmIsTheOneBelowWithTheLayersChanges) {
    tree::Delta lower, upper;
    lower.utility_vm = {directory_at("Files"),
                        directory_at("Files/EFI"),
                        directory_at("Files/EFI/Microsoft"),
                        directory_at("Files/EFI/Microsoft/Boot"),
                        file_at("Files/EFI/Microsoft/Boot/BCD", "boot"),
                        file_at("Files/gone.dll", "x"),
                        file_at("Files/kernel.exe", "old"),
                        file_at("Files/same.dll", "same")};
    fs::path base = import("base", lower);
    EXPECT_TRUE(fs::exists(base / "UtilityVM/SystemTemplate.vhdx"));
    upper.utility_vm = {directory_at("Files"), tree::Removal{"Files/gone.dll"},
                        file_at("Files/kernel.exe", "new")};
    fs::path layer = import("layer", upper, {import("between", {}, {base}), base});
    fs::path files = layer / "UtilityVM/Files";
    EXPECT_EQ(text(files / "kernel.exe"), "new");
    EXPECT_EQ(text(base / "UtilityVM/Files/kernel.exe"), "old");
    EXPECT_EQ(text(files / "same.dll"), "same");
    EXPECT_FALSE(fs::exists(files / "gone.dll"));
    EXPECT_TRUE(fs::equivalent(files / "same.dll", base / "UtilityVM/Files/same.dll"));
    EXPECT_EQ(text(files / "EFI/Microsoft/Boot/BCD"), "boot");
    EXPECT_FALSE(
        fs::equivalent(files / "EFI/Microsoft/Boot/BCD", base / "UtilityVM/Files/EFI/Microsoft/Boot/BCD"));
    EXPECT_TRUE(fs::exists(layer / "UtilityVM/SystemTemplate.vhdx"));
    EXPECT_THROW(import("alone", upper, {import("plain", {})}), base::Error);
}

class NativeImportFault : public NativeImport, public testing::WithParamInterface<const char*> {};

TEST_P(NativeImportFault, IsTheImports) {
    fs::path base = import("base", {});
    tree::Delta delta;
    delta.changes = {file_at("a.txt", "a")};
    delta.utility_vm = {directory_at("Files")};
    if (std::string(GetParam()) == "ProcessBaseImage") fault("HcsSetupBaseOSLayer", "80070070");
    fault(GetParam(), "80070070");  // ERROR_DISK_FULL
    try {
        std::string name = GetParam();
        bool of_base = name == "BackupWrite" || name == "ProcessBaseImage" || name == "ProcessUtilityImage";
        import("layer", delta, of_base ? std::vector<fs::path>{} : std::vector<fs::path>{base});
        ADD_FAILURE() << "no error";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Exhausted) << error.what();
    }
    storage_->remove_layer(directory() / "layer");
    EXPECT_FALSE(fs::exists(directory() / "layer"));
    EXPECT_TRUE(fs::exists(base));
}

INSTANTIATE_TEST_SUITE_P(EveryCall, NativeImportFault,
                         testing::Values("BackupWrite", "ImportLayer", "ProcessBaseImage",
                                         "ProcessUtilityImage"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace mullion::test
