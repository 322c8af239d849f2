#include "hcs/wine_layer_maker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "hcs/box.hpp"
#include "hcs/embedded.hpp"
#include "hcs/launch.hpp"
#include "hcs/registry_text.hpp"
#include "hcs/stub_tools.hpp"
#include "hcs/wine_layer.hpp"
#include "hcs/wine_runtime.hpp"
#include "tree/name.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr const char* kUser = "ContainerAdministrator";
constexpr std::uint64_t kMemory = std::uint64_t{2} << 30;
constexpr std::uint32_t kTasks = 200;          // wineboot's services need some 60
constexpr std::uint32_t kSelfTestTasks = 100;  // a desktop needs some 20
// Ten seconds each on an idle machine; what they catch never ends.
constexpr auto kBootLimit = 600s;
constexpr auto kSelfTestLimit = 120s;
constexpr int kConsoleTries = 10;
constexpr std::uint32_t kWindowMade = 42;
constexpr std::size_t kHiveLimit = 64 << 20;

// Windows' spelling of what wine.inf makes.
constexpr std::pair<const char*, const char*> kSpelling[] = {
    {"users", "Users"},
    {"windows", "Windows"},
    {"Windows/help", "Help"},
    {"Windows/inf", "INF"},
    {"Windows/globalization", "Globalization"},
    {"Windows/Globalization/sorting", "Sorting"},
    {"Windows/system32", "System32"},
    {"Windows/temp", "Temp"},
    {"Windows/winsxs", "WinSxS"},
    {"Windows/WinSxS/manifests", "Manifests"},
};

// What a container has no use for: other programs, other architectures, things for a desktop.
constexpr const char* kUnwanted[] = {
    "Program Files (x86)",
    "Program Files/Internet Explorer",
    "Program Files/Windows Media Player",
    "Program Files/Windows NT",
    "ProgramData/Microsoft/Windows/Templates",
    "Users/Public",
    "Windows/logs",
    "Windows/performance",
    "Windows/resources",
    "Windows/syswow64",
    "Windows/System32/gecko",
    "Windows/System32/WindowsPowerShell",
    "Windows/tasks",
    "Windows/twain_64",
};

// The parts of a profile that programs expect or Wine would make.
constexpr const char* kProfile[] = {
    "AppData/Local/Microsoft/Windows/History",
    "AppData/Local/Microsoft/Windows/INetCache",
    "AppData/Local/Microsoft/Windows/INetCookies",
    "AppData/Local/Temp",
    "AppData/LocalLow",
    "AppData/Roaming/Microsoft/Windows/Start Menu/Programs/StartUp",
    "AppData/Roaming/Microsoft/Windows/Themes",
};

// cmd: Wine's own runs what follows && and || in any case, and more of that kind; ours takes its place.
constexpr const char* kUnwantedPrograms[] = {"cmd.exe", "wineboot.exe", "winemenubuilder.exe"};

// The first process of a box starts wineboot and waits for it. Its work is in the prepared registry, so in
// its place is a file that is no program, which costs least: a program would take a process, and no file at
// all leaves a complaint on standard error.
constexpr std::string_view kNoProgram("MZ\0\0", 4);
constexpr std::size_t kNoProgramSize = 512;

class Maker {
  public:
    Maker(fs::path directory, const base::CancelToken& cancel)
        : directory_(std::move(directory)), cancel_(cancel) {}

    std::set<fs::path> run() {
        std::set<fs::path> sources = copy_wine_runtime(root(), cancel_);
        boot();
        arrange_files();
        link_windows_files();
        remove_programs();
        add_shims();
        edit_registry();
        settle();
        fs::create_directory(directory_ / "views");
        return sources;
    }

  private:
    fs::path root() const { return directory_ / "root"; }
    fs::path files() const { return directory_ / "c"; }

    BoxPlan plan(const fs::path& lower, const fs::path& place, std::uint32_t tasks,
                 std::chrono::seconds limit) {
        for (const char* name : {"upper", "work"}) fs::create_directories(place / name);
        BoxPlan plan;
        plan.root = root();
        plan.lowers = {lower};
        plan.upper = place / "upper";
        plan.work = place / "work";
        plan.prefix = directory_ / "prefix";
        plan.hostname = "mullion";
        plan.limits = {.tasks = tasks, .memory_bytes = kMemory, .processors = {}, .weight = {}};
        plan.time_limit = limit;
        return plan;
    }

    // Runs Wine's own set-up in a box, so that nothing of the host gets into the registry.
    void boot() {
        make_prefix(directory_ / "prefix");
        fs::remove(directory_ / "prefix/.update-timestamp");  // its absence asks for the set-up
        fs::create_directory(directory_ / "empty");
        Box box(plan(directory_ / "empty", directory_ / "boot", kTasks, kBootLimit), cancel_);
        std::vector<std::string> arguments = {wine::kLoader, "wineboot", "--init"};
        BoxExit exit = start_and_wait(box, "boot", arguments, {});
        if (exit.unix_status != 0) {
            throw base::fail(ErrorCode::Unavailable, "Wine's set-up failed (status {})", exit.unix_status);
        }
        box.stop(cancel_);
        if (!fs::exists(directory_ / "boot/upper/windows/system32/kernel32.dll")) {
            throw base::fail(ErrorCode::Unavailable, "Wine's set-up made no Windows directory");
        }
        base::write_file_atomic(directory_ / "prefix/.update-timestamp", "disable\n");
    }

    BoxExit start_and_wait(Box& box, const std::string& id, const std::vector<std::string>& arguments,
                           std::string_view file) {
        base::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
        box.spawn(id, arguments, loader_variables(kUser), null.get(), null.get(), null.get(), file);
        return *box.wait(id, std::nullopt, cancel_);
    }

    void arrange_files() {
        fs::rename(directory_ / "boot/upper", files());
        for (const auto& [from, to] : kSpelling) {
            fs::path old = files() / from;
            if (fs::exists(old)) fs::rename(old, old.parent_path() / to);
        }
        for (const char* path : kUnwanted) base::remove_tree(files() / path);
        base::remove_tree(files() / "Users");
        for (const char* user : {kUser, "ContainerUser"}) {
            for (const char* part : kProfile) fs::create_directories(files() / "Users" / user / part);
        }
    }

    // The set-up copied every PE file into C:.
    void link_windows_files() {
        fs::path originals = root() / fs::path(wine::kWindowsLibraries).relative_path();
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(files())) {
            if (!entry.is_regular_file()) continue;
            fs::path original = originals / entry.path().filename();
            if (!fs::is_regular_file(original) || fs::file_size(original) != entry.file_size()) continue;
            fs::remove(entry.path());
            fs::create_hard_link(original, entry.path());
        }
    }

    // From C: and from where Wine's loader would still find them.
    void remove_programs() {
        std::vector<std::string> unwanted(std::begin(kUnwantedPrograms), std::end(kUnwantedPrograms));
        for (const StubTool& tool : stub_tools()) unwanted.emplace_back(tool.file);
        std::vector<fs::path> found;
        for (const fs::path& place : {files(), root() / fs::path(wine::kWindowsLibraries).relative_path()}) {
            for (const fs::directory_entry& entry : fs::recursive_directory_iterator(place)) {
                std::string name = entry.path().filename().string();
                for (const std::string& each : unwanted) {
                    if (tree::names_equal(tree::Os::Windows, name, each)) found.push_back(entry.path());
                }
            }
        }
        for (const fs::path& path : found) fs::remove(path);
    }

    void add_shims() {
        std::string no_program(kNoProgram);
        no_program.resize(kNoProgramSize);
        base::write_file_atomic(files() / "Windows/System32/wineboot.exe", no_program);
        base::write_file_atomic(files() / "Windows/System32/bcryptprimitives.dll",
                                bcryptprimitives_library());
        base::write_file_atomic(files() / "Windows/System32/cmd.exe", cmd_program());
    }

    // Windows are made without a screen; and Windows' place for temporary files.
    void edit_registry() {
        fs::path hive = directory_ / "prefix/user.reg";
        std::string text = base::read_file(hive, kHiveLimit);
        text = with_registry_value(std::move(text), "Software\\Wine\\Drivers", "Graphics",
                                   registry_string("null"));
        std::string temporary = "str(2):" + registry_string("%USERPROFILE%\\AppData\\Local\\Temp");
        for (const char* name : {"TEMP", "TMP"}) {
            text = with_registry_value(std::move(text), "Environment", name, temporary);
        }
        base::write_file_atomic(hive, text);
    }

    std::uint32_t run_program(Box& box, const std::string& id, const std::string& command_line) {
        LaunchContext context{kUser, "mullion", 1};
        BoxExit exit = start_and_wait(box, id, loader_arguments(id),
                                      launch_file("C:\\", command_line, environment_block(context, {})));
        if (!exit.code)
            throw base::fail(ErrorCode::Unavailable, "the launcher does not work (status {})",
                             exit.unix_status);
        return *exit.code;
    }

    // A new console keeps its looks below HKCU\Console, unless its program ends before it comes to that.
    void open_console(Box& box) {
        for (int i = 0; i < kConsoleTries; ++i) {
            std::uint32_t code =
                run_program(box, fmt::format("console{}", i), "cmd /S /C \"start /wait cmd /c exit 7\"");
            if (code != 7) {
                base::log("hcs").warn("programs of their own consoles do not work in the emulation: {}",
                                      code);
                return;
            }
            if (run_program(box, fmt::format("looks{}", i), "reg query HKCU\\Console") == 0) return;
        }
        base::log("hcs").warn("no console of the emulation has written down its looks");
    }

    // The self-test; and what first programs write into the registry belongs into the prepared one.
    void settle() {
        try {
            Box box(plan(files(), directory_ / "settle", kSelfTestTasks, kSelfTestLimit), cancel_);
            std::uint32_t code = run_program(box, "cmd", "cmd /S /C \"ver & exit 300\"");
            if (code != 300) throw base::fail(ErrorCode::Unavailable, "cmd returned {} instead of 300", code);
            // Registers its types when it first runs. Without that only a step that uses it shows them as its
            // own.
            code = run_program(box, "script",
                               "cmd /S /C \"echo 'nothing>C:\\settle.vbs& cscript //nologo C:\\settle.vbs\"");
            if (code != 0)
                base::log("hcs").warn("cscript does not work in the emulation: it returned {}", code);
            open_console(box);
            code = run_program(box, "window", "\\\\?\\unix\\mullion\\window.exe");
            if (code != kWindowMade)
                throw base::fail(ErrorCode::Unavailable, "a window could not be made ({})", code);
            box.stop(cancel_);
        } catch (base::Error& error) {
            if (error.code() == ErrorCode::Canceled) throw;
            throw base::fail(ErrorCode::Unavailable, "the self-test of Wine failed: {}", error.what());
        }
        fs::create_directory(directory_ / "registry");
        for (const char* hive : kHiveFiles) {
            fs::copy_file(directory_ / "prefix" / hive, directory_ / "registry" / hive);
        }
        for (const char* name : {"boot", "settle", "empty", "prefix"}) base::remove_tree(directory_ / name);
    }

    fs::path directory_;
    const base::CancelToken& cancel_;
};

}  // namespace

std::set<fs::path> make_wine_layer(const fs::path& directory, const base::CancelToken& cancel) {
    return base::with_context([] { return "preparing Wine"; },
                              [&] { return Maker(directory, cancel).run(); });
}

}  // namespace mullion::hcs
