#include "hcs/control_group.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
namespace fs = std::filesystem;

constexpr std::size_t kSmallFile = 1 << 20;
constexpr std::string_view kPrefix = "mullion-";
constexpr int kCpuPeriod = 100'000;  // microseconds
constexpr long kLeastQuota = 1000;   // microseconds; the kernel takes no less
constexpr int kNameAttempts = 1000;

// Where the controllers are and which group we are in.
struct Hierarchies {
    std::map<std::string, fs::path> v1;  // controller -> our group's directory
    std::optional<fs::path> v2;
};

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
    return parts;
}

// In a container /proc may name a group above the mount; then the mount is our group.
fs::path group_directory(const fs::path& mount, const std::string& group) {
    fs::path directory = mount / fs::path(group).relative_path();
    return fs::exists(directory) ? directory : mount;
}

Hierarchies find_hierarchies() {
    std::map<std::string, std::string> groups;  // controllers -> group; "" is v2
    for (const std::string& line : split(base::read_file("/proc/self/cgroup", kSmallFile), '\n')) {
        std::vector<std::string> fields = split(line, ':');
        if (fields.size() < 3) continue;
        for (const std::string& controller : split(fields[1] + ",", ',')) groups[controller] = fields[2];
    }
    Hierarchies found;
    for (const std::string& line : split(base::read_file("/proc/self/mounts", kSmallFile), '\n')) {
        std::vector<std::string> fields = split(line, ' ');
        if (fields.size() < 4) continue;
        if (fields[2] == "cgroup2") found.v2 = group_directory(fields[1], groups[""]);
        if (fields[2] != "cgroup") continue;
        for (const std::string& option : split(fields[3], ',')) {
            if (option == "pids" || option == "memory" || option == "cpu") {
                found.v1[option] = group_directory(fields[1], groups[option]);
            }
        }
    }
    return found;
}

long quota(double processors) {
    return std::max(kLeastQuota, static_cast<long>(processors * kCpuPeriod));
}

bool try_write(const fs::path& file, const std::string& text) {
    base::UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

void write_limit(const fs::path& file, const std::string& text) {
    if (!try_write(file, text))
        throw base::system_error(errno, fmt::format("cannot write {}", file.string()));
}

bool has_word(const fs::path& file, std::string_view word) {
    std::optional<std::string> text = base::try_read_file(file, kSmallFile);
    std::istringstream words(text.value_or(""));
    for (std::string each; words >> each;) {
        if (each == word) return true;
    }
    return false;
}

// "name value" lines.
std::uint64_t counter(const fs::path& file, std::string_view name) {
    std::optional<std::string> text = base::try_read_file(file, kSmallFile);
    std::istringstream words(text.value_or(""));
    std::string key;
    std::uint64_t value = 0;
    while (words >> key >> value) {
        if (key == name) return value;
    }
    return 0;
}

// Of an engine that died there may be one of our name, if it had our process number. False if it is in use.
bool make_group(const fs::path& directory) {
    bool made = ::mkdir(directory.c_str(), 0755) == 0;
    if (!made && errno == EEXIST && ::rmdir(directory.c_str()) == 0) {
        made = ::mkdir(directory.c_str(), 0755) == 0;
    }
    if (made || errno == EEXIST || errno == EBUSY) return made;
    throw base::system_error(errno, fmt::format("cannot make the control group {}", directory.string()));
}

// Groups whose engine died without removing them. Busy ones refuse, which is right.
void sweep(const fs::path& parent) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
        std::string name = entry.path().filename().string();
        if (name.rfind(kPrefix, 0) != 0) continue;
        int owner = std::atoi(name.c_str() + kPrefix.size());
        if (owner > 0 && ::kill(owner, 0) != 0 && errno == ESRCH) ::rmdir(entry.path().c_str());
    }
}

std::string group_name() {
    static std::atomic<unsigned> next{0};
    return fmt::format("{}{}-{}", kPrefix, ::getpid(), next++);
}

// Enables controllers for the children of `directory`, which only works where no process sits in it (or at
// the root).
bool delegate(const fs::path& directory) {
    bool enabled = true;
    for (const char* controller : {"pids", "memory", "cpu"}) {
        if (!has_word(directory / "cgroup.controllers", controller)) return false;
        enabled = enabled && has_word(directory / "cgroup.subtree_control", controller);
    }
    // In one write: all of them or none.
    return enabled || try_write(directory / "cgroup.subtree_control", "+pids +memory +cpu");
}

}  // namespace

ControlGroup::ControlGroup(const ResourceLimits& limits) {
    try {
        make(limits);
    } catch (...) {
        remove();
        throw;
    }
}

void ControlGroup::make(const ResourceLimits& limits) {
    Hierarchies hierarchies = find_hierarchies();
    if (hierarchies.v1.contains("pids") && hierarchies.v1.contains("memory")) {
        std::vector<fs::path> parents;
        for (const auto& [controller, parent] : hierarchies.v1) parents.push_back(parent);
        std::string name = make_groups(parents);
        pids_ = hierarchies.v1["pids"] / name;
        memory_ = hierarchies.v1["memory"] / name;
        auto cpu = hierarchies.v1.find("cpu");
        return limit_v1(limits, cpu == hierarchies.v1.end() ? fs::path() : cpu->second / name);
    }
    if (!hierarchies.v2) throw base::fail(ErrorCode::Unsupported, "no control groups are mounted");
    // Our own group holds processes, so a sibling of ours is the nearest place; then further up.
    for (fs::path parent = *hierarchies.v2; fs::exists(parent / "cgroup.controllers");
         parent = parent.parent_path()) {
        if (!delegate(parent)) continue;
        unified_ = true;
        make_groups({parent});
        return limit_v2(limits);
    }
    throw base::fail(ErrorCode::Denied,
                     "no control group with pids and memory controllers is delegated to us");
}

// One in each of `parents`, of one name that is free in all.
std::string ControlGroup::make_groups(const std::vector<fs::path>& parents) {
    for (const fs::path& parent : parents) sweep(parent);
    for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
        std::string name = group_name();
        for (const fs::path& parent : parents) {
            if (!make_group(parent / name)) break;
            directories_.push_back(parent / name);
        }
        if (directories_.size() == parents.size()) return name;
        remove();
    }
    throw base::fail(ErrorCode::Exists, "no name is free for a control group in {}",
                     parents.front().string());
}

void ControlGroup::limit_v1(const ResourceLimits& limits, const fs::path& cpu) {
    write_limit(pids_ / "pids.max", std::to_string(limits.tasks));
    write_limit(memory_ / "memory.limit_in_bytes", std::to_string(limits.memory_bytes));
    try_write(memory_ / "memory.memsw.limit_in_bytes",
              std::to_string(limits.memory_bytes));  // if swap is counted
    if (!limits.processors && !limits.weight) return;
    if (cpu.empty()) throw base::fail(ErrorCode::Unsupported, "there is no cpu controller");
    if (limits.processors) {
        write_limit(cpu / "cpu.cfs_period_us", std::to_string(kCpuPeriod));
        write_limit(cpu / "cpu.cfs_quota_us", std::to_string(quota(*limits.processors)));
    }
    // 1024 shares are what weight 100 is.
    if (limits.weight) {
        write_limit(cpu / "cpu.shares", std::to_string(std::max(2U, *limits.weight * 1024 / 100)));
    }
}

void ControlGroup::limit_v2(const ResourceLimits& limits) {
    pids_ = memory_ = directories_.front();
    write_limit(pids_ / "pids.max", std::to_string(limits.tasks));
    write_limit(memory_ / "memory.max", std::to_string(limits.memory_bytes));
    try_write(memory_ / "memory.swap.max", "0");  // absent where swap is not counted
    if (limits.processors) {
        write_limit(pids_ / "cpu.max", fmt::format("{} {}", quota(*limits.processors), kCpuPeriod));
    }
    if (limits.weight) write_limit(pids_ / "cpu.weight", std::to_string(*limits.weight));
}

ControlGroup::~ControlGroup() {
    remove();
}

void ControlGroup::remove() {
    using namespace std::chrono_literals;
    auto give_up = std::chrono::steady_clock::now() + 5s;
    for (const fs::path& directory : directories_) {
        while (::rmdir(directory.c_str()) != 0 && errno == EBUSY) {
            if (std::chrono::steady_clock::now() > give_up) {
                base::log("hcs").warn("control group {} is not empty", directory.string());
                break;
            }
            std::this_thread::sleep_for(1ms);
        }
    }
    directories_.clear();
}

std::vector<base::UniqueFd> ControlGroup::open_join_files() const {
    std::vector<base::UniqueFd> files;
    for (const fs::path& directory : directories_) {
        fs::path file = directory / "cgroup.procs";
        base::UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
        if (!fd) throw base::system_error(errno, fmt::format("cannot open {}", file.string()));
        files.push_back(std::move(fd));
    }
    return files;
}

std::uint64_t ControlGroup::task_refusals() const {
    return counter(pids_ / "pids.events", "max");
}

std::uint64_t ControlGroup::memory_kills() const {
    return counter(memory_ / (unified_ ? "memory.events" : "memory.oom_control"), "oom_kill");
}

}  // namespace mullion::hcs
