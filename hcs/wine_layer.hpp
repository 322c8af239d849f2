// The prepared Wine layer: what every box shares, made once per Wine version and state directory.
//
//     <state>/wine/<key>/root/       a box' root directory (hcs/wine_runtime.hpp)
//                       /c/          Wine's part of C:, in Windows' casing; shares root's PE files
//                       /registry/   the registry a fresh container starts with
//                       /views/      c/ in the casing of images that spell names in another way
//                       /layer.json  written last: the self-test's result, what was copied from the host
//                  <key>.lock        held alone while a layer is made or removed, shared while it is in
//                                    use; its time says when that was last
//
// A layer is made under a temporary name and renamed when complete, so what is there is whole. Making one
// removes what killed makers left, and layers that nobody has used for a week.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/file.hpp"

namespace mullion::hcs {

class WineLayer {
  public:
    // The layer in `state`; makes it if needed. It stays as long as the object (a box on it must not live
    // longer). Throws Unavailable if Wine is missing or the self-test fails.
    static WineLayer open(const std::filesystem::path& state, const base::CancelToken& cancel);
    // Whether open() would find one and make none.
    static bool is_there(const std::filesystem::path& state);

    std::filesystem::path root() const { return directory_ / "root"; }

    // C: as Wine has it, spelled as the image spells it: a lower directory that goes on top of `layer_files`
    // (the Files folders of an image, topmost first).
    std::filesystem::path files_for(const std::vector<std::filesystem::path>& layer_files) const;

    // The text of a hive ("system.reg", "user.reg", "userdef.reg") for a fresh container. `os_version` may be
    // "".
    std::string hive(const std::string& name, const std::string& os_version,
                     const std::string& host_name) const;

  private:
    WineLayer(std::filesystem::path directory, base::FileLock in_use)
        : directory_(std::move(directory)), in_use_(std::move(in_use)) {}
    static void make(const std::filesystem::path& parent, const std::string& key,
                     const base::CancelToken& cancel);

    std::filesystem::path directory_;
    base::FileLock in_use_;
};

inline constexpr const char* kHiveFiles[] = {"system.reg", "user.reg", "userdef.reg"};

// Fills a Wine prefix that does not exist yet.
void make_prefix(const std::filesystem::path& prefix);

}  // namespace mullion::hcs
