// What the reader, the writer and the verifier of layer tars agree on: where things lie in a layer, the names
// of PAX records, and which of several habits a tar header follows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tree/tar_header.hpp"
#include "tree/tree.hpp"

namespace mullion::tree {

namespace pax_key {
constexpr std::string_view kCreated = "LIBARCHIVE.creationtime";
constexpr std::string_view kAttributes = "MSWINDOWS.fileattr";
constexpr std::string_view kMountPoint = "MSWINDOWS.mountpoint";
constexpr std::string_view kDescriptor = "MSWINDOWS.rawsd";
constexpr std::string_view kSddl = "MSWINDOWS.sd";
constexpr std::string_view kWindowsAttribute = "MSWINDOWS.xattr.";  // + EA name
constexpr std::string_view kLinuxAttribute = "SCHILY.xattr.";       // + attribute name
}  // namespace pax_key

constexpr std::string_view kWhiteoutPrefix = ".wh.";

// The three parts of a Windows layer. A Linux layer has only Files, without a folder.
enum class Section { Files, Hives, UtilityVm };
inline constexpr std::array kSections{Section::Files, Section::Hives, Section::UtilityVm};

// "Files", "Hives", "UtilityVM".
std::string_view section_name(Section section);

struct SectionPath {
    Section section = Section::Files;
    std::string_view path;  // below the section's folder; "" is the folder itself
};
// Where the entry `name` of a Windows layer lies (no trailing slash); nullopt if in none of the three.
std::optional<SectionPath> section_path(std::string_view name);

// The flags behind Metadata::tar_form, which holds them xor own_form(): set bits are what differs from us.
namespace tar_form {
constexpr std::uint16_t kTrailingSlash = 1;      // the name of a directory ends in '/'
constexpr std::uint16_t kTypeBits = 2;           // the mode holds the file type too
constexpr std::uint16_t kAccessTime = 4;         // has an atime record
constexpr std::uint16_t kChangeTime = 8;         // has a ctime record
constexpr std::uint16_t kCreationTime = 16;      // has a LIBARCHIVE.creationtime record,
constexpr std::uint16_t kCreationUnpadded = 32;  // which BuildKit prints as "<seconds>.<nanoseconds>"
constexpr std::uint16_t kAttributes = 64;        // has a MSWINDOWS.fileattr record
constexpr std::uint16_t kLinkMode = 128;         // a hard link's mode is 0644, not the file's
}  // namespace tar_form

// A hard link's mode, where it is not its file's (go-winio).
constexpr std::uint32_t kHardLinkMode = 0644;

// The form of the headers we write: what Windows exports (hcs.md §4.2, §4.3), and containerd for Linux.
std::uint16_t own_form(Os os, TarType type);

// `node` as an entry of a layer we make: without its children and without the habits of the tar it was read
// from.
NodeRef as_own_entry(const NodeRef& node);

// BuildKit's spelling of a creation time (it is the write time, hcs.md §4.5).
std::string unpadded_time(PaxTime time);

// What the tar entry of `node` is.
TarType tar_type(const Node& node);
// The file type bits its mode has where tar_form::kTypeBits is set.
std::uint32_t mode_type_bits(TarType type, std::uint32_t attributes);
// The attributes to write: those recorded, or the plain ones of the kind; a directory has kDirectory, a file
// has not.
std::uint32_t written_attributes(const Node& node);

}  // namespace mullion::tree
