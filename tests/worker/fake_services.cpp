#include "tests/worker/fake_services.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tree/name.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhiteoutTarget = "(whiteout)";

class Process final : public hcs::Process {
  public:
    Process(FakeServices& services, FakeProcess process)
        : services_(services), process_(std::move(process)) {}
    std::uint32_t id() const override { return 1; }
    hcs::ProcessStatus wait(std::optional<Deadline> deadline, const base::CancelToken& cancel) override {
        process_.cancel = cancel;
        process_.deadline = deadline;
        auto code = services_.body(process_);
        return {1, code.has_value(), code.value_or(0), 0};
    }
    void signal(hcs::Signal) override {}

  private:
    FakeServices& services_;
    FakeProcess process_;
};

class System final : public hcs::ComputeSystem {
  public:
    System(FakeServices& services, std::string id, hcs::ComputeSystemDocument document)
        : services_(services), id_(std::move(id)), document_(std::move(document)) {}
    const std::string& id() const override { return id_; }
    hcs::SystemState state() const override { return state_; }
    void start(const base::CancelToken&) override { state_ = hcs::SystemState::Running; }
    std::unique_ptr<hcs::Process> create_process(const hcs::ProcessParameters& parameters,
                                                 const hcs::ProcessStreams& streams,
                                                 const base::CancelToken&) override {
        hcs::validate(parameters);
        FakeProcess process{document_, parameters, streams,   document_.Container.Storage.Path,
                            {},        {},         &services_};
        std::lock_guard lock(services_.mutex);
        services_.processes.push_back(process);
        return std::make_unique<Process>(services_, std::move(process));
    }
    hcs::Statistics statistics() override {
        if (!services_.statistics) throw base::fail(base::ErrorCode::Io, "no statistics");
        return *services_.statistics;
    }
    hcs::SystemExitStatus shut_down(const base::CancelToken&) override {
        state_ = hcs::SystemState::Stopped;
        return {0, "GracefulExit"};
    }
    void terminate() override { state_ = hcs::SystemState::Stopped; }

  private:
    FakeServices& services_;
    std::string id_;
    hcs::ComputeSystemDocument document_;
    hcs::SystemState state_ = hcs::SystemState::Created;
};

}  // namespace

void FakeProcess::write(const std::string& path, std::string_view data) const {
    fs::path file = scratch / path;
    fs::create_directories(file.parent_path());
    base::write_file_atomic(file, data);
    hcs::RawChange change;
    change.path = path;
    change.content = file;
    change.size = data.size();
    change.modified = base::FileTime::now();
    add(std::move(change));
}

void FakeProcess::add(hcs::RawChange change) const {
    std::lock_guard lock(services->mutex);
    services->changes[scratch].files.push_back(std::move(change));
}

std::unique_ptr<hcs::ComputeSystem> FakeServices::create(const std::string& id,
                                                         const hcs::ComputeSystemDocument& document,
                                                         const base::CancelToken&) {
    if (refusal) throw *refusal;
    hcs::validate(document);
    return std::make_unique<System>(*this, id, document);
}

// The guest has C: where the scratch is.
std::unique_ptr<hcs::ComputeSystem> FakeServices::create_hyperv(const std::string& id,
                                                                const hcs::ComputeSystemDocument& document,
                                                                const fs::path& scratch,
                                                                const base::CancelToken& cancel) {
    {
        std::lock_guard lock(mutex);
        in_vms.push_back(document);
    }
    hcs::ComputeSystemDocument inside = document;
    inside.Container.Storage.Path = scratch.string();
    return create(id, inside, cancel);
}

std::optional<hcs::Networking> FakeServices::networking(const hcs::NetworkSpec& spec) {
    if (spec.mode == hcs::NetworkMode::None) return {};
    {
        std::lock_guard lock(mutex);
        networks.push_back(spec);
    }
    if (spec.mode == hcs::NetworkMode::Host)
        return hcs::Networking{"00000000-0000-0000-0000-000000000001", false, ""};
    return hcs::Networking{"a9c1f0de-2b73-4e55-8f10-77c3a1d4e602", false, ""};
}

void FakeServices::create_scratch(const fs::path& scratch, const hcs::ScratchOptions& options) {
    for (const fs::path& parent : options.parents) {
        if (!fs::is_directory(parent / "Files")) throw base::fail(base::ErrorCode::NotFound, "no Files");
    }
    fs::create_directory(scratch);
    std::lock_guard lock(mutex);
    scratches.push_back(options);
    ++open_scratches;
}

hcs::LayerChanges FakeServices::export_layer(const fs::path& scratch, const base::CancelToken&) {
    std::lock_guard lock(mutex);
    hcs::LayerChanges exported = changes[scratch];
    exported.registry = registry;
    exported.hives = hives;
    return exported;
}

void FakeServices::destroy(const fs::path& scratch) {
    base::remove_tree(scratch);
    std::lock_guard lock(mutex);
    --open_scratches;
}

void FakeServices::import_layer(const fs::path& folder, const hcs::LayerImport& layer,
                                const base::CancelToken& cancel) {
    Imported layer_seen{layer.parents, {}, {}, {}};
    for (const tree::Change& change : layer.delta.changes) {
        const auto* upsert = std::get_if<tree::Upsert>(&change);
        if (upsert == nullptr) layer_seen.removals.push_back(tree::path_of(change));
        if (upsert == nullptr || upsert->node->kind != tree::NodeKind::File) continue;
        auto bytes = layer.contents.open(*upsert->node->content, cancel);
        layer_seen.files[upsert->path] = bytes->read_all(1 << 20, upsert->path);
    }
    for (const tree::Change& change : layer.delta.hives) layer_seen.hives.push_back(tree::path_of(change));
    fs::create_directory(folder / "Files");
    imported.push_back(std::move(layer_seen));
}

void FakeServices::make_whiteout(const fs::path& path) {
    fs::create_symlink(kWhiteoutTarget, path);
}

bool FakeServices::is_whiteout(const fs::path& path) {
    return fs::is_symlink(path) && fs::read_symlink(path) == kWhiteoutTarget;
}

}  // namespace mullion::test
