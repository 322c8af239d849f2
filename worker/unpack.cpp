#include "worker/unpack.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "tree/layer_tar.hpp"
#include "tree/name.hpp"
#include "tree/parallel.hpp"
#include "worker/host_directory.hpp"
#include "worker/host_link.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;
using tree::NodeKind;

// So few files of a layer are fetched one by one; for more, the whole layer is streamed.
constexpr std::size_t kFewFiles = 4;

std::uint32_t host_mode(tree::Os os, const tree::Metadata& metadata) {
    if (os == tree::Os::Linux) return metadata.mode & 0777;
    return (metadata.attributes & tree::attribute::kReadOnly) != 0 ? 0444 : 0644;
}

// Without write permission its owner could neither move nor remove it.
std::uint32_t directory_mode(tree::Os os, const tree::Metadata& metadata) {
    return os == tree::Os::Linux ? (metadata.mode & 0777) | 0700 : 0755;
}

}  // namespace

void Unpacker::run(const tree::Delta& changes, const Whiteout& whiteout) {
    HostDirectory directory(root_);
    for (const tree::Change& change : changes.changes) {
        cancel_.check();
        if (const auto* upsert = std::get_if<tree::Upsert>(&change)) {
            plan(*upsert, directory);
        } else {
            whiteout(root_ / base::to_path(std::get<tree::Removal>(change).path));
        }
    }
    write_contents();
    for (const Link& link : links_) directory.make_hard_link(link.existing, link.path);
    for (auto at = directories_.rbegin(); at != directories_.rend(); ++at) {
        directory.finish_directory(at->path, at->modified, at->mode);
    }
}

void Unpacker::plan(const tree::Upsert& upsert, HostDirectory& directory) {
    const tree::Node& node = *upsert.node;
    switch (node.kind) {
        case NodeKind::Directory:
            directory.make_directory(upsert.path);
            directories_.push_back(
                {upsert.path, node.metadata.modified, directory_mode(upper_.os(), node.metadata)});
            break;
        case NodeKind::File:
            plan_file(upsert);
            break;
        case NodeKind::Symlink:
        case NodeKind::Junction:
            if (auto target = host_link_target(upper_, upsert.path, node)) {
                directory.make_symlink(upsert.path, *target);
            }
            break;
    }
    for (const tree::Stream& stream : node.streams) {
        if (node.kind != NodeKind::File && node.kind != NodeKind::Directory) break;
        files_.push_back({upsert.path + ":" + stream.name, stream.content, node.metadata.modified});
    }
}

void Unpacker::plan_file(const tree::Upsert& upsert) {
    const tree::Node& node = *upsert.node;
    if (node.hard_links) {
        // Names of one file; the first may lie in a lower layer, then this one becomes a file of its own.
        auto [first, is_first] = first_names_.emplace(node.hard_links, upsert.path);
        if (!is_first) {
            links_.push_back({first->second, upsert.path});
            return;
        }
    }
    files_.push_back(
        {upsert.path, node.content, node.metadata.modified, host_mode(upper_.os(), node.metadata)});
}

void Unpacker::write_contents() {
    std::map<base::DiffId, Files> by_layer;
    Files single;
    for (const File& file : files_) {
        const auto* range = std::get_if<tree::LayerRange>(&file.content->location());
        Files& kind = range != nullptr && file.content->size() > 0 ? by_layer[range->diff_id] : single;
        kind.push_back(&file);
    }
    std::vector<std::pair<base::DiffId, Files>> layers(by_layer.begin(), by_layer.end());
    tree::parallel_for(layers.size(), 1, [&](std::size_t i) {
        auto& [diff_id, files] = layers[i];
        move_spooled(diff_id, files);
        if (files.size() > kFewFiles) stream_layer(diff_id, files);
    });
    for (const auto& [diff_id, files] : layers) single.insert(single.end(), files.begin(), files.end());
    write_one_by_one(single);
}

// Leaves in `files` what was not put aside.
void Unpacker::move_spooled(const base::DiffId& diff_id, Files& files) {
    std::unique_ptr<LayerSpool> spool = blobs_.take_spool(diff_id);
    if (!spool) return;
    HostDirectory directory(root_);
    std::erase_if(files, [&](const File* file) {
        cancel_.check();
        std::uint64_t offset = std::get<tree::LayerRange>(file->content->location()).offset;
        return spool->move(offset, directory, file->path, file->modified, file->mode);
    });
}

// Leaves in `files` those with the same bytes as another.
void Unpacker::stream_layer(const base::DiffId& diff_id, Files& files) {
    std::unordered_map<std::uint64_t, const File*> wanted;
    Files again;
    for (const File* file : files) {
        std::uint64_t offset = std::get<tree::LayerRange>(file->content->location()).offset;
        if (!wanted.emplace(offset, file).second) again.push_back(file);
    }
    HostDirectory directory(root_);
    tree::LayerReadOptions options;
    options.os = upper_.os();
    options.on_content = [&](const std::string&, std::uint64_t offset, std::uint64_t, base::Source& bytes) {
        auto file = wanted.find(offset);
        if (file == wanted.end()) return;
        const File& found = *file->second;
        wanted.erase(file);
        directory.make_file(found.path, bytes, found.modified, found.mode, cancel_);
    };
    blobs_.stream(diff_id, std::move(options), cancel_);
    if (!wanted.empty()) {
        throw fail(ErrorCode::Corrupt, "layer {} lacks files of its index", diff_id.digest.string());
    }
    files = std::move(again);
}

void Unpacker::write_one_by_one(const Files& files) {
    constexpr std::size_t kBatch = 64;  // files that share an open directory
    tree::parallel_for((files.size() + kBatch - 1) / kBatch, 1, [&](std::size_t batch) {
        HostDirectory directory(root_);
        std::size_t end = std::min(files.size(), (batch + 1) * kBatch);
        for (std::size_t i = batch * kBatch; i < end; ++i) {
            cancel_.check();
            const File& file = *files[i];
            auto bytes = blobs_.contents().open(*file.content, cancel_);
            directory.make_file(file.path, *bytes, file.modified, file.mode, cancel_);
        }
    });
}

}  // namespace mullion::worker
