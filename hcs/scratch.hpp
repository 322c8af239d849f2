// A scratch folder of the emulation.
//
//     scratch.json    what it is made of (Scratch, below)
//     upper/ work/    overlayfs' writable part of C:
//     prefix/         Wine's prefix: the container's registry
//     lock            held (flock) while attached
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mullion::hcs {

enum class ScratchState {
    Clean,       // complete on disk: no system yet, or the last one was shut down
    Running,     // a system writes to it
    Terminated,  // a system ended out of order: changes may be missing
};

struct Scratch {
    std::filesystem::path directory;
    std::vector<std::filesystem::path> parents;  // layer folders, topmost first
    std::string os_version;
    std::vector<std::string> users;
    ScratchState state = ScratchState::Clean;
    std::string host_name;                  // of the systems it had; "" for none yet
    std::vector<std::string> mount_points;  // paths made for mapped directories, below C:

    std::filesystem::path upper() const { return directory / "upper"; }
    std::filesystem::path work() const { return directory / "work"; }
    std::filesystem::path prefix() const { return directory / "prefix"; }
    std::filesystem::path lock() const { return directory / "lock"; }
    std::vector<std::filesystem::path> layer_files() const;

    void save() const;
};

// Throws Invalid if `directory` is no scratch.
Scratch load_scratch(const std::filesystem::path& directory);

}  // namespace mullion::hcs
