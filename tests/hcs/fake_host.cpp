#include "tests/hcs/fake_host.hpp"

#include <fstream>
#include <sstream>

namespace mullion::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVolume = "0f6cb9d0-2b7f-4f5c-8a51-2d2f5a0c6e01";

fs::path program_directory() {
    wchar_t path[1024];
    ::GetModuleFileNameW(nullptr, path, 1024);
    return fs::path(path).parent_path();
}

template <typename Function>
Function* function(const hcs::Library& library, const char* name) {
    Function* found = nullptr;
    library.find(found, name);
    return found;
}

std::size_t open_handles(const hcs::Library& library) {
    return function<std::size_t WINAPI()>(library, "FakeOpenHandles")();
}

void write(const fs::path& path, std::string_view text, std::ios::openmode mode = std::ios::trunc) {
    std::ofstream(path, std::ios::binary | mode) << text;
}

}  // namespace

FakeHost::FakeHost() {
    static int number = 0;
    directory_ = fs::temp_directory_path() /
                 ("fake-hcs-" + std::to_string(::GetCurrentProcessId()) + "-" + std::to_string(++number));
    fs::create_directories(directory_ / "volumes");
    fs::create_directories(scratch() / "sub");
    fs::create_directories(layer() / "Files");
    write(layer() / "blank.vhdx", "disk");
    write(directory_ / "volumes" / kVolume, scratch().string() + "\n");
    ::SetEnvironmentVariableW(L"MULLION_FAKE_HCS", directory_.c_str());
    forget_network();
    function<void WINAPI()>(layers_, "FakeReset")();
}

FakeHost::~FakeHost() {
    // Requests that were given up end on threads of the doubles.
    for (int i = 0; i < 100 && open_handles(core_) != 0; ++i) ::Sleep(10);
    EXPECT_EQ(open_handles(core_), 0u);
    EXPECT_EQ(open_handles(network_), 0u);
    EXPECT_EQ(open_handles(layers_), 0u);
    EXPECT_EQ(network_objects("endpoints"), 0u);
    EXPECT_EQ(network_objects("namespaces"), 0u);
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

void FakeHost::fault(std::string_view call, std::string_view value) {
    write(directory_ / "faults", std::string(call) + " " + std::string(value) + "\n", std::ios::app);
}

void FakeHost::set(const char* name, std::string_view text) {
    write(directory_ / name, text);
}

std::string FakeHost::log() const {
    std::ostringstream text;
    text << std::ifstream(directory_ / "log", std::ios::binary).rdbuf();
    return text.str();
}

void FakeHost::clear_log() {
    fs::remove(directory_ / "log");
}

std::vector<std::string> FakeHost::calls() const {
    std::vector<std::string> names;
    std::istringstream lines(log());
    for (std::string line; std::getline(lines, line);) names.push_back(line.substr(0, line.find(' ')));
    return names;
}

hcs::ComputeSystemDocument FakeHost::document() {
    hcs::ComputeSystemDocument document;
    document.Owner = "test";
    document.ShouldTerminateOnLastHandleClosed = true;
    document.Container.Storage.Layers = {{"0c7f1b52-9a4e-5d0b-8a35-6a1f0e2b9d11", layer().string()}};
    document.Container.Storage.Path = std::string("\\\\?\\Volume{") + kVolume + "}\\";
    return document;
}

hcs::ProcessParameters FakeHost::child(std::string_view arguments) const {
    hcs::ProcessParameters parameters;
    parameters.CommandLine =
        "\"" + (program_directory() / "child.exe").string() + "\" " + std::string(arguments);
    parameters.CreateStdOutPipe = parameters.CreateStdErrPipe = true;
    return parameters;
}

std::size_t FakeHost::network_objects(const char* kind) const {
    return function<std::size_t WINAPI(const char*)>(network_, "FakeObjects")(kind);
}

void FakeHost::forget_network() {
    function<void WINAPI()>(network_, "FakeReset")();
}

void FakeHost::disconnect() {
    function<void WINAPI()>(core_, "FakeDisconnect")();
}

void FakeHost::exit_unexpectedly(const std::string& id) {
    function<void WINAPI(PCWSTR)>(core_, "FakeUnexpectedExit")(base::to_wide(id).c_str());
}

}  // namespace mullion::test
