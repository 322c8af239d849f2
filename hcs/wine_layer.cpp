#include "hcs/wine_layer.hpp"

#include <fmt/format.h>

#include <charconv>

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
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t kHiveLimit = 64 << 20;
constexpr const char* kManifest = "layer.json";

base::FileLock lock(const fs::path& path, const base::CancelToken& cancel) {
    while (true) {
        if (auto held = base::FileLock::try_lock(path, base::FileLock::Mode::Exclusive))
            return std::move(*held);
        cancel.check();
        cancel.wait_for(50ms);
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
    // Wine's own tree is shallow.
    void walk(const std::string& path, const LayerStack::Node& image_directory) {
        std::map<std::string, LayerStack::Node> names = image_.children(image_directory);
        for (const fs::directory_entry& entry : fs::directory_iterator(files_ / path)) {
            std::string name = entry.path().filename().string();
            auto found = names.find(tree::fold(tree::Os::Windows, name));
            if (found == names.end()) continue;
            std::string spelled(tree::base_name(found->second.path));
            std::string own = tree::join(path, name);
            if (spelled != name) renames_[own] = spelled;
            if (entry.is_directory() && found->second.kind == LayerStack::Kind::Directory)
                walk(own, found->second);
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
        if (error != std::errc()) throw base::fail(ErrorCode::Invalid, "os.version {} is no version", text);
        at = next;
        if (at == end) break;
        if (*at++ != '.') throw base::fail(ErrorCode::Invalid, "os.version {} is no version", text);
    }
    return version;
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
    fs::path directory = parent / wine_key();
    if (!fs::exists(directory / kManifest)) {
        base::FileLock held = lock(directory.string() + ".lock", cancel);
        if (!fs::exists(directory / kManifest)) {
            base::TempDir temporary(parent, "make");
            make_wine_layer(temporary.path(), cancel);
            base::write_file_atomic(temporary.path() / kManifest, R"({"SelfTest":"passed"})"
                                                                  "\n");
            fs::rename(temporary.path(), directory);
            temporary.release();
        }
    }
    return WineLayer(directory);
}

fs::path WineLayer::files_for(const std::vector<fs::path>& layer_files) const {
    fs::path files = directory_ / "c";
    if (layer_files.empty()) return files;
    Spelling spelling(files, layer_files);
    if (spelling.renames().empty()) return files;
    base::Hasher hasher;
    for (const auto& [from, to] : spelling.renames()) hasher.field(from).field(to);
    fs::path view = directory_ / "views" / hasher.finish().hex().substr(0, 16);
    if (fs::exists(view)) return view;
    base::TempDir temporary(directory_ / "views", "make");
    link_tree(files, temporary.path() / "c", "", spelling.renames());
    std::error_code error;
    fs::rename(temporary.path() / "c", view, error);
    // Somebody else was quicker: theirs is equal.
    if (error && !fs::exists(view)) throw base::system_error(error.value(), view.string());
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
