// The native code on the double of vmcompute.dll.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "hcs/native.hpp"
#include "hcs/native_layers.hpp"
#include "hcs/transport_folder.hpp"
#include "tests/hcs/fake_host.hpp"
#include "tests/support/errors.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using hcs::RawChange;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

class NativeStorage : public FakeHost {
  protected:
    NativeStorage() {
        write("layer/Files/old.txt", "old");
        write("layer/Files/gone.txt", "x");
        storage_ = open();
    }
    // Nothing is active, nothing is left.
    ~NativeStorage() override {
        storage_.reset();
        EXPECT_FALSE(fs::exists(container()));
        EXPECT_THAT(leftovers(), IsEmpty());
    }

    std::unique_ptr<hcs::LayerStorage> open() {
        return hcs::make_native_layer_storage({directory() / "state"});
    }
    void write(const std::string& name, const std::string& text) {
        fs::create_directories((directory() / name).parent_path());
        std::ofstream(directory() / name, std::ios::binary) << text;
    }
    fs::path container() const { return directory() / "container"; }
    fs::path volume() const { return container() / "C"; }
    hcs::ScratchOptions options() const { return {.parents = {layer()}}; }
    std::string attach() {
        storage_->create_scratch(container(), options());
        return storage_->attach(container());
    }
    void remove() {
        storage_->detach(container());
        storage_->destroy(container());
    }
    // From now on the recorded scratches are a dead process'.
    void pretend_dead() {
        for (const auto& entry : fs::directory_iterator(directory() / "state/scratches")) {
            std::string text = content_of(entry.path());
            std::ofstream(entry.path(), std::ios::binary) << "4294967292-1d9" << text.substr(text.find('\n'));
        }
    }
    // What destroying or rolling back was to remove.
    std::vector<std::string> leftovers() const {
        std::vector<std::string> names;
        for (const char* place : {".", "state/scratches"}) {
            for (const auto& entry : fs::directory_iterator(directory() / place)) {
                std::string name = entry.path().filename().string();
                bool is_scratch = name.rfind("rm-", 0) == 0 || name.find("container") != name.npos;
                if (is_scratch || std::string(place) != ".") names.push_back(name);
            }
        }
        return names;
    }

    std::unique_ptr<hcs::LayerStorage> storage_;
};

TEST_F(NativeStorage, AScratchLivesFromCreateToDestroy) {
    EXPECT_THAT(attach(), testing::AllOf(testing::StartsWith("\\\\?\\Volume{"), testing::EndsWith("}\\")));
    EXPECT_EQ(content_of(volume() / "old.txt"), "old");
    remove();
    EXPECT_THAT(calls(),
                ElementsAre("CreateSandboxLayer", "OpenVirtualDisk", "ExpandSandboxSize", "ActivateLayer",
                            "PrepareLayer", "GetLayerMountPath", "GetLayerMountPath", "UnprepareLayer",
                            "DeactivateLayer", "DestroyLayer"));
}

TEST_F(NativeStorage, ChangesAreReadBack) {
    attach();
    write("container/C/new.txt", "new");
    write("container/C/old.txt", "changed");
    write("container/C/sub/deep.txt", "deep");
    fs::remove(volume() / "gone.txt");
    hcs::LayerChanges changes = storage_->export_layer(container(), {});
    std::vector<std::string> paths;
    for (const RawChange& change : changes.files) paths.push_back(change.path);
    ASSERT_THAT(paths, ElementsAre("gone.txt", "new.txt", "old.txt", "sub", "sub/deep.txt"));
    EXPECT_EQ(changes.files[0].kind, RawChange::Kind::Removal);
    EXPECT_EQ(content_of(changes.files[1].content), "new");
    EXPECT_EQ(content_of(changes.files[2].content), "changed");
    EXPECT_TRUE(changes.files[1].metadata.has_value());
    EXPECT_EQ(changes.files[3].kind, RawChange::Kind::Directory);
    remove();
}

TEST_F(NativeStorage, ScratchesHaveTheSizeAskedFor) {
    auto storage = hcs::make_native_layer_storage({directory() / "state", 64 << 20});
    storage->create_scratch(container(), options());
    EXPECT_EQ(content_of(container() / "sandbox.vhdx"), "disk 67108864\nformatted\n");
    storage->destroy(container());
}

TEST_F(NativeStorage, AScratchThatNeverRanHasNoChanges) {
    storage_->create_scratch(container(), options());
    EXPECT_THAT(storage_->export_layer(container(), {}).files, IsEmpty());
    remove();
}

TEST_F(NativeStorage, CallOrderIsEnforced) {
    EXPECT_EQ(code_of([&] { storage_->create_scratch(container(), {}); }), ErrorCode::Invalid);
    EXPECT_EQ(code_of([&] { storage_->create_scratch(container(), {.parents = {directory() / "absent"}}); }),
              ErrorCode::NotFound);
    EXPECT_EQ(code_of([&] { storage_->attach(container()); }), ErrorCode::Invalid);
    attach();
    EXPECT_EQ(code_of([&] { storage_->create_scratch(container(), options()); }), ErrorCode::Exists);
    EXPECT_EQ(code_of([&] { storage_->attach(container()); }), ErrorCode::Exists);
    EXPECT_EQ(code_of([&] { storage_->destroy(container()); }), ErrorCode::Invalid);
    storage_->detach(container());
    remove();
    storage_->destroy(container());
    EXPECT_EQ(code_of([&] { storage_->destroy(layer()); }), ErrorCode::Invalid);
    EXPECT_TRUE(fs::exists(layer()));
    EXPECT_EQ(code_of([&] { storage_->make_whiteout(layer() / "Files/x"); }), ErrorCode::Internal);
}

// Windows Server 2019's race for loopback disks: the pair of calls is repeated as a whole.
TEST_F(NativeStorage, DisksThatAreNotReadyAreWaitedFor) {
    fault("ActivateLayer", "80070015");  // ERROR_NOT_READY
    fault("PrepareLayer", "8007048F");   // ERROR_DEVICE_NOT_CONNECTED
    fault("PrepareLayer", "80070015");
    attach();
    remove();
    EXPECT_THAT(log(),
                HasSubstr("ActivateLayer container\nPrepareLayer container\nDeactivateLayer container\n"
                          "ActivateLayer container\nPrepareLayer container\nDeactivateLayer container\n"
                          "ActivateLayer container\nPrepareLayer container\nGetLayerMountPath"));
}

TEST_F(NativeStorage, DisksThatAreNeverReadyFail) {
    storage_->create_scratch(container(), options());
    for (int i = 0; i < 5; ++i) fault("PrepareLayer", "80070015");
    EXPECT_EQ(code_of([&] { storage_->attach(container()); }), ErrorCode::Unavailable);
    storage_->attach(container());
    remove();
}

TEST_F(NativeStorage, StepsOnOneParentAreMountedSideBySide) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            fs::path scratch = directory() / ("side" + std::to_string(i));
            storage_->create_scratch(scratch, options());
            storage_->attach(scratch);
            storage_->detach(scratch);
            storage_->destroy(scratch);
        });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST_F(NativeStorage, WhatIsInUseForAMomentIsDestroyedLater) {
    attach();
    fault("DestroyLayer", "80070020");  // ERROR_SHARING_VIOLATION
    fault("DestroyLayer", "80070005");  // ERROR_ACCESS_DENIED
    remove();
}

TEST_F(NativeStorage, WhatStaysInUseIsMovedAwayAndDestroyedByTheNextStart) {
    attach();
    for (int i = 0; i < 4; ++i) fault("DestroyLayer", "80070020");
    remove();
    EXPECT_FALSE(fs::exists(container()));
    EXPECT_EQ(leftovers().size(), 2u);
    pretend_dead();
    open();
    EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_F(NativeStorage, ScratchesOfKilledProcessesAreRolledBack) {
    attach();
    storage_->export_layer(container(), {});
    storage_->detach(container());
    storage_->attach(container());
    // Killed: the claim goes with the process, the layer stays active.
    storage_.reset();
    EXPECT_TRUE(fs::exists(container()));
    open();
    EXPECT_TRUE(fs::exists(container())) << "its process lives";
    pretend_dead();
    storage_ = open();
    EXPECT_FALSE(fs::exists(container()));
}

TEST_F(NativeStorage, LayersAreImportedFromTransportFolders) {
    fs::create_directories(directory() / "transport");
    tree::HostContent contents;
    hcs::TransportWriter writer(directory() / "transport", contents, {});
    tree::Node file;
    file.kind = tree::NodeKind::File;
    file.content = tree::Content::inline_bytes("hello");
    writer.object("hello.txt", file);
    writer.finish();
    hcs::NativeLayers(0).import_layer(directory() / "derived", directory() / "transport", {layer()});
    EXPECT_EQ(content_of(directory() / "derived/Files/hello.txt"), "hello");
    storage_->create_scratch(container(), {.parents = {directory() / "derived", layer()}});
    storage_->attach(container());
    EXPECT_EQ(content_of(volume() / "hello.txt"), "hello");
    EXPECT_EQ(content_of(volume() / "old.txt"), "old");
    remove();
}

TEST_F(NativeStorage, LayersAreRemovedByWindows) {
    write("doomed/Files/file.txt", "x");
    fault("DestroyLayer", "80070020");  // ERROR_SHARING_VIOLATION
    storage_->remove_layer(directory() / "doomed");
    EXPECT_FALSE(fs::exists(directory() / "doomed"));
    EXPECT_THAT(calls(), ElementsAre("DestroyLayer", "DestroyLayer"));
    storage_->remove_layer(directory() / "doomed");
}

TEST_F(NativeStorage, ALayerThatStaysInUseStaysWholeAndCanBeRemovedLater) {
    write("doomed/Files/file.txt", "x");
    for (int i = 0; i < 4; ++i) fault("DestroyLayer", "80070020");
    EXPECT_EQ(code_of([&] { storage_->remove_layer(directory() / "doomed"); }), ErrorCode::Unavailable);
    EXPECT_EQ(content_of(directory() / "doomed/Files/file.txt"), "x");
    storage_->remove_layer(directory() / "doomed");
    EXPECT_FALSE(fs::exists(directory() / "doomed"));
}

// What an import was killed in, and its transport folder.
TEST_F(NativeStorage, FoldersThatAreNoLayersToWindowsAreRemovedAllTheSame) {
    write("doomed/half", "x");
    ::SetFileAttributesW((directory() / "doomed/half").c_str(), FILE_ATTRIBUTE_READONLY);
    fault("DestroyLayer", "80070003");  // ERROR_PATH_NOT_FOUND
    storage_->remove_layer(directory() / "doomed");
    EXPECT_FALSE(fs::exists(directory() / "doomed"));
}

TEST_F(NativeStorage, LayerIdsAreTheHosts) {
    EXPECT_EQ(hcs::layer_id("Layer"), hcs::layer_id("LAYER"));
    EXPECT_NE(hcs::layer_id("layer"), hcs::layer_id("other"));
}

// A container on a mounted scratch, from create to what it changed.
TEST_F(NativeStorage, AStepRunsOnAScratchAndLeavesItsChanges) {
    hcs::ComputeSystemDocument configuration = document();
    configuration.Container.Storage.Path = attach();
    configuration.Container.Storage.Layers[0].Id = hcs::layer_id("layer");
    {
        auto service = hcs::make_native_compute_service();
        auto system = service->create("one", configuration, {});
        system->start({});
        base::StringSink out, err;
        auto process = system->create_process(child("write made.txt"), {nullptr, &out, &err}, {});
        EXPECT_EQ(process->wait(std::nullopt, {}).ExitCode, 0u);
        process.reset();
        system->shut_down({});
    }
    hcs::LayerChanges changes = storage_->export_layer(container(), {});
    ASSERT_EQ(changes.files.size(), 1u);
    EXPECT_EQ(changes.files[0].path, "made.txt");
    EXPECT_EQ(content_of(changes.files[0].content), "written\n");
    remove();
}

class NativeStorageFault : public NativeStorage, public testing::WithParamInterface<const char*> {};

// Every call fails once, for good: the error is that one, or the failure was of no consequence.
TEST_P(NativeStorageFault, EndsInSuccessOrInThatFailureAndLeavesNothing) {
    fault(GetParam(), "80070070");  // ERROR_DISK_FULL
    try {
        attach();
        storage_->export_layer(container(), {});
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Exhausted) << error.what();
    }
    remove();
    pretend_dead();
    open();  // what could not be destroyed
}

INSTANTIATE_TEST_SUITE_P(EveryCall, NativeStorageFault,
                         testing::Values("CreateSandboxLayer", "ExpandSandboxSize", "ActivateLayer",
                                         "PrepareLayer", "GetLayerMountPath", "UnprepareLayer",
                                         "DeactivateLayer", "ExportLayer", "DestroyLayer"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace mullion::test
