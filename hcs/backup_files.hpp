// Files with all that Windows keeps of them, made through BackupWrite: what layer folders of Windows consist
// of where ImportLayer does not make them (hcs.md §3.3).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "tree/content.hpp"
#include "tree/tree.hpp"

namespace mullion::hcs {

// The tree below one directory. Paths are relative, separated by '/'. Nothing is overwritten, and no link is
// followed: parents have to be directories that were made here or are known to be some. Needs the privileges
// of NativeLayers.
class BackupFiles {
  public:
    // Makes `root` unless it is there.
    BackupFiles(std::filesystem::path root, tree::ContentProvider& contents, base::CancelToken cancel);

    // A file, directory or link, but for children.
    void object(const std::string& path, const tree::Node& node);
    void hard_link(const std::filesystem::path& existing, const std::string& path);
    // The same object as `existing`, but for children.
    void copy(const std::filesystem::path& existing, const std::string& path);
    // Of what is in a directory its times tell; so they are set when all is made.
    void finish(const tree::Metadata& root);

  private:
    std::filesystem::path locate(const std::string& path) const;

    struct Directory {
        std::filesystem::path path;
        tree::Metadata metadata;
    };

    std::filesystem::path root_;
    tree::ContentProvider& contents_;
    base::CancelToken cancel_;
    std::vector<Directory> directories_;
};

}  // namespace mullion::hcs
