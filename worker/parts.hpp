// What the ops of one Worker share. Internal to the room.
#pragma once

#include <string_view>

#include "base/digest.hpp"
#include "base/file.hpp"
#include "solver/operation.hpp"
#include "worker/archive.hpp"
#include "worker/blobs.hpp"
#include "worker/downloads.hpp"
#include "worker/layer_pool.hpp"
#include "worker/layer_writer.hpp"
#include "worker/materialiser.hpp"
#include "worker/ssh_agents.hpp"
#include "worker/worker.hpp"

namespace mullion::worker {

struct Worker::Parts {
    Parts(cache::State& state_, ComputeServices services_, WorkerOptions options_)
        : state(state_),
          services(std::move(services_)),
          options(std::move(options_)),
          blobs(state, options.layouts, options.remote),
          writer(blobs),
          materialiser(blobs, services.storage),
          http(options.http),
          downloads(state, http),
          spool(state.temporary_directory(), "unpacked"),
          archives(blobs.contents(), spool.path()),
          ssh_agents(options.ssh_agents, state.temporary_directory()) {}

    cache::State& state;
    ComputeServices services;
    WorkerOptions options;
    Blobs blobs;
    LayerWriter writer;
    LayerPool layers;
    Materialiser materialiser;
    oci::HttpClient http;
    Downloads downloads;
    base::TempDir spool;  // contents of unpacked archives
    Archives archives;
    SshAgents ssh_agents;
};

// The part of a cache key that says what an op does. `kind` has the version of the op's rules in it: whoever
// changes what an op makes of the same input changes it.
base::Digest operation_key(std::string_view kind, const solver::OperationDocument& document);

}  // namespace mullion::worker
