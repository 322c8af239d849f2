#include "hcs/scratch.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "scratch.json";
constexpr std::size_t kLimit = 4 << 20;
constexpr const char* kStates[] = {"Clean", "Running", "Terminated"};

ScratchState parse_state(const base::JsonView& view) {
    std::string text = view.string();
    for (int i = 0; i < 3; ++i) {
        if (text == kStates[i]) return static_cast<ScratchState>(i);
    }
    view.fail("a state");
}

}  // namespace

std::vector<fs::path> Scratch::layer_files() const {
    std::vector<fs::path> files;
    for (const fs::path& parent : parents) files.push_back(parent / "Files");
    return files;
}

void Scratch::save() const {
    base::OrderedJson json;
    json["Parents"] = base::OrderedJson::array();
    for (const fs::path& parent : parents) json["Parents"].push_back(parent.string());
    json["OsVersion"] = os_version;
    json["Users"] = users;
    json["State"] = kStates[static_cast<int>(state)];
    json["HostName"] = host_name;
    json["MountPoints"] = mount_points;
    base::write_file_atomic(directory / kFile, json.dump() + "\n");
}

Scratch load_scratch(const fs::path& directory) {
    std::optional<std::string> text = base::try_read_file(directory / kFile, kLimit);
    if (!text) throw base::fail(base::ErrorCode::Invalid, "{} is no scratch", directory.string());
    base::Json json = base::parse_json(*text, kFile);
    base::JsonView view(json, kFile);
    Scratch scratch;
    scratch.directory = directory;
    for (const std::string& parent : view.at("Parents").strings()) scratch.parents.emplace_back(parent);
    scratch.os_version = view.at("OsVersion").string();
    scratch.users = view.at("Users").strings();
    scratch.state = parse_state(view.at("State"));
    scratch.host_name = view.at("HostName").string();
    scratch.mount_points = view.at("MountPoints").strings();
    return scratch;
}

}  // namespace mullion::hcs
