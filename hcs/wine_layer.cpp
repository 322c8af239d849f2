#include "hcs/wine_layer.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <set>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "hcs/launch.hpp"
#include "hcs/layer_stack.hpp"
#include "hcs/registry_text.hpp"
#include "hcs/wine_layer_maker.hpp"
#include "hcs/wine_runtime.hpp"
#include "tree/name.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
namespace fs = std::filesystem;

constexpr std::size_t kHiveLimit = 64 << 20;
constexpr const char* kManifest = "layer.json";
constexpr std::size_t kManifestLimit = 1 << 20;
const std::string kUnfinished = "make-";

// How long a layer of another Wine is kept that nobody uses.
constexpr auto kUnusedLimit = std::chrono::hours(24 * 7);

fs::path lock_of(const fs::path& layer) {
    return layer.string() + ".lock";
}

// What of the host a layer was made of, as file_version says it.
struct Sources {
    std::vector<std::string> paths;
    std::vector<std::string> versions;
};

void write_manifest(const fs::path& layer, const std::set<fs::path>& sources) {
    base::OrderedJson json;
    json["SelfTest"] = "passed";
    json["Sources"] = base::OrderedJson::array();
    json["Versions"] = base::OrderedJson::array();
    for (const fs::path& path : sources) {
        json["Sources"].push_back(path.string());
        json["Versions"].push_back(file_version(path));
    }
    base::write_file_atomic(layer / kManifest, json.dump() + "\n");
}

// nullopt if there is no whole layer.
std::optional<Sources> read_manifest(const fs::path& layer) {
    std::optional<std::string> text = base::try_read_file(layer / kManifest, kManifestLimit);
    if (!text) return std::nullopt;
    base::Json json = base::parse_json(*text, kManifest);
    base::JsonView view(json, kManifest);
    return Sources{view.at("Sources").strings(), view.at("Versions").strings()};
}

std::vector<std::string> versions_now(const Sources& sources) {
    std::vector<std::string> versions;
    for (const std::string& path : sources.paths) versions.push_back(file_version(path));
    return versions;
}

// The key of the layer to use where that of `key` is made of other libraries than there are now.
std::string next_key(const std::string& key, const std::vector<std::string>& versions) {
    base::Hasher hasher;
    hasher.field(key);
    for (const std::string& version : versions) hasher.field(version);
    return hasher.finish().hex().substr(0, key.size());
}

bool is_old(const fs::path& path) {
    std::error_code error;
    auto time = fs::last_write_time(path, error);
    return !error && fs::file_time_type::clock::now() - time > kUnusedLimit;
}

// Only while nobody uses it or makes it.
void remove_unused_layer(const fs::path& layer) {
    if (!is_old(lock_of(layer))) return;
    auto held = base::FileLock::try_lock(lock_of(layer), base::FileLock::Mode::Exclusive);
    if (!held) return;
    fs::remove(layer / kManifest);  // first: without it the rest is nothing
    base::remove_tree(layer);
}

// What engines left that were killed, and layers that have had their time. The lock of `key` is held.
void sweep(const fs::path& parent, const std::string& key) {
    for (const std::string& name : base::list_directory(parent)) {
        fs::path path = parent / name;
        bool unfinished = name.starts_with(kUnfinished);
        if (!fs::is_directory(fs::symlink_status(path))) continue;
        if (unfinished && (name.starts_with(kUnfinished + key) || is_old(path))) base::remove_tree(path);
        if (!unfinished && name != key) remove_unused_layer(path);
    }
}

// Names of `wine` that the image spells in another way, as "path of c/ -> path in the image's casing".
class Spelling {
  public:
    Spelling(const fs::path& files, const std::vector<fs::path>& layer_files)
        : files_(files), image_(layer_files) {
        walk("", image_.root());
    }
    const std::map<std::string, std::string>& renames() const { return renames_; }

  private:
    // Wine's own tree is shallow, the image's is not: only names of Wine's are looked up in it.
    void walk(const std::string& path, const LayerStack::Node& image_directory) {
        for (const fs::directory_entry& entry : fs::directory_iterator(files_ / path)) {
            std::string name = entry.path().filename().string();
            std::optional<LayerStack::Node> found = image_.child(image_directory, name);
            if (!found) continue;
            std::string spelled(tree::base_name(found->path));
            std::string own = tree::join(path, name);
            if (spelled != name) renames_[own] = spelled;
            if (entry.is_directory() && found->kind == LayerStack::Kind::Directory) walk(own, *found);
        }
    }

    fs::path files_;
    LayerStack image_;
    std::map<std::string, std::string> renames_;
};

void link_tree(const fs::path& from, const fs::path& to, const std::string& path,
               const std::map<std::string, std::string>& renames) {
    fs::create_directory(to);
    for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
        std::string name = entry.path().filename().string();
        std::string own = tree::join(path, name);
        auto renamed = renames.find(own);
        fs::path target = to / (renamed == renames.end() ? name : renamed->second);
        if (entry.is_directory()) {
            link_tree(entry.path(), target, own, renames);
        } else {
            fs::create_hard_link(entry.path(), target);
        }
    }
}

struct Version {
    std::uint32_t major = 0, minor = 0, build = 0, revision = 0;
};

Version parse_version(const std::string& text) {
    Version version;
    std::uint32_t* parts[] = {&version.major, &version.minor, &version.build, &version.revision};
    const char* at = text.data();
    const char* end = at + text.size();
    for (std::uint32_t* part : parts) {
        auto [next, error] = std::from_chars(at, end, *part);
        if (error != std::errc()) break;
        at = next;
        if (at == end) return version;
        if (*at++ != '.') break;
    }
    throw base::fail(ErrorCode::Invalid, "os.version {} is not of the form 10.0.20348.2700",
                     tree::printable(text));
}

std::string dword(std::uint32_t value) {
    return fmt::format("dword:{:08x}", value);
}

// Wine takes "10.0" from CurrentVersion (Windows has "6.3" there and the truth in the numbers).
std::string with_version(std::string hive, const std::string& os_version) {
    Version version = parse_version(os_version);
    auto set = [&](const char* name, const std::string& data) {
        hive = with_registry_value(std::move(hive), "Software\\Microsoft\\Windows NT\\CurrentVersion", name,
                                   data);
    };
    std::string build = registry_string(std::to_string(version.build));
    set("CurrentVersion", registry_string(fmt::format("{}.{}", version.major, version.minor)));
    set("CurrentMajorVersionNumber", dword(version.major));
    set("CurrentMinorVersionNumber", dword(version.minor));
    set("CurrentBuild", build);
    set("CurrentBuildNumber", build);
    set("UBR", dword(version.revision));
    return hive;
}

std::string with_computer_name(std::string hive, const std::string& host_name) {
    std::string name = registry_string(computer_name(host_name));
    for (const char* key : {"ActiveComputerName", "ComputerName"}) {
        hive = with_registry_value(std::move(hive),
                                   fmt::format("System\\CurrentControlSet\\Control\\ComputerName\\{}", key),
                                   "ComputerName", name);
    }
    for (const char* value : {"Hostname", "NV Hostname"}) {
        hive = with_registry_value(std::move(hive), "System\\CurrentControlSet\\Services\\Tcpip\\Parameters",
                                   value, registry_string(host_name));
    }
    return hive;
}

}  // namespace

WineLayer WineLayer::open(const fs::path& state, const base::CancelToken& cancel) {
    if (std::optional<std::string> problem = wine_problem()) {
        throw base::fail(ErrorCode::Unavailable, "Wine cannot be used: {}", *problem);
    }
    fs::path parent = state / "wine";
    fs::create_directories(parent);
    std::string key = wine_key();
    while (true) {
        fs::path directory = parent / key;
        base::FileLock in_use(lock_of(directory), base::FileLock::Mode::Shared, cancel);
        std::optional<Sources> sources = read_manifest(directory);
        if (!sources) {
            { base::FileLock free_again = std::move(in_use); }
            make(parent, key, cancel);
            continue;
        }
        std::vector<std::string> now = versions_now(*sources);
        if (now == sources->versions) {
            fs::last_write_time(lock_of(directory), fs::file_time_type::clock::now());
            return WineLayer(directory, std::move(in_use));
        }
        key = next_key(key, now);
    }
}

bool WineLayer::is_there(const fs::path& state) {
    std::string key = wine_key();
    while (std::optional<Sources> sources = read_manifest(state / "wine" / key)) {
        std::vector<std::string> now = versions_now(*sources);
        if (now == sources->versions) return true;
        key = next_key(key, now);
    }
    return false;
}

void WineLayer::make(const fs::path& parent, const std::string& key, const base::CancelToken& cancel) {
    fs::path directory = parent / key;
    base::FileLock held(lock_of(directory), base::FileLock::Mode::Exclusive, cancel);
    if (fs::exists(directory / kManifest)) return;
    sweep(parent, key);
    base::remove_tree(directory);  // what is left of one that was being removed
    base::TempDir temporary(parent, kUnfinished + key);
    write_manifest(temporary.path(), make_wine_layer(temporary.path(), cancel));
    fs::rename(temporary.path(), directory);
    temporary.release();
}

fs::path WineLayer::files_for(const std::vector<fs::path>& layer_files) const {
    fs::path files = directory_ / "c";
    if (layer_files.empty()) return files;
    Spelling spelling(files, layer_files);
    if (spelling.renames().empty()) return files;
    base::Hasher hasher;
    for (const auto& [from, to] : spelling.renames()) hasher.field(from).field(to);
    fs::path views = directory_ / "views";
    fs::path view = views / hasher.finish().hex().substr(0, 16);
    if (fs::exists(view)) return view;
    base::FileLock held(lock_of(views), base::FileLock::Mode::Exclusive);
    if (fs::exists(view)) return view;
    for (const std::string& name : base::list_directory(views)) {
        if (name.starts_with(kUnfinished)) base::remove_tree(views / name);
    }
    base::TempDir temporary(views, "make");
    link_tree(files, temporary.path() / "c", "", spelling.renames());
    fs::rename(temporary.path() / "c", view);
    return view;
}

std::string WineLayer::hive(const std::string& name, const std::string& os_version,
                            const std::string& host_name) const {
    std::string text = base::read_file(directory_ / "registry" / name, kHiveLimit);
    if (name != "system.reg") return text;
    if (!os_version.empty()) text = with_version(std::move(text), os_version);
    return with_computer_name(std::move(text), host_name);
}

void make_prefix(const fs::path& prefix) {
    fs::create_directories(prefix / "dosdevices");
    fs::create_directory_symlink("/c", prefix / "dosdevices" / "c:");
    // Nobody updates a prefix that says so.
    base::write_file_atomic(prefix / ".update-timestamp", "disable\n");
}

}  // namespace mullion::hcs
