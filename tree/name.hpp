// Names and paths inside images, by the rules of the image's OS.
//
// A *name* is one path element, in UTF-8. A *tree path* is names joined by '/', relative to the root of C:
// (or of /), without leading or trailing slash; "" is the root.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tree/metadata.hpp"

namespace mullion::tree {

// The form in which names compare: upper-cased code point by code point for Windows (NTFS $UpCase: simple
// mappings of the Basic Multilingual Plane, whatever the locale), unchanged for Linux. Bytes that are not
// UTF-8 stand for themselves. Folding a folded name changes nothing.
std::string fold(Os os, std::string_view name);
// One code point of fold(Os::Windows).
char32_t upcase(char32_t point);
// A code point that upcases to `point`, or `point` itself if there is none.
char32_t downcase(char32_t point);
// Three-way comparison of two names by their folded forms, without allocating for ASCII.
int compare_names(Os os, std::string_view a, std::string_view b);
bool names_equal(Os os, std::string_view a, std::string_view b);

// Why `name` cannot be one path element on this OS ("is a reserved device name", "ends with a dot", "contains
// ':'"...: a predicate, to follow the name); nullopt if it can. [MS-FSCC] 2.1.5; "Naming Files, Paths, and
// Namespaces" in the Win32 documentation.
std::optional<std::string> name_problem(Os os, std::string_view name);

// A path as users and Dockerfiles write it -> a tree path. For Windows: `\` and `/` separate, "C:" (any case)
// is dropped, other drives, UNC and a bare "X:" are Invalid with the reference's texts (dockerfile.md §11),
// "." and ".." are resolved lexically and cannot leave the root. Relative paths ("C:x" too) join
// `working_directory` (a tree path). Names are not checked: see name_problem.
std::string normalise(Os os, std::string_view path, std::string_view working_directory = {});
bool is_absolute(Os os, std::string_view path);

std::string join(std::string_view directory, std::string_view name);
std::string_view parent_of(std::string_view path);  // "" for a top-level path
std::string_view base_name(std::string_view path);
std::vector<std::string_view> split(std::string_view path);  // no elements for the root

// A tree path as the OS writes it: `C:\a\b` or `/a/b`.
std::string display_path(Os os, std::string_view path);

// `text` as it may stand in a message: control characters and bytes that are not UTF-8 become \xNN.
std::string printable(std::string_view text);

}  // namespace mullion::tree
