// What one layer changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tree/tree.hpp"

namespace mullion::tree {

// Puts an object at `path`. `node.children` is empty: children have entries of their own.
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

// Changes in canonical order (order(), below): parents before children, a directory's whiteouts straight
// after it. Hives and UtilityVM trees of a Windows layer travel in `hives` and `utility_vm`, with paths below
// these folders.
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

// `lower` with the changes applied. Throws Invalid for a change that no layer may hold (no parent, a file as
// parent).
Tree apply(const Tree& lower, const Delta& delta);

// The changes that turn `lower` into `upper`; nodes shared between both are skipped without a look inside.
// Every parent directory of a change is repeated with its own metadata ("parents before children").
Delta diff(const Tree& lower, const Tree& upper);

// Sorts into canonical order, adds missing parents from `lower`, drops duplicates (last wins). Throws Invalid
// on a case clash or a name that is not legal for the OS.
void canonicalise(Delta& delta, const Tree& lower);

}  // namespace mullion::tree
