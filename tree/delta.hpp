// What one layer changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tree/tree.hpp"

namespace mullion::tree {

// Puts an object at `path`. `node.children` is empty: children have entries of their own. It replaces what a
// lower layer has there; only a directory on a directory keeps the children.
struct Upsert {
    std::string path;
    NodeRef node;
    // The path of an earlier entry (in this or a lower layer) this one is a hard link to. `node` is then that
    // file's; where a layer was read and the target lies in a lower layer, it has no content: the lower
    // node counts.
    std::optional<std::string> hard_link = std::nullopt;
    // As Metadata::tar_form, of the link's own entry.
    std::uint16_t hard_link_form = 0;
};

// Removes `path` and everything below it (a whiteout).
struct Removal {
    std::string path;
};

using Change = std::variant<Upsert, Removal>;

// Changes in canonical order: depth first, a directory before what is in it, its whiteouts straight after it
// and then its children, both in folded order. Each path has one entry. Hives and UtilityVM trees of a
// Windows layer travel in `hives` and `utility_vm`, with paths below "Hives" and "UtilityVM"; they are no
// part of a Tree.
struct Delta {
    Os os = Os::Windows;
    std::vector<Change> changes;
    std::vector<Change> hives;
    std::vector<Change> utility_vm;
    // Metadata of the top entries, where the layer had them (their times matter for byte-exact re-writing).
    std::optional<Metadata> files_root;
    std::optional<Metadata> hives_root;
    std::optional<Metadata> utility_vm_root;

    // How the layer it was read from was laid out, for byte-exact re-writing; the defaults are our own
    // layout.
    bool files_first = false;  // Windows exports "Files" before "Hives"
    bool omit_hives = false;   // it has no "Hives" entry

    bool empty() const { return changes.empty() && hives.empty() && utility_vm.empty(); }
};

// How large a Delta may be, whether it is read or made: what diff() lets through, LayerReader reads again.
struct DeltaLimits {
    std::uint64_t entries = 4'000'000;
    std::uint64_t bytes = std::uint64_t{1} << 30;  // that it takes in memory, without contents; roughly
};

const std::string& path_of(const Change& change);

// `lower` with the changes applied in their order; a Removal followed by an Upsert of the same path empties a
// directory first. `files_root`, if any, becomes the root's metadata, but for a descriptor it does not have.
// Throws Invalid for a change that no
// layer may hold (no parent, a file as parent, a hard link to nothing or to a directory, another OS).
Tree apply(const Tree& lower, const Delta& delta);

// The changes, in canonical order, that turn `lower` into `upper`; nodes shared between both are skipped
// without a look inside, and no content is read: files of equal size whose digests are not known count as
// changed unless they lie in the same place. Every parent directory of a change is repeated with upper's
// metadata of it. Names of one file (Node::hard_links) become hard links of the first of them. A name that
// differs from lower's only by case is no change, since no layer can rename: the result keeps lower's
// spelling. Trees share what they hold many times over, layers cannot: Invalid beyond `limits`.
Delta diff(const Tree& lower, const Tree& upper, const DeltaLimits& limits = {});

// Brings changes of any order into canonical form: parents that `lower` has are added with its metadata,
// names take lower's spelling, of several entries for a path the last one stays, whiteouts of what `lower`
// does not have go, and a directory that was removed and made anew becomes explicit whiteouts (layers have no
// opaque directories). Hives and UtilityVM are sorted likewise, but have no lower. Nothing keeps the habits
// of the tar it was read from (Metadata::tar_form); diff() is the same. Throws Invalid on a case clash within
// the delta, on a name that is not legal for the OS, and where apply() would.
void canonicalise(Delta& delta, const Tree& lower);

}  // namespace mullion::tree
