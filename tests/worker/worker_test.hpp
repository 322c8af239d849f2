// Fixture of the room's tests: a state directory, a context directory, a small base image, fake containers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/progress.hpp"
#include "cache/state.hpp"
#include "solver/operation.hpp"
#include "solver/solve.hpp"
#include "tests/worker/fake_services.hpp"
#include "worker/parts.hpp"
#include "worker/worker.hpp"

namespace mullion::test {

// Keeps every event.
class RecordedProgress final : public base::ProgressSink {
  public:
    void emit(const base::ProgressEvent& event) override {
        std::lock_guard lock(mutex_);
        events_.push_back(event);
    }
    template <typename Event>
    std::vector<Event> all() const {
        std::lock_guard lock(mutex_);
        std::vector<Event> found;
        for (const auto& event : events_) {
            if (const auto* match = std::get_if<Event>(&event)) found.push_back(*match);
        }
        return found;
    }
    std::string output(int stream) const;
    // Names of vertices that were answered from the cache.
    std::vector<std::string> cached() const;
    std::vector<std::string> statuses() const;

  private:
    mutable std::mutex mutex_;
    std::vector<base::ProgressEvent> events_;
};

// Nodes by hand, Windows metadata.
tree::Node directory_node(base::FileTime time = {});
tree::Node file_node(std::string data, base::FileTime time = {});
tree::Node link_node(std::string target, tree::NodeKind kind = tree::NodeKind::Symlink);

class WorkerTest : public testing::Test {
  protected:
    WorkerTest();

    // A file of the context.
    void write(std::string_view path, std::string_view data) const;
    std::filesystem::path path(std::string_view name) const { return directory.path() / name; }
    worker::Worker& worker();
    // Gives up results and everything learned, as a new process would, perhaps in another state.
    void restart(std::string_view state_name = "state");

    // Vertices.
    static solver::Edge vertex(solver::Operation operation, std::vector<solver::Edge> inputs = {},
                               std::string name = "");
    solver::Edge base_image();
    // A Windows image of these layers in the content store, base first: its vertex, or its manifest.
    solver::Edge image(std::vector<tree::Delta> layers);
    base::Digest image_manifest(std::vector<tree::Delta> layers);
    static solver::Edge context(std::vector<std::string> ignore = {});
    static solver::Edge scratch() { return vertex(solver::ScratchSource{}, {}, "scratch"); }
    static solver::Edge copy(solver::Edge base, solver::Edge from, solver::CopyAction action);
    static solver::Edge run(solver::Edge base, std::vector<std::string> arguments);

    worker::SnapshotRef solve(const solver::Edge& edge);
    // Records what is written by now of results that were solved, as a build does after exporting.
    void save_late(const std::vector<solver::Edge>& edges);
    std::string read(const worker::SnapshotRef& snapshot, std::string_view path);
    // The error of `solve`; fails the test if there is none.
    base::Error failure(const solver::Edge& edge);

    base::TempDir directory;
    std::unique_ptr<cache::State> state;
    FakeServices fake;
    worker::WorkerOptions options;
    RecordedProgress progress;
    base::CancelToken cancel;
    static constexpr base::FileTime kEpoch = base::FileTime::from_seconds(1'700'000'000);
    static constexpr base::FileTime kBaseTime = base::FileTime::from_seconds(1'600'000'000);

  private:
    std::unique_ptr<worker::Worker> worker_;
    std::unique_ptr<solver::Solver> solver_;
};

}  // namespace mullion::test
