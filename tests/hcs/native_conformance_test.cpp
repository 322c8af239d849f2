// The conformance suites on the native code and the doubles of the host's libraries.
#include <fstream>

#include "hcs/native.hpp"
#include "hcs/native_api.hpp"
#include "tests/conformance/hcs_backend.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;

// A host of its own for each backend.
HcsBackend make_backend(const BackendLimits&) {
    static int number = 0;
    fs::path directory =
        fs::temp_directory_path() /
        ("fake-hcs-suite-" + std::to_string(::GetCurrentProcessId()) + "-" + std::to_string(++number));
    fs::create_directories(directory);
    ::SetEnvironmentVariableW(L"MULLION_FAKE_HCS", directory.c_str());
    return {hcs::make_native_compute_service({.shut_down_limit = std::chrono::seconds(5)}),
            hcs::make_native_layer_storage({directory / "state"})};
}

// What ProcessBaseImage would.
void finish_base(const fs::path& folder) {
    std::ofstream(folder / "blank.vhdx") << "disk";
}

constexpr const char* kNoLimits = "a limit of the emulation; the worker has a time limit for every backend";
constexpr const char* kProcessesAreWines =
    "processes of the doubles are Wine's own: one user, one registry, no silo";
constexpr const char* kDoubleKeepsBytes = "the double keeps the names and bytes of files only";
constexpr const char* kWorkerFolds =
    "Windows' casing is what it was given; tree::canonicalise() restores the base's";
constexpr const char* kWindowsRefuses =
    "Windows itself refuses; the doubles do not know of one another's use";

const std::map<std::string, std::string> kExceptions = {
    {"ForkBombMeetsTheTaskLimit", kNoLimits},
    {"HangingProcessMeetsTheTimeLimit", kNoLimits},
    {"UsersDifferInNameAndProfile", kProcessesAreWines},
    {"UnknownUserIsRefused", kProcessesAreWines},
    {"UserOfTheImageIsAccepted", kProcessesAreWines},
    {"VersionIsTheImages", kProcessesAreWines},
    {"VersionsOfAnotherFormAreRefused", "Windows' version is the layers'"},
    {"HostNameIsTheDocuments", kProcessesAreWines},
    {"MappedDirectoriesAreSharedAsTheDocumentSays", kProcessesAreWines},
    {"StatisticsTellWhatProcessesUsed", "the double says what it is told (NativeCompute)"},
    {"ReplacedDirectoryIsRemovalsOfWhatItLost", kWorkerFolds},
    {"FileMadeAgainInAnotherCasingIsOneUpsert", kWorkerFolds},
    {"FileInPlaceOfADirectoryIsOneUpsert", "what a file hides, an export of Windows may list too"},
    {"StreamsBelongToTheirFile", kDoubleKeepsBytes},
    {"StreamsGoWithTheirFile", kDoubleKeepsBytes},
    {"StreamsOfADirectoryAreItsChange", kDoubleKeepsBytes},
    {"RegistryChangesAreReported", kProcessesAreWines},
    {"AScratchKeepsItsHostName", kProcessesAreWines},
    {"TerminatedScratchesAreNotContinued", "a disk is whole whenever its system ended"},
    {"RunningSystemsCannotBeExported", kWindowsRefuses},
};

HcsBackendFactory native_backend() {
    return {"Native", [] { return std::nullopt; }, make_backend, finish_base, kExceptions};
}

INSTANTIATE_TEST_SUITE_P(Native, ComputeSystemSuite, testing::Values(native_backend()),
                         [](const auto& parameter) { return parameter.param.name; });
INSTANTIATE_TEST_SUITE_P(Native, LayerStorageSuite, testing::Values(native_backend()),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace mullion::test
