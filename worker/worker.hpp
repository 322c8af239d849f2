// The worker: makes the Ops that run a build's vertices (solver/operation.hpp says what there is to run).
//
//     worker::Worker worker(state, {&compute, &storage}, options);
//     solver::Solver solver([&](const auto& vertex) { return worker.resolve(vertex); }, &state.keys(), ...);
//
// One Worker serves one build: what it opens and learns (contexts, layouts, trees) is kept until it goes. All
// results of a solve refer to it, so it must outlive them and the solver. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cache/state.hpp"
#include "hcs/compute_system.hpp"
#include "hcs/layer_storage.hpp"
#include "oci/http_client.hpp"
#include "oci/isolation.hpp"
#include "oci/platform.hpp"
#include "oci/registry_client.hpp"
#include "solver/op.hpp"
#include "worker/git_program.hpp"
#include "worker/ssh_agents.hpp"

namespace mullion::worker {

class RemoteImages;

// Who runs containers. Null for builds without RUN: a RUN is then Unsupported, giving `missing` as the
// reason. Not owned.
struct ComputeServices {
    hcs::ComputeService* compute = nullptr;
    hcs::LayerStorage* storage = nullptr;
    std::string missing;
};

// The longest time limit that a RUN may be given.
inline constexpr std::chrono::seconds kLongestTimeLimit{7 * 24 * 3600};

struct Limits {
    std::uint64_t memory_mb = 0;                     // 0: the backend's own
    std::uint32_t processors = 0;                    // 0: all
    std::optional<std::chrono::seconds> time_limit;  // of one RUN; absent: none
};

struct WorkerOptions {
    // Directories that LocalSource may name ("context", "dockerfile", named contexts), or tar files that take
    // their place.
    std::map<std::string, std::filesystem::path> contexts;
    // OCI layouts and archives that ImageSource::store may name.
    std::map<std::string, std::filesystem::path> layouts;
    // Where layers are that nobody has fetched yet. Not owned; null: nowhere.
    RemoteImages* remote = nullptr;
    // Where images are pushed to. Not owned; null: nowhere.
    oci::RegistryClient* registry = nullptr;
    Limits limits;
    // Of RUN steps that have a network; each step's own mode counts. In no cache key.
    hcs::NetworkSpec network;
    // The Windows that runs containers; nullopt for the emulation.
    std::optional<oci::WindowsHost> host;
    // Of every RUN that says nothing itself. Not part of any cache key.
    oci::Isolation isolation = oci::Isolation::Auto;
    // May a RUN say --network=host?
    bool allow_host_network = false;
    // By id; what RUN --mount=type=secret shows. Never leaves the memory of this process and its containers.
    std::map<std::string, std::string> secrets;
    // By id: what RUN --mount=type=ssh lets the step talk to, and the one called "default" git too.
    std::map<std::string, SshAgentSource> ssh_agents;
    // A RUN that changes the registry passes with a warning instead of failing.
    bool allow_registry_loss = false;
    // How servers are reached.
    oci::HttpOptions http;
    GitOptions git;
};

class Worker {
  public:
    Worker(cache::State& state, ComputeServices services, WorkerOptions options);
    ~Worker();

    // The Op of a vertex; Invalid for an operation that is none of ours.
    std::unique_ptr<solver::Op> resolve(const solver::VertexRef& vertex);

    // What the ops share (internal to the room).
    struct Parts;
    Parts& parts() { return *parts_; }

  private:
    std::unique_ptr<Parts> parts_;
};

}  // namespace mullion::worker
