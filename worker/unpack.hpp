// Changes of a Tree as files on the host.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "tree/delta.hpp"
#include "worker/blobs.hpp"

namespace mullion::worker {

// Writes the objects of one Delta (canonical, in the casing of `upper`, which is the file system with the
// changes applied) below a directory. Contents in a layer's blob are taken as the blob streams by, once,
// unless they are few. See materialiser.hpp for what a host cannot hold.
class Unpacker {
  public:
    // A whiteout at a path below the directory.
    using Whiteout = std::function<void(const std::filesystem::path&)>;

    Unpacker(Blobs& blobs, const tree::Tree& upper, std::filesystem::path root, base::CancelToken cancel)
        : blobs_(blobs), upper_(upper), root_(std::move(root)), cancel_(std::move(cancel)) {}

    // `whiteout` may be empty if nothing is removed.
    void run(const tree::Delta& changes, const Whiteout& whiteout);

  private:
    // A file (or stream) to be written.
    struct File {
        std::string path;
        tree::ContentRef content;
        base::FileTime modified;
        std::uint32_t mode = 0644;
    };
    using Files = std::vector<const File*>;
    struct Directory {
        std::string path;
        base::FileTime modified;
        std::uint32_t mode;
    };
    struct Link {
        std::string existing;
        std::string path;
    };

    void plan(const tree::Upsert& upsert, class HostDirectory& directory);
    void plan_file(const tree::Upsert& upsert);
    void write_contents();
    void move_spooled(const base::DiffId& diff_id, Files& files);
    void stream_layer(const base::DiffId& diff_id, Files& files);
    void write_one_by_one(const Files& files);

    Blobs& blobs_;
    const tree::Tree& upper_;
    std::filesystem::path root_;
    base::CancelToken cancel_;
    std::vector<File> files_;
    std::vector<Link> links_;
    std::vector<Directory> directories_;
    std::map<tree::HardLinkRef, std::string> first_names_;
};

}  // namespace mullion::worker
