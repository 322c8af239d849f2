#include "cli/self_test.hpp"

#include <chrono>

#include "base/error.hpp"
#include "base/stream.hpp"
#include "hcs/compute_system.hpp"
#include "hcs/layer_storage.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

// A code that has no room in the eight bits of a Unix status.
constexpr const char* kCommand = "cmd /S /C \"echo mullion self-test& exit 300\"";
constexpr const char* kOutput = "mullion self-test\r\n";
constexpr std::uint32_t kExitCode = 300;
constexpr std::chrono::seconds kLimit{60};

struct Outcome {
    std::uint32_t exit_code = 0;
    std::string output;
    std::string errors;
};

Outcome run_command(hcs::ComputeService& service, const hcs::ComputeSystemDocument& document,
                    const base::CancelToken& cancel) {
    auto system = service.create("self-test", document, cancel);
    system->start(cancel);
    hcs::ProcessParameters parameters;
    parameters.CommandLine = kCommand;
    parameters.CreateStdOutPipe = parameters.CreateStdErrPipe = true;
    base::StringSink output, errors;
    auto process =
        system->create_process(parameters, {.standard_output = &output, .standard_error = &errors}, cancel);
    hcs::ProcessStatus status = process->wait(std::chrono::steady_clock::now() + kLimit, cancel);
    if (!status.Exited) {
        throw base::fail(ErrorCode::TimedOut, "the command did not end within {} seconds", kLimit.count());
    }
    process.reset();
    system->shut_down(cancel);
    return {status.ExitCode, output.take(), errors.take()};
}

}  // namespace

void run_self_test(const worker::ComputeServices& services, const fs::path& directory,
                   const base::CancelToken& cancel) {
    fs::path layer = directory / "layer", scratch = directory / "scratch";
    fs::create_directories(layer / "Files/Windows/System32");
    services.storage->create_scratch(scratch, {.parents = {layer}});
    hcs::ComputeSystemDocument document;
    document.Owner = "mullion";
    document.ShouldTerminateOnLastHandleClosed = true;
    document.Container.Storage.Path = services.storage->attach(scratch);
    document.Container.Storage.Layers = {{hcs::layer_id("layer"), layer.string()}};
    Outcome outcome = run_command(*services.compute, document, cancel);
    services.storage->detach(scratch);
    services.storage->destroy(scratch);
    if (outcome.exit_code == kExitCode && outcome.output == kOutput) return;
    throw base::fail(ErrorCode::Process,
                     "a command that prints \"mullion self-test\" and exits with {} exited with {} and "
                     "printed \"{}\"",
                     kExitCode, outcome.exit_code, outcome.output + outcome.errors);
}

}  // namespace mullion::cli
