#include "tests/worker/worker_test.hpp"

#include "base/error.hpp"
#include "oci/config.hpp"
#include "tree/security_descriptor.hpp"
#include "worker/image.hpp"

namespace mullion::test {
namespace {

constexpr const char* kPlatform = "windows(10.0.20348.2700)/amd64";

// Own spelling, own descriptors: what steps on top must keep.
tree::Tree base_tree(base::FileTime time) {
    tree::Tree empty(tree::Os::Windows);
    tree::TreeEditor editor(empty);
    tree::Node root = directory_node(time);
    root.metadata.descriptor = tree::default_descriptor(true);
    editor.put("", root);
    for (const char* path : {"Windows", "Windows/System32", "Windows/Temp", "Users", "Users/ContainerUser",
                             "Users/Public", "Program Files"}) {
        tree::Node node = directory_node(time);
        node.metadata.descriptor = tree::default_descriptor(true);
        editor.put(path, std::move(node));
    }
    editor.put("Windows/System32/cmd.exe", file_node("MZ cmd", time));
    editor.put("Users/Public/readme.txt", file_node("public", time));
    return editor.finish();
}

}  // namespace

tree::Node directory_node(base::FileTime time) {
    tree::Node node;
    node.metadata.attributes = tree::attribute::kDirectory;
    node.metadata.set_times(time);
    return node;
}

tree::Node file_node(std::string data, base::FileTime time) {
    tree::Node node;
    node.kind = tree::NodeKind::File;
    node.metadata.attributes = tree::attribute::kArchive;
    node.metadata.set_times(time);
    node.content = tree::Content::inline_bytes(std::move(data));
    return node;
}

tree::Node link_node(std::string target, tree::NodeKind kind) {
    tree::Node node;
    node.kind = kind;
    node.metadata.attributes = tree::attribute::kReparsePoint;
    node.link_target = std::move(target);
    return node;
}

std::string RecordedProgress::output(int stream) const {
    std::string text;
    for (const auto& event : all<base::LogEvent>()) {
        if (event.stream == stream) text += event.data;
    }
    return text;
}

std::vector<std::string> RecordedProgress::cached() const {
    std::vector<std::string> names;
    for (const auto& event : all<base::VertexEvent>()) {
        if (event.cached && event.completed) names.push_back(event.name);
    }
    return names;
}

std::vector<std::string> RecordedProgress::statuses() const {
    std::vector<std::string> names;
    for (const auto& event : all<base::StatusEvent>()) {
        if (event.completed) names.push_back(event.id);
    }
    return names;
}

WorkerTest::WorkerTest() : directory(std::filesystem::temp_directory_path(), "mullion-worker-test") {
    std::filesystem::create_directory(path("context"));
    options.contexts["context"] = path("context");
    state = std::make_unique<cache::State>(path("state"));
}

void WorkerTest::write(std::string_view name, std::string_view data) const {
    std::filesystem::path file = path("context") / name;
    std::filesystem::create_directories(file.parent_path());
    base::write_file_atomic(file, data);
}

worker::Worker& WorkerTest::worker() {
    if (!worker_) worker_ = std::make_unique<worker::Worker>(*state, fake.services(), options);
    return *worker_;
}

void WorkerTest::restart(std::string_view state_name) {
    solver_.reset();
    worker_.reset();
    state.reset();
    state = std::make_unique<cache::State>(path(state_name));
}

solver::Edge WorkerTest::vertex(solver::Operation operation, std::vector<solver::Edge> inputs,
                                std::string name) {
    std::string bytes = solver::serialise({kPlatform, std::move(operation)});
    return {solver::Vertex::make(std::move(bytes), std::move(inputs), {std::move(name), false, {}}), 0};
}

base::Digest WorkerTest::image_manifest(std::vector<tree::Delta> layers) {
    oci::Platform platform = oci::Platform::parse(kPlatform);
    std::vector<worker::LayerRef> stack;
    worker::ImageRequest request;
    for (tree::Delta& layer : layers) {
        stack.push_back(
            std::make_shared<worker::Layer>(std::make_shared<const tree::Delta>(std::move(layer))));
        request.config.history.push_back({kBaseTime, "base", "", "", false});
    }
    request.snapshot = worker::Snapshot::stack(platform, stack);
    request.config.platform = platform;
    request.epoch = kBaseTime;
    auto image = worker::assemble_image(worker(), request, progress, base::Digest::of("base"), cancel);
    state->content().put_bytes(image.config);
    state->content().put_bytes(image.manifest);
    return image.descriptor.digest;
}

solver::Edge WorkerTest::image(std::vector<tree::Delta> layers) {
    std::string manifest = image_manifest(std::move(layers)).string();
    return vertex(solver::ImageSource{"base", manifest, kPlatform, ""}, {}, "base");
}

solver::Edge WorkerTest::base_image() {
    return image({tree::diff(tree::Tree(tree::Os::Windows), base_tree(kBaseTime))});
}

solver::Edge WorkerTest::context(std::vector<std::string> ignore) {
    return vertex(solver::LocalSource{"context", std::move(ignore)}, {}, "context");
}

solver::Edge WorkerTest::copy(solver::Edge base, solver::Edge from, solver::CopyAction action) {
    action.input = 1;
    solver::FileOperation operation;
    operation.actions.emplace_back(std::move(action));
    operation.epoch_ticks = kEpoch.ticks;
    return vertex(std::move(operation), {std::move(base), std::move(from)}, "COPY");
}

solver::Edge WorkerTest::run(solver::Edge base, std::vector<std::string> arguments) {
    solver::ExecOperation operation;
    operation.arguments = std::move(arguments);
    operation.epoch_ticks = kEpoch.ticks;
    return vertex(std::move(operation), {std::move(base)}, "RUN");
}

worker::SnapshotRef WorkerTest::solve(const solver::Edge& edge) {
    worker();  // made here: threads that resolve vertices would race for it
    if (!solver_) {
        solver_ = std::make_unique<solver::Solver>(
            [this](const solver::VertexRef& wanted) { return worker().resolve(wanted); }, &state->keys(),
            progress);
    }
    return worker::snapshot_of(solver_->solve({edge}, cancel).at(0));
}

void WorkerTest::save_late(const std::vector<solver::Edge>& edges) {
    for (const solver::Edge& edge : edges) {
        if (solver::ResultRef result = solver_->known_result(edge)) solver_->save_late(edge, result);
    }
}

std::string WorkerTest::read(const worker::SnapshotRef& snapshot, std::string_view name) {
    tree::NodeRef node = snapshot->tree(cancel).find(name);
    if (!node || !node->content) return "(no file)";
    return worker().parts().blobs.contents().open(*node->content, cancel)->read_all(1 << 20, "file");
}

base::Error WorkerTest::failure(const solver::Edge& edge) {
    try {
        solve(edge);
    } catch (const base::Error& error) {
        return error;
    }
    ADD_FAILURE() << "the vertex did not fail";
    return base::fail(base::ErrorCode::Internal, "no failure");
}

}  // namespace mullion::test
