// Layers in the form that Windows imports and exports them (hcs.md §3.4).
//
// Below `Files` a file is its attributes (four bytes) and its backup streams; a directory is a directory, and
// beside it `NAME.$wcidirs$` with the same of it. Below `Hives` files are themselves. `tombstones.txt` lists
// what the layer removes. Times are those of the files. What Windows has as a directory that leads elsewhere
// (a junction) is a directory here.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "hcs/layer_storage.hpp"
#include "tree/content.hpp"
#include "tree/tree.hpp"

namespace mullion::hcs {

// What ExportLayer wrote to `folder`. The bytes of files become plain files in `contents`, a directory that
// exists and is empty; sparse files are filled up. Throws Corrupt for what no export has in it.
LayerChanges read_transport_folder(const std::filesystem::path& folder, const std::filesystem::path& contents,
                                   const base::CancelToken& cancel);

// Writes what ImportLayer takes. Parents before children; paths as in RawChange.
class TransportWriter {
  public:
    // `folder` exists and is empty.
    TransportWriter(std::filesystem::path folder, tree::ContentProvider& contents, base::CancelToken cancel);

    // A file, directory or link with everything that is known of it, but for children.
    void object(const std::string& path, const tree::Node& node);
    void removal(const std::string& path);
    void hive(const std::string& name, const tree::Node& node);
    // Without it nothing may be imported.
    void finish();

  private:
    std::filesystem::path folder_;
    tree::ContentProvider& contents_;
    base::CancelToken cancel_;
    std::vector<std::string> removals_;
};

}  // namespace mullion::hcs
