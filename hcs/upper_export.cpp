#include "hcs/upper_export.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "hcs/layer_stack.hpp"
#include "tree/name.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using tree::Os;
namespace fs = std::filesystem;

// Deeper than any path Windows can open (32767 UTF-16 units) is deep; this is what we follow.
constexpr int kMaxDepth = 512;

struct stat status_of(const fs::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        throw base::system_error(errno, fmt::format("cannot look at {}", path.string()));
    }
    return status;
}

// Everything of one directory of the upper, taken together: Wine keeps a stream as a file "name:stream", and
// a file that was deleted and made again in another casing leaves a whiteout beside it.
struct Entry {
    std::string name;
    fs::path host;
    std::vector<RawStream> streams;
    bool base_in_upper = false;  // false: only streams are there
};

class UpperExport {
  public:
    UpperExport(const Scratch& scratch, const fs::path& wine_files, const base::CancelToken& cancel)
        : scratch_(scratch), image_(scratch.layer_files()), wine_({wine_files}), cancel_(cancel) {
        for (const std::string& path : scratch.mount_points)
            mount_points_.insert(tree::fold(Os::Windows, path));
    }

    std::vector<RawChange> run() {
        directory(scratch_.upper(), "", image_.root(), 0);
        auto key = [](const RawChange& change) {
            std::string folded = tree::fold(Os::Windows, change.path);
            std::replace(folded.begin(), folded.end(), '/', '\1');  // sorts before every character of a name
            return folded;
        };
        std::sort(changes_.begin(), changes_.end(),
                  [&](const RawChange& a, const RawChange& b) { return key(a) < key(b); });
        return std::move(changes_);
    }

  private:
    using ImageNode = std::optional<LayerStack::Node>;

    // `image` is what the image has there, if it is a directory.
    void directory(const fs::path& host, const std::string& path, const ImageNode& image, int depth);
    void entry(Entry& entry, const std::string& path, const ImageNode& image, int depth);
    void subdirectory(const Entry& entry, const std::string& path, const ImageNode& image, bool replaced,
                      int depth);
    void file(Entry& entry, const std::string& path, const struct stat& status);
    void streams_only(Entry& entry, const std::string& path, const ImageNode& image);
    void remove_missing(const fs::path& host, const LayerStack::Node& image);
    std::map<std::string, Entry> entries(const fs::path& host, std::set<std::string>& whiteouts);
    bool is_mount_point(const std::string& path, const fs::path& host) const;
    void add(RawChange change) { changes_.push_back(std::move(change)); }

    const Scratch& scratch_;
    LayerStack image_;
    LayerStack wine_;
    const base::CancelToken& cancel_;
    std::set<std::string> mount_points_;
    std::vector<RawChange> changes_;
};

// By folded name. Whiteouts go into `whiteouts`, by their name as it is.
std::map<std::string, Entry> UpperExport::entries(const fs::path& host, std::set<std::string>& whiteouts) {
    std::map<std::string, Entry> result;
    for (const fs::directory_entry& found : fs::directory_iterator(host)) {
        cancel_.check();
        std::string name = found.path().filename().string();
        if (overlay::is_whiteout(found.path())) {
            whiteouts.insert(name);
            continue;
        }
        std::size_t colon = name.find(':');
        std::string base_name = name.substr(0, colon);
        Entry& entry = result[tree::fold(Os::Windows, base_name)];
        if (colon != std::string::npos) {
            std::string stream = name.substr(colon + 1);
            if (stream.ends_with(":$DATA")) stream.resize(stream.size() - 6);
            if (!entry.base_in_upper) entry.name = base_name;
            entry.streams.push_back({stream, found.path()});
            continue;
        }
        if (entry.base_in_upper) {
            throw base::fail(ErrorCode::Corrupt,
                             "the container made two names that differ only in case: {} and {}",
                             tree::printable(entry.name), tree::printable(name));
        }
        entry.name = name;
        entry.host = found.path();
        entry.base_in_upper = true;
    }
    return result;
}

void UpperExport::directory(const fs::path& host, const std::string& path, const ImageNode& image,
                            int depth) {
    if (depth > kMaxDepth)
        throw base::fail(ErrorCode::Corrupt, "the container made a path deeper than {}", kMaxDepth);
    std::set<std::string> whiteouts;
    std::map<std::string, Entry> found = entries(host, whiteouts);
    for (const std::string& name : whiteouts) {
        if (!image || found.contains(tree::fold(Os::Windows, name))) continue;
        // Whiteouts over files that only Wine has remove nothing.
        if (ImageNode old = image_.child(*image, name)) {
            RawChange removal;
            removal.path = old->path;
            removal.kind = RawChange::Kind::Removal;
            add(std::move(removal));
        }
    }
    for (auto& [folded, each] : found) {
        ImageNode old = image ? image_.child(*image, each.name) : std::nullopt;
        std::string own = old ? old->path : tree::join(path, each.name);
        std::sort(each.streams.begin(), each.streams.end(),
                  [](const RawStream& a, const RawStream& b) { return a.name < b.name; });
        // Deleted and made again: nothing of the old directory shows through.
        bool replaced = old && tree::base_name(old->path) != each.name &&
                        whiteouts.contains(std::string(tree::base_name(old->path)));
        if (each.base_in_upper && fs::symlink_status(each.host).type() == fs::file_type::directory) {
            subdirectory(each, own, old, replaced, depth);
        } else {
            entry(each, own, old, depth);
        }
    }
}

bool UpperExport::is_mount_point(const std::string& path, const fs::path& host) const {
    if (!mount_points_.contains(tree::fold(Os::Windows, path))) return false;
    return fs::is_directory(host) ? fs::is_empty(host) : fs::file_size(host) == 0;
}

void UpperExport::subdirectory(const Entry& entry, const std::string& path, const ImageNode& image,
                               bool replaced, int depth) {
    bool was_directory = image && image->kind == LayerStack::Kind::Directory;
    if (was_directory && (replaced || overlay::is_opaque(entry.host))) remove_missing(entry.host, *image);
    std::size_t before = changes_.size();
    directory(entry.host, path, was_directory ? image : std::nullopt, depth + 1);
    if (was_directory) return;
    // A directory of Wine's that overlayfs copied up to have something in it is new only with that something;
    // so is one that was made for a mapped directory.
    bool of_ours = wine_.find(path).has_value() || mount_points_.contains(tree::fold(Os::Windows, path));
    if (of_ours && changes_.size() == before) return;
    RawChange change;
    change.path = path;
    change.kind = RawChange::Kind::Directory;
    change.modified = base::FileTime::from_timespec(status_of(entry.host).st_mtim);
    change.streams = entry.streams;
    add(std::move(change));
}

// What the image has in a directory that was replaced as a whole and the new one has not.
void UpperExport::remove_missing(const fs::path& host, const LayerStack::Node& image) {
    std::set<std::string> whiteouts;
    std::map<std::string, Entry> kept = entries(host, whiteouts);
    for (const auto& [folded, node] : image_.children(image)) {
        if (kept.contains(folded) && kept[folded].base_in_upper) {
            bool both = node.kind == LayerStack::Kind::Directory && fs::is_directory(kept[folded].host);
            // Below a replaced directory everything is new, whether or not it is marked.
            if (both && !overlay::is_opaque(kept[folded].host)) remove_missing(kept[folded].host, node);
            continue;
        }
        RawChange removal;
        removal.path = node.path;
        removal.kind = RawChange::Kind::Removal;
        add(std::move(removal));
    }
}

void UpperExport::entry(Entry& entry, const std::string& path, const ImageNode& image, int) {
    if (!entry.base_in_upper) return streams_only(entry, path, image);
    struct stat status = status_of(entry.host);
    if (S_ISREG(status.st_mode)) return file(entry, path, status);
    if (S_ISLNK(status.st_mode)) {
        RawChange change;
        change.path = path;
        change.kind = RawChange::Kind::Symlink;
        change.link_target = fs::read_symlink(entry.host).string();
        change.modified = base::FileTime::from_timespec(status.st_mtim);
        return add(std::move(change));
    }
    throw base::fail(ErrorCode::Corrupt,
                     "the container left a pipe, socket or device at {}, which no layer can hold",
                     tree::display_path(Os::Windows, path));
}

void UpperExport::file(Entry& entry, const std::string& path, const struct stat& status) {
    if (is_mount_point(path, entry.host)) return;
    RawChange change;
    change.path = path;
    change.content = entry.host;
    change.size = static_cast<std::uint64_t>(status.st_size);
    change.modified = base::FileTime::from_timespec(status.st_mtim);
    change.read_only = (status.st_mode & S_IWUSR) == 0;
    if (status.st_nlink > 1) change.hard_link_group = status.st_ino;
    change.streams = std::move(entry.streams);
    add(std::move(change));
}

// Wine does not make the file a stream belongs to.
void UpperExport::streams_only(Entry& entry, const std::string& path, const ImageNode& image) {
    RawChange change;
    change.path = path;
    change.modified = base::FileTime::from_timespec(status_of(entry.streams.front().content).st_mtim);
    if (image && image->kind == LayerStack::Kind::Directory) {
        change.kind = RawChange::Kind::Directory;
    } else if (image && image->kind == LayerStack::Kind::File) {
        struct stat status = status_of(image->host);
        change.content = image->host;
        change.size = static_cast<std::uint64_t>(status.st_size);
        change.modified = base::FileTime::from_timespec(status.st_mtim);
        change.read_only = (status.st_mode & S_IWUSR) == 0;
    }
    change.streams = std::move(entry.streams);
    add(std::move(change));
}

}  // namespace

std::vector<RawChange> export_upper(const Scratch& scratch, const fs::path& wine_files,
                                    const base::CancelToken& cancel) {
    return UpperExport(scratch, wine_files, cancel).run();
}

}  // namespace mullion::hcs
