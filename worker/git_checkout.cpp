#include "worker/git_checkout.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "oci/http_url.hpp"
#include "tree/name.hpp"
#include "tree/scan.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;
using base::CancelToken;
using base::ErrorCode;
using base::fail;

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_commit_id(std::string_view text) {
    return (text.size() == 40 || text.size() == 64) && is_hex(text);
}

// git-check-ref-format(1), as far as it keeps options, patterns and revision syntax out.
bool is_reference_name(std::string_view name) {
    if (name.starts_with('-') || name.find("..") != std::string_view::npos) return false;
    return std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == 0x7f ||
               std::string_view("~^:?*[\\").find(c) != std::string_view::npos;
    });
}

void check(const solver::GitSource& source) {
    if (source.remote.empty() || source.remote.starts_with('-')) {
        throw fail(ErrorCode::Invalid, "\"{}\" is no git repository", oci::redacted_url(source.remote));
    }
    if (!is_reference_name(source.reference)) {
        throw fail(ErrorCode::Invalid, "\"{}\" cannot be a branch, tag or commit",
                   tree::printable(source.reference));
    }
    if (!source.checksum.empty() && (!is_hex(source.checksum) || source.checksum.size() < 7)) {
        throw fail(ErrorCode::Invalid, "\"{}\" is not the ID of a commit", tree::printable(source.checksum))
            .about(source.checksum)
            .hint("for git sources --checksum is the commit: seven or more lower-case hexadecimal digits");
    }
}

// "ID\tNAME" lines.
std::map<std::string, std::string> parse_references(const std::string& text) {
    std::map<std::string, std::string> references;
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t end = std::min(text.find('\n', at), text.size());
        std::string line = text.substr(at, end - at);
        at = end + 1;
        std::size_t tab = line.find('\t');
        if (tab == std::string::npos || !is_commit_id(line.substr(0, tab))) continue;
        references[line.substr(tab + 1)] = line.substr(0, tab);
    }
    return references;
}

// What the user gave us to get in is no part of messages.
std::string without_credentials(std::string text, const std::string& remote) {
    std::string shown = oci::redacted_url(remote);
    for (std::size_t at = text.find(remote); shown != remote && at != std::string::npos;
         at = text.find(remote)) {
        text.replace(at, remote.size(), shown);
    }
    return text;
}

struct Found {
    GitCommit commit;
    std::string object;  // what the reference names: the commit, or an annotated tag
};

Found find_reference(const Git& git, const solver::GitSource& source, const fs::path& directory,
                     const CancelToken& cancel) {
    const std::string& name = source.reference.empty() ? std::string("HEAD") : source.reference;
    auto references = parse_references(
        git.run({"ls-remote", "-q", "--", source.remote, name, name + "^{}"}, directory, cancel));
    // Branches win over tags, as in git checkout.
    for (const std::string& full : {name, "refs/" + name, "refs/heads/" + name, "refs/tags/" + name}) {
        auto object = references.find(full);
        if (object == references.end()) continue;
        auto peeled = references.find(full + "^{}");
        std::string id = peeled == references.end() ? object->second : peeled->second;
        return {{id, full}, object->second};
    }
    throw fail(ErrorCode::NotFound, "repository does not contain ref {}", name)
        .about(source.reference)
        .hint("name a branch, a tag, or all digits of a commit's ID");
}

bool has_commit(const Git& git, const std::string& id, const fs::path& repository,
                const CancelToken& cancel) {
    std::string problem;
    return git.try_run({"cat-file", "-e", id + "^{commit}"}, repository, cancel, problem);
}

// From little to much: the reference's tip, the commit itself, everything. Servers differ in what they allow;
// dumb HTTP ones give nothing but everything.
void fetch(const Git& git, const solver::GitSource& source, const GitCommit& commit,
           const fs::path& repository, const CancelToken& cancel) {
    std::vector<std::vector<std::string>> attempts;
    bool named = commit.reference.starts_with("refs/");
    std::vector<std::string> shallow = {"fetch", "-q", "-u", "--no-tags", "--depth=1", "--", source.remote};
    if (named) attempts.push_back({"+" + commit.reference + ":" + commit.reference});
    attempts.push_back({commit.id});
    for (const auto& what : attempts) {
        std::vector<std::string> arguments = shallow;
        arguments.insert(arguments.end(), what.begin(), what.end());
        std::string problem;
        bool fetched = git.try_run(std::move(arguments), repository, cancel, problem);
        if (fetched && has_commit(git, commit.id, repository, cancel)) return;
    }
    git.run({"fetch", "-q", "-u", "--no-tags", "--", source.remote, "+refs/heads/*:refs/remotes/origin/*",
             "+refs/tags/*:refs/tags/*"},
            repository, cancel);
    if (has_commit(git, commit.id, repository, cancel)) return;
    throw fail(ErrorCode::NotFound, "repository does not contain commit {}", commit.id);
}

void fetch_submodules(const Git& git, const fs::path& repository, const CancelToken& cancel) {
    if (!fs::exists(fs::symlink_status(repository / ".gitmodules"))) return;
    std::string problem;
    std::vector<std::string> arguments = {"submodule", "--quiet",     "update",
                                          "--init",    "--recursive", "--depth=1"};
    if (git.try_run(arguments, repository, cancel, problem)) return;
    arguments.pop_back();
    base::with_context([] { return std::string("fetching submodules"); },
                       [&] { git.run(std::move(arguments), repository, cancel); });
}

// The repositories in a .git directory: itself, and those of submodules.
std::vector<fs::path> repositories(const fs::path& git_directory) {
    std::vector<fs::path> found = {git_directory};
    for (auto at = fs::recursive_directory_iterator(git_directory); at != fs::recursive_directory_iterator();
         ++at) {
        if (!at->is_directory() || at->is_symlink()) continue;
        if (at->path().filename() == "objects") at.disable_recursion_pending();
        if (fs::exists(at->path() / "HEAD") && fs::exists(at->path() / "objects"))
            found.push_back(at->path());
    }
    return found;
}

// What in a .git directory depends on when and how it was made goes, or is made anew so that it does not.
void make_reproducible(const Git& git, const GitCommit& commit, const fs::path& worktree,
                       const CancelToken& cancel) {
    if (commit.reference.starts_with("refs/heads/")) {
        git.run({"update-ref", commit.reference, commit.id}, worktree, cancel);
    }
    for (const fs::path& repository : repositories(worktree / ".git")) {
        std::string directory = "--git-dir=" + repository.string();
        git.run({directory, "repack", "-q", "-a", "-d", "-F"}, worktree, cancel);
        for (const char* name :
             {"hooks", "logs", "FETCH_HEAD", "ORIG_HEAD", "index", "description", "branches"}) {
            base::remove_tree(repository / name);
        }
        // An index without what stat() said of the files.
        git.run({directory, "read-tree", "HEAD"}, worktree, cancel);
    }
}

// The tree as the commit has it, whatever umask and clock the checkout was made under.
tree::NodeRef normalised(const tree::Node& node, const solver::GitSource& source, tree::Os os,
                         base::FileTime committed) {
    auto copy = std::make_shared<tree::Node>(node);
    bool directory = node.kind == tree::NodeKind::Directory;
    if (!source.checkout_times) copy->metadata.set_times(committed);
    if (os == tree::Os::Linux && (directory || node.kind == tree::NodeKind::File)) {
        copy->metadata.mode = directory || (node.metadata.mode & 0100) != 0 ? 0755 : 0644;
    }
    copy->children.clear();
    for (const tree::Child& child : node.children) {
        if (!source.keep_git_directory && child.name == ".git") continue;
        copy->children.push_back({child.name, normalised(*child.node, source, os, committed)});
    }
    return copy;
}

tree::Tree subtree(const tree::Tree& tree, const std::string& path) {
    if (path.empty()) return tree;
    auto target = tree.resolve(path);
    tree::NodeRef node = target ? tree.find(*target) : nullptr;
    if (!node || node->kind != tree::NodeKind::Directory) {
        throw fail(ErrorCode::NotFound, "the repository has no directory \"{}\"", tree::printable(path))
            .about(path);
    }
    return tree::Tree(tree.os(), node);
}

base::FileTime commit_time(const Git& git, const GitCommit& commit, const fs::path& repository,
                           const CancelToken& cancel) {
    std::string text = git.run({"show", "-s", "--format=%ct", commit.id, "--"}, repository, cancel);
    std::int64_t seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return base::FileTime::from_seconds(seconds);
}

// Runs `body`; errors say which repository, and never the password.
template <typename Body>
auto at_remote(const solver::GitSource& source, Body&& body) {
    try {
        return base::with_context([&] { return "git repository " + oci::redacted_url(source.remote); }, body);
    } catch (base::Error& error) {
        error.about(source.remote);
        std::string text = error.frames().front().text;
        std::string clean = without_credentials(text, source.remote);
        if (clean == text) throw;
        throw fail(error.code(), "git repository {}: {}", oci::redacted_url(source.remote), clean)
            .about(source.remote);
    }
}

}  // namespace

GitCommit resolve_commit(const Git& git, const solver::GitSource& source, const fs::path& directory,
                         const CancelToken& cancel) {
    return at_remote(source, [&]() -> GitCommit {
        check(source);
        if (source.fetch_by_commit) {
            if (is_commit_id(source.checksum)) return {source.checksum, {}};
            throw fail(ErrorCode::Invalid, "fetch-by-commit needs the commit's whole ID as checksum");
        }
        Found found = is_commit_id(source.reference) ? Found{{source.reference, {}}, source.reference}
                                                     : find_reference(git, source, directory, cancel);
        bool expected =
            found.commit.id.starts_with(source.checksum) || found.object.starts_with(source.checksum);
        if (!expected) {
            throw fail(ErrorCode::Corrupt, "expected checksum to match {}, got {}", source.checksum,
                       found.commit.id)
                .about(source.checksum);
        }
        return found.commit;
    });
}

GitCheckout check_out(const Git& git, const solver::GitSource& source, const GitCommit& commit, tree::Os os,
                      const fs::path& directory, const CancelToken& cancel) {
    return at_remote(source, [&]() -> GitCheckout {
        check(source);
        git.run({"init", "-q"}, directory, cancel);
        // Relative submodules start from here. Whoever keeps .git does not keep the password.
        git.run({"config", "remote.origin.url", source.remote}, directory, cancel);
        fetch(git, source, commit, directory, cancel);
        git.run({"checkout", "-q", "--detach", commit.id, "--"}, directory, cancel);
        if (source.submodules) fetch_submodules(git, directory, cancel);
        base::FileTime committed = commit_time(git, commit, directory, cancel);
        if (source.keep_git_directory) {
            git.run({"config", "remote.origin.url", oci::redacted_url(source.remote)}, directory, cancel);
            make_reproducible(git, commit, directory, cancel);
        } else {
            base::remove_tree(directory / ".git");
        }
        tree::ScanOptions options;
        options.os = os;
        tree::Tree scanned = tree::scan(directory, options, cancel);
        tree::Tree files(os, normalised(*scanned.root(), source, os, committed));
        return {subtree(files, source.subdirectory), committed};
    });
}

}  // namespace mullion::worker
