#include "tree/scan.hpp"

#include <algorithm>
#include <memory>

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "tree/host_object.hpp"
#include "tree/name.hpp"
#include "tree/parallel.hpp"

namespace mullion::tree {
namespace {

namespace fs = std::filesystem;
using base::CancelToken;
using base::ErrorCode;
using base::fail;

struct Directory;

// One name of a directory. What is wrong with it is told only in the end, in the tree's order, so that the
// same error comes out whichever thread is faster.
struct Found {
    std::string name;
    bool kept = false;
    NodeRef node;                          // anything but directories
    std::unique_ptr<Directory> directory;  // with children of its own
    const char* special = nullptr;         // "socket"...: no tree can hold it
};

struct Directory {
    std::string path;  // in the tree
    std::size_t depth = 0;
    IgnorePatterns::Trail trail;
    Metadata metadata;
    std::vector<Found> found;
};

using SharedDirectory = std::shared_ptr<const OpenDirectory>;

Metadata metadata_of(const HostObject& object, Os os) {
    Metadata metadata;
    metadata.set_times(object.modified);
    if (os == Os::Linux) {
        metadata.mode = object.mode;
    } else if (object.kind == HostObject::Kind::Symlink) {
        metadata.attributes = attribute::kReparsePoint;
    } else {
        bool is_directory = object.kind == HostObject::Kind::Directory;
        metadata.attributes = is_directory ? attribute::kDirectory : attribute::kArchive;
    }
    return metadata;
}

class Scanner {
  public:
    Scanner(fs::path root, const ScanOptions& options, CancelToken cancel)
        : root_(std::move(root)), options_(options), cancel_(std::move(cancel)) {
        if (options_.ignore == nullptr) options_.ignore = &none_;
    }

    Tree run() {
        Directory top;
        auto root = std::make_shared<const OpenDirectory>(root_);
        tasks_.run([&] { read(top, root); });
        Tree tree(options_.os, assemble(top));
        return options_.os == Os::Windows && !links_.empty() ? mark_directory_links(tree) : tree;
    }

  private:
    fs::path host_path(std::string_view path) const {
        return path.empty() ? root_ : root_ / base::to_path(path);
    }

    // Lists a directory and starts tasks for those in it.
    void read(Directory& directory, const SharedDirectory& host) {
        cancel_.check();
        directory.metadata = metadata_of(host->self(), options_.os);
        std::vector<std::string> names = host->names();
        directory.found.resize(names.size());
        for (std::size_t i = 0; i < names.size(); ++i) directory.found[i].name = std::move(names[i]);
        look_at_all(directory, *host);
        std::erase_if(directory.found, [](const Found& found) {
            return !found.node && !found.directory && found.special == nullptr;
        });
        if (directory.depth == kMaxDepth && !directory.found.empty()) {
            throw fail(ErrorCode::Invalid, "{}...: directories are nested deeper than {}",
                       printable(host_path(directory.path).string().substr(0, 200)), kMaxDepth);
        }
        std::sort(directory.found.begin(), directory.found.end(), [this](const Found& a, const Found& b) {
            int order = compare_names(options_.os, a.name, b.name);
            return order != 0 ? order < 0 : a.name < b.name;
        });
        for (Found& found : directory.found) {
            if (!found.directory) continue;
            tasks_.add([this, host, below = found.directory.get()] { enter(*below, *host); });
        }
    }

    void look_at_all(Directory& directory, const OpenDirectory& host) {
        constexpr std::size_t kGrain = 256;
        std::vector<Found>& found = directory.found;
        fs::path path = host_path(directory.path);
        parallel_for(found.size(), kGrain, [&](std::size_t i) { look_at(directory, host, path, found[i]); });
    }

    // Fills in one name; an ignored one stays empty.
    void look_at(const Directory& parent, const OpenDirectory& host, const fs::path& host_path,
                 Found& found) {
        std::string path = join(parent.path, found.name);
        const IgnorePatterns& ignore = *options_.ignore;
        bool all_kept = ignore.empty();
        found.kept = all_kept || !ignore.ignored(path, parent.trail);
        std::optional<HostObject> object = look_if_needed(host, found);
        if (!object) return;
        if (object->kind == HostObject::Kind::Directory) {
            IgnorePatterns::Trail trail;
            if (!all_kept) trail = ignore.trail(path, parent.trail);
            if (!found.kept && ignore.can_skip_directory(path, trail)) return;
            found.directory = std::make_unique<Directory>();
            found.directory->path = std::move(path);
            found.directory->depth = parent.depth + 1;
            found.directory->trail = std::move(trail);
        } else if (!found.kept) {
            return;
        } else if (object->kind == HostObject::Kind::File) {
            found.node = file(*object, host_path / base::to_path(found.name));
        } else if (object->kind == HostObject::Kind::Symlink) {
            found.node = symlink(*object, host.link_target(found.name));
        } else {
            found.special = object->special;
        }
    }

    // What is ignored may be unreadable.
    static std::optional<HostObject> look_if_needed(const OpenDirectory& host, const Found& found) {
        try {
            return host.look_at(found.name);
        } catch (const base::Error&) {
            if (found.kept) throw;
            return {};
        }
    }

    NodeRef file(const HostObject& object, fs::path host) const {
        auto node = std::make_shared<Node>();
        node->kind = NodeKind::File;
        node->metadata = metadata_of(object, options_.os);
        const StatIdentity& identity = object.identity;
        auto content = std::make_shared<const Content>(identity.size, HostFile{std::move(host), identity});
        if (options_.stat_cache != nullptr) {
            if (auto digest = options_.stat_cache->find(identity)) content->remember_digest(*digest);
        }
        node->content = std::move(content);
        return node;
    }

    NodeRef symlink(const HostObject& object, std::string target) const {
        auto node = std::make_shared<Node>();
        node->kind = NodeKind::Symlink;
        node->metadata = metadata_of(object, options_.os);
        node->link_target = to_image_target(std::move(target), options_.os);
        return node;
    }

    void enter(Directory& directory, const OpenDirectory& parent) {
        std::string name(base_name(directory.path));
        read(directory, std::make_shared<const OpenDirectory>(parent.open(name)));
    }

    // The nodes of directories, bottom up; recursion is bounded by kMaxDepth.
    NodeRef assemble(Directory& directory) {
        auto node = std::make_shared<Node>();
        node->metadata = std::move(directory.metadata);
        node->children.reserve(directory.found.size());
        for (Found& found : directory.found) {
            if (found.directory) {
                found.node = assemble(*found.directory);
                if (!found.kept && found.node->children.empty()) continue;
            }
            check(directory, node->children, found);
            if (found.node->kind == NodeKind::Symlink) links_.push_back(join(directory.path, found.name));
            node->children.push_back({std::move(found.name), std::move(found.node)});
        }
        return node;
    }

    void check(const Directory& directory, const std::vector<Child>& before, const Found& found) const {
        std::string path = printable(join(directory.path, found.name));
        if (found.special != nullptr) {
            throw fail(ErrorCode::Invalid, "{} is a {}, which no image can hold", path, found.special)
                .hint("Remove it or add it to .dockerignore.");
        }
        if (auto problem = name_problem(options_.os, found.name)) {
            throw fail(ErrorCode::Invalid, "the name \"{}\" {}: {}", printable(found.name), *problem, path)
                .hint("Rename it or add it to .dockerignore.");
        }
        if (!before.empty() && names_equal(options_.os, before.back().name, found.name)) {
            std::string other = printable(join(directory.path, before.back().name));
            throw fail(ErrorCode::Invalid, "{} and {} differ only by case and are the same name on Windows",
                       other, path)
                .hint("Rename one of them or add it to .dockerignore.");
        }
    }

    Tree mark_directory_links(const Tree& tree) const {
        TreeEditor editor(tree);
        for (const std::string& path : links_) {
            if (!leads_to_directory(tree, path)) continue;
            Node link = *tree.find(path);
            link.metadata.attributes |= attribute::kDirectory;
            editor.put(path, std::move(link));
        }
        return editor.finish();
    }

    static bool leads_to_directory(const Tree& tree, const std::string& path) {
        try {
            auto target = tree.resolve(path);
            return target && tree.find(*target)->kind == NodeKind::Directory;
        } catch (const base::Error& error) {
            if (error.code() != ErrorCode::Invalid) throw;
            return false;  // a cycle leads nowhere
        }
    }

    const IgnorePatterns none_;
    fs::path root_;
    ScanOptions options_;
    CancelToken cancel_;
    TaskGroup tasks_;
    std::vector<std::string> links_;
};

}  // namespace

Tree scan(const fs::path& root, const ScanOptions& options, const CancelToken& cancel) {
    return Scanner(root, options, cancel).run();
}

}  // namespace mullion::tree
