// Container services that run no container: a process is a function, its changes are what the function wrote
// into the scratch. What the worker asked for is recorded.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "hcs/compute_system.hpp"
#include "hcs/layer_storage.hpp"
#include "worker/worker.hpp"

namespace mullion::test {

struct FakeProcess {
    hcs::ComputeSystemDocument document;
    hcs::ProcessParameters parameters;
    hcs::ProcessStreams streams;
    std::filesystem::path scratch;
    base::CancelToken cancel;  // of wait()
    std::optional<hcs::Process::Deadline> deadline;

    void print(std::string_view text) const { streams.standard_output->write(text); }
    void print_error(std::string_view text) const { streams.standard_error->write(text); }
    // Writes into the scratch and records the change.
    void write(const std::string& path, std::string_view data) const;
    void add(hcs::RawChange change) const;

    class FakeServices* services = nullptr;
};

class FakeServices final : public hcs::ComputeService, public hcs::LayerStorage {
  public:
    // Returns the exit code; nullopt: still running at the deadline.
    using Body = std::function<std::optional<std::uint32_t>(const FakeProcess&)>;

    Body body = [](const FakeProcess&) { return 0; };
    std::vector<hcs::RegistryChange> registry;
    std::vector<hcs::RawChange> hives;
    bool imports = false;
    std::optional<hcs::Statistics> statistics = hcs::Statistics{};  // absent: asking for them fails
    // Seen so far.
    std::vector<FakeProcess> processes;
    std::vector<hcs::ScratchOptions> scratches;
    std::vector<hcs::NetworkSpec> networks;
    std::size_t open_scratches = 0;
    struct Imported {
        std::vector<std::filesystem::path> parents;
        std::map<std::string, std::string> files;  // path: bytes
        std::vector<std::string> removals;
        std::vector<std::string> hives;
    };
    std::vector<Imported> imported;
    std::size_t attached = 0;                        // scratches, so far
    std::vector<hcs::ComputeSystemDocument> in_vms;  // under Hyper-V isolation, so far
    std::optional<base::Error> refusal;              // of every system

    worker::ComputeServices services() { return {this, this, ""}; }

    std::unique_ptr<hcs::ComputeSystem> create(const std::string& id,
                                               const hcs::ComputeSystemDocument& document,
                                               const base::CancelToken& cancel) override;
    std::unique_ptr<hcs::ComputeSystem> create_hyperv(const std::string& id,
                                                      const hcs::ComputeSystemDocument& document,
                                                      const std::filesystem::path& scratch,
                                                      const base::CancelToken& cancel) override;
    void check_network(const hcs::NetworkSpec&) const override {}
    std::optional<hcs::Networking> networking(const hcs::NetworkSpec& spec) override;
    hcs::MappedDirectory memory_directory(const std::string& container_path, std::uint64_t size) override {
        return {"memory of " + std::to_string(size), container_path, false};
    }

    void create_scratch(const std::filesystem::path& scratch, const hcs::ScratchOptions& options) override;
    std::string attach(const std::filesystem::path& scratch) override {
        ++attached;
        return scratch.string();
    }
    hcs::LayerChanges export_layer(const std::filesystem::path& scratch, const base::CancelToken&) override;
    void detach(const std::filesystem::path&) override {}
    void destroy(const std::filesystem::path& scratch) override;
    bool imports_layers() const override { return imports; }
    // Records the layer, and makes its folder.
    void import_layer(const std::filesystem::path& folder, const hcs::LayerImport& layer,
                      const base::CancelToken& cancel) override;
    void remove_layer(const std::filesystem::path& folder) override { base::remove_tree(folder); }
    void make_whiteout(const std::filesystem::path& path) override;

    static bool is_whiteout(const std::filesystem::path& path);

    std::mutex mutex;
    std::map<std::filesystem::path, hcs::LayerChanges> changes;
};

}  // namespace mullion::test
