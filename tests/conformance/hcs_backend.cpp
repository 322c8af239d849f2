#include "tests/conformance/hcs_backend.hpp"

#include <fmt/format.h>

#include <sstream>

namespace mullion::test {

namespace fs = std::filesystem;

std::vector<std::string> CommandResult::paths(hcs::RawChange::Kind kind) const {
    std::vector<std::string> found;
    for (const hcs::RawChange& change : changes.files) {
        if (change.kind == kind) found.push_back(change.path);
    }
    return found;
}

const hcs::RawChange* CommandResult::find(std::string_view path) const {
    for (const hcs::RawChange& change : changes.files) {
        if (change.path == path) return &change;
    }
    return nullptr;
}

void HcsConformance::SetUp() {
    if (std::optional<std::string> problem = GetParam().problem()) GTEST_SKIP() << *problem;
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    auto exception = GetParam().exceptions.find(name.substr(0, name.find('/')));
    if (exception != GetParam().exceptions.end()) GTEST_SKIP() << exception->second;
    directory_ = std::make_unique<base::TempDir>(fs::temp_directory_path(), "hcs-test");
    fs::create_directories(base_layer() / "Files/Windows/System32");
    options_.parents = {base_layer()};
    options_.os_version = "10.0.20348.2700";
    use_limits({});
    if (GetParam().finish_base) GetParam().finish_base(base_layer());
}

void HcsConformance::write(std::string_view path, std::string_view data) {
    base::write_file_atomic(base_layer() / "Files" / path, data);
    fs::permissions(base_layer() / "Files" / path, fs::perms(0644));
}

hcs::ComputeSystemDocument HcsConformance::document() {
    last_scratch_ = scratch(fmt::format("scratch{}", next_scratch_++));
    backend_.storage->create_scratch(last_scratch_, options_);
    hcs::ComputeSystemDocument document;
    document.Owner = "test";
    document.ShouldTerminateOnLastHandleClosed = true;
    document.Container.Storage.Path = backend_.storage->attach(last_scratch_);
    for (const fs::path& parent : options_.parents) {
        document.Container.Storage.Layers.push_back(
            {hcs::layer_id(parent.filename().string()), parent.string()});
    }
    return document;
}

hcs::ProcessParameters HcsConformance::command(std::string_view line) {
    hcs::ProcessParameters parameters;
    parameters.CommandLine = line;
    parameters.CreateStdOutPipe = parameters.CreateStdErrPipe = true;
    return parameters;
}

std::unique_ptr<hcs::ComputeSystem> HcsConformance::start_system() {
    auto system = backend_.compute->create(fmt::format("system{}", next_scratch_), document(), {});
    system->start({});
    return system;
}

CommandResult HcsConformance::run(std::string_view line,
                                  const std::function<void(hcs::ProcessParameters&)>& adapt,
                                  base::Source* input) {
    auto system = start_system();
    hcs::ProcessParameters parameters = command(line);
    parameters.CreateStdInPipe = input != nullptr;
    if (adapt) adapt(parameters);
    base::StringSink out, err;
    auto process = system->create_process(parameters, {input, &out, &err}, {});
    hcs::ProcessStatus status = process->wait(std::nullopt, {});
    EXPECT_TRUE(status.Exited);
    process.reset();
    system->shut_down({});
    CommandResult result{status.ExitCode, out.take(), err.take(),
                         backend_.storage->export_layer(last_scratch_, {})};
    system.reset();
    backend_.storage->detach(last_scratch_);
    return result;
}

std::string content_of(const hcs::RawChange& change) {
    return change.content.empty() ? std::string() : base::read_file(change.content, 1 << 20);
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> result;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
        result.push_back(line);
    }
    return result;
}

}  // namespace mullion::test
