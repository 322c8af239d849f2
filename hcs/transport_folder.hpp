// Layers in the form that Windows imports and exports them (hcs.md §3.4).
//
// Below `Files` a file is its attributes (four bytes) and its backup streams; a directory is a directory, and
// beside it `NAME.$wcidirs$` with the same of it. Below `Hives` files are themselves. `tombstones.txt` lists
// what the layer removes. Times are those of the files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.hpp"
#include "base/stream.hpp"
#include "hcs/layer_storage.hpp"
#include "tree/metadata.hpp"
#include "tree/reparse.hpp"

namespace mullion::hcs {

// What ExportLayer wrote to `folder`. The bytes of files become plain files in `contents`, a directory that
// exists and is empty; sparse files are filled up. Throws Corrupt for what no export has in it.
LayerChanges read_transport_folder(const std::filesystem::path& folder, const std::filesystem::path& contents,
                                   const base::CancelToken& cancel);

// Writes what ImportLayer takes. Parents before children; paths as in RawChange.
class TransportWriter {
  public:
    // `folder` exists and is empty.
    explicit TransportWriter(std::filesystem::path folder);

    void directory(const std::string& path, const tree::Metadata& metadata);
    void file(const std::string& path, const tree::Metadata& metadata, std::uint64_t size,
              base::Source& content);
    // Of the file or directory written last: ":NAME:$DATA".
    void stream(const std::string& name, std::uint64_t size, base::Source& content);
    void link(const std::string& path, const tree::Metadata& metadata, const tree::ReparsePoint& target);
    void removal(const std::string& path);
    void hive(const std::string& name, base::Source& content);
    // Without it nothing may be imported.
    void finish();

  private:
    void open(const std::filesystem::path& path, std::uint32_t attributes, const tree::Metadata& metadata);
    void put(const struct BackupStream& stream, base::Source& data);
    void put(std::uint32_t id, std::string_view data);
    void close();

    std::filesystem::path folder_;
    std::vector<std::string> removals_;
    std::unique_ptr<base::Sink> current_;
};

}  // namespace mullion::hcs
