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
constexpr std::size_t kChunk = 1 << 18;

struct stat status_of(const fs::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        throw base::system_error(errno, fmt::format("cannot look at {}", path.string()));
    }
    return status;
}

bool same_bytes(const fs::path& one, const fs::path& other) {
    base::FileSource sources[] = {base::FileSource(one), base::FileSource(other)};
    std::vector<char> buffers[] = {std::vector<char>(kChunk), std::vector<char>(kChunk)};
    while (true) {
        std::size_t size = sources[0].read(buffers[0].data(), kChunk);
        if (size == 0) return sources[1].read(buffers[1].data(), kChunk) == 0;
        sources[1].read_exactly(buffers[1].data(), size, "a file of the container");
        if (!std::equal(buffers[0].begin(), buffers[0].begin() + static_cast<std::ptrdiff_t>(size),
                        buffers[1].begin())) {
            return false;
        }
    }
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
    void entry(Entry& entry, const std::string& path, const ImageNode& image);
    void subdirectory(const Entry& entry, const std::string& path, const ImageNode& image, bool replaced,
                      int depth);
    void file(Entry& entry, const std::string& path, const ImageNode& image, const struct stat& status);
    void streams_only(Entry& entry, const std::string& path, const ImageNode& image);
    void remove_missing(const fs::path& host, const LayerStack::Node& image);
    std::map<std::string, Entry> entries(const fs::path& host, std::set<std::string>& whiteouts);
    bool is_mount_point(const std::string& path, const struct stat& file) const;
    bool is_wines(const std::string& path, const fs::path& host, const struct stat& status);
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
            if (!S_ISREG(status_of(found.path()).st_mode)) {
                throw base::fail(ErrorCode::Corrupt, "the container left a stream {} that is no file",
                                 tree::printable(name));
            }
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
        auto made_again = found.find(tree::fold(Os::Windows, name));
        if (made_again != found.end() && made_again->second.base_in_upper) continue;
        // Streams go with their file, which Wine does not see to.
        if (made_again != found.end()) found.erase(made_again);
        if (!image) continue;
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
            entry(each, own, old);
        }
    }
}

bool UpperExport::is_mount_point(const std::string& path, const struct stat& file) const {
    return file.st_size == 0 && mount_points_.contains(tree::fold(Os::Windows, path));
}

void UpperExport::subdirectory(const Entry& entry, const std::string& path, const ImageNode& image,
                               bool replaced, int depth) {
    bool was_directory = image && image->kind == LayerStack::Kind::Directory;
    if (was_directory && (replaced || overlay::is_opaque(entry.host))) remove_missing(entry.host, *image);
    std::size_t before = changes_.size();
    directory(entry.host, path, was_directory ? image : std::nullopt, depth + 1);
    if (was_directory && entry.streams.empty()) return;
    // A directory of Wine's that overlayfs copied up to have something in it is new only with that something;
    // so is one that was made for a mapped directory.
    bool of_ours = wine_.find(path).has_value() || mount_points_.contains(tree::fold(Os::Windows, path));
    if (of_ours && changes_.size() == before && entry.streams.empty()) return;
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

void UpperExport::entry(Entry& entry, const std::string& path, const ImageNode& image) {
    if (!entry.base_in_upper) return streams_only(entry, path, image);
    struct stat status = status_of(entry.host);
    if (S_ISREG(status.st_mode)) return file(entry, path, image, status);
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

// A file of Wine's that overlayfs copied up, to change its attributes say. It hides the image's own.
bool UpperExport::is_wines(const std::string& path, const fs::path& host, const struct stat& status) {
    ImageNode original = wine_.find(path);
    if (!original || original->kind != LayerStack::Kind::File) return false;
    struct stat before = status_of(original->host);
    return before.st_size == status.st_size && before.st_mtim.tv_sec == status.st_mtim.tv_sec &&
           before.st_mtim.tv_nsec == status.st_mtim.tv_nsec && same_bytes(original->host, host);
}

void UpperExport::file(Entry& entry, const std::string& path, const ImageNode& image,
                       const struct stat& status) {
    if (is_mount_point(path, status)) return;
    if (is_wines(path, entry.host, status)) {
        if (!entry.streams.empty()) streams_only(entry, path, image);
        return;
    }
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
    ImageNode wines = image ? std::nullopt : wine_.find(path);
    if (wines && wines->kind != LayerStack::Kind::Directory) {
        throw base::fail(ErrorCode::Unsupported, "the container gave {} a stream, but the file is Wine's",
                         tree::display_path(Os::Windows, path));
    }
    if (wines || (image && image->kind == LayerStack::Kind::Directory)) {
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
