#include "hcs/control_group.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
constexpr std::uint64_t kNanosecondsPerTick = 100;  // of HCS
constexpr std::uint64_t kTicksPerMicrosecond = 10;
// Of v1: what limits, and what only counts.
constexpr std::array kLimiting = {"pids", "memory", "cpu"};
constexpr std::array kCounting = {"cpuacct", "blkio"};

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

template <typename List, typename Value>
bool is_one_of(const List& list, const Value& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
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
            if (is_one_of(kLimiting, option) || is_one_of(kCounting, option)) {
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

// A file that is one number; 0 if it is not there.
std::uint64_t number(const fs::path& file) {
    std::istringstream text(base::try_read_file(file, kSmallFile).value_or(""));
    std::uint64_t value = 0;
    text >> value;
    return value;
}

// The sum of the numbers behind `name`, which stands once in the line of a device: "8:0 Read 4096" (v1),
// "8:0 rbytes=4096 wbytes=0 ..." (v2).
std::uint64_t of_devices(const fs::path& file, std::string_view name) {
    std::uint64_t sum = 0;
    for (const std::string& line : split(base::try_read_file(file, kSmallFile).value_or(""), '\n')) {
        std::size_t at = line.find(" " + std::string(name));
        if (at != std::string::npos) sum += std::strtoull(line.c_str() + at + 1 + name.size(), nullptr, 10);
    }
    return sum;
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
    if (!enabled && !try_write(directory / "cgroup.subtree_control", "+pids +memory +cpu")) return false;
    try_write(directory / "cgroup.subtree_control", "+io");  // only counts
    return true;
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
        for (const char* controller : kLimiting) {
            auto found = hierarchies.v1.find(controller);
            if (found == hierarchies.v1.end() || is_one_of(parents, found->second)) continue;
            parents.push_back(found->second);
        }
        std::string name = make_groups(parents);
        pids_ = hierarchies.v1["pids"] / name;
        memory_ = hierarchies.v1["memory"] / name;
        account(hierarchies.v1["cpuacct"], name, processor_);
        account(hierarchies.v1["blkio"], name, storage_);
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

// Who counts may share a directory with who limits, or not be there.
void ControlGroup::account(const fs::path& parent, const std::string& name, fs::path& group) {
    if (parent.empty()) return;
    fs::path directory = parent / name;
    if (!is_one_of(directories_, directory)) {
        sweep(parent);
        if (::mkdir(directory.c_str(), 0755) != 0) return;
        directories_.push_back(directory);
    }
    group = directory;
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
    pids_ = memory_ = processor_ = storage_ = directories_.front();
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

Statistics ControlGroup::statistics() const {
    Statistics statistics;
    if (unified_) {
        read_v2(statistics);
    } else {
        read_v1(statistics);
    }
    return statistics;
}

void ControlGroup::read_v1(Statistics& statistics) const {
    if (!processor_.empty()) {
        statistics.Processor = {number(processor_ / "cpuacct.usage") / kNanosecondsPerTick,
                                number(processor_ / "cpuacct.usage_user") / kNanosecondsPerTick,
                                number(processor_ / "cpuacct.usage_sys") / kNanosecondsPerTick};
    }
    statistics.Memory = {number(memory_ / "memory.usage_in_bytes"),
                         number(memory_ / "memory.max_usage_in_bytes"),
                         counter(memory_ / "memory.stat", "rss")};
    if (!storage_.empty()) {
        statistics.Storage = {of_devices(storage_ / "blkio.throttle.io_serviced", "Read "),
                              of_devices(storage_ / "blkio.throttle.io_service_bytes", "Read "),
                              of_devices(storage_ / "blkio.throttle.io_serviced", "Write "),
                              of_devices(storage_ / "blkio.throttle.io_service_bytes", "Write ")};
    }
}

void ControlGroup::read_v2(Statistics& statistics) const {
    fs::path cpu = processor_ / "cpu.stat";
    statistics.Processor = {counter(cpu, "usage_usec") * kTicksPerMicrosecond,
                            counter(cpu, "user_usec") * kTicksPerMicrosecond,
                            counter(cpu, "system_usec") * kTicksPerMicrosecond};
    // The peak is there since Linux 5.19.
    statistics.Memory = {number(memory_ / "memory.current"), number(memory_ / "memory.peak"),
                         counter(memory_ / "memory.stat", "anon")};
    fs::path io = storage_ / "io.stat";
    statistics.Storage = {of_devices(io, "rios="), of_devices(io, "rbytes="), of_devices(io, "wios="),
                          of_devices(io, "wbytes=")};
}

}  // namespace mullion::hcs
