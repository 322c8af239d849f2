#include "tests/support/mullion.hpp"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "base/error.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kTimeLimit{5};
constexpr const char* kNoRegistries = ".config/mullion/certs.d/_default/hosts.toml";

// Can a child make the namespaces a container needs?
bool namespaces_work() {
    pid_t child = ::fork();
    if (child == 0) {
        int flags = CLONE_NEWNS | CLONE_NEWPID | (::geteuid() == 0 ? 0 : CLONE_NEWUSER);
        ::_exit(::unshare(flags) == 0 ? 0 : 1);
    }
    int status = 1;
    ::waitpid(child, &status, 0);
    return status == 0;
}

}  // namespace

bool can_run_containers(std::string& reason) {
    static const bool works = namespaces_work();
    if (!works) reason = "the kernel refuses new mount and pid namespaces here";
    return works;
}

Workspace::Workspace() : directory_(fs::temp_directory_path(), "mullion-test") {
    state_ = make_state("state");
    write(kNoRegistries, "server = \"http://127.0.0.1:1\"\n");
}

void Workspace::use_registries() const {
    fs::remove(path(kNoRegistries));
}

std::string Workspace::program() {
    return MULLION_BINARY;
}

fs::path Workspace::path(std::string_view name) const {
    return directory_.path() / name;
}

void Workspace::write(std::string_view name, std::string_view data) const {
    base::write_file_atomic(path(name), data);
}

std::string Workspace::read(std::string_view name) const {
    return base::read_file(path(name), 256 << 20);
}

fs::path Workspace::make_state(std::string_view name) const {
    fs::path state = path(name);
    fs::path shared = fs::path(MULLION_TEST_SHARED) / "wine";
    fs::create_directories(shared);
    fs::create_directories(state);
    fs::create_directory_symlink(shared, state / "wine");
    return state;
}

std::map<std::string, std::string> Workspace::environment() const {
    std::map<std::string, std::string> all = {{"PATH", std::getenv("PATH")},
                                              {"HOME", path().string()},
                                              {"LC_ALL", "C.UTF-8"},
                                              {"MULLION_STATE", state_.string()}};
    if (const char* options = std::getenv("TSAN_OPTIONS")) all["TSAN_OPTIONS"] = options;
    for (const auto& [name, value] : environment_) all[name] = value;
    return all;
}

base::ProcessOutput Workspace::run(std::vector<std::string> args, std::vector<std::string> prefix) const {
    prefix.push_back(MULLION_BINARY);
    prefix.insert(prefix.end(), args.begin(), args.end());
    return tool(std::move(prefix));
}

base::ProcessOutput Workspace::tool(std::vector<std::string> argv) const {
    base::ProcessOptions options;
    options.argv = std::move(argv);
    options.directory = path();
    options.environment = environment();
    options.time_limit = kTimeLimit;
    return base::run_and_capture(std::move(options), {});
}

std::string Workspace::base_context() const {
    fs::path layout = path("base");
    if (!fs::exists(layout)) {
        auto made = run({"base", "create", "--os-version", "10.0.20348.2700", "--dest", layout.string()});
        if (made.exit_code != 0) throw std::runtime_error("base create failed: " + made.err);
    }
    return "base=oci-layout://" + layout.string();
}

}  // namespace mullion::test
