// What a file system object carries besides its name and its bytes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/file_time.hpp"

namespace mullion::tree {

// The operating system of an *image*: it decides how names compare and what metadata means.
enum class Os { Windows, Linux };

// Win32 file attributes ([MS-FSCC] 2.6).
namespace attribute {
constexpr std::uint32_t kReadOnly = 0x1;
constexpr std::uint32_t kHidden = 0x2;
constexpr std::uint32_t kSystem = 0x4;
constexpr std::uint32_t kDirectory = 0x10;
constexpr std::uint32_t kArchive = 0x20;
constexpr std::uint32_t kNormal = 0x80;
constexpr std::uint32_t kReparsePoint = 0x400;
}  // namespace attribute

// A self-relative security descriptor, shared: an image has many files and few distinct descriptors. Null
// means "none known": the layer then carries none and Windows inherits one from the parent.
using DescriptorRef = std::shared_ptr<const std::string>;

struct Metadata {
    // Windows. 0 attributes means "none recorded"; writers then use kDirectory or kArchive.
    std::uint32_t attributes = 0;
    DescriptorRef descriptor;
    std::map<std::string, std::string> extended_attributes;  // EA name -> value

    base::FileTime created;
    base::FileTime modified;
    base::FileTime accessed;
    base::FileTime changed;

    // Linux images, and what a tar header of a Windows layer held (kept so that re-writing gives the same
    // bytes).
    std::uint32_t mode = 0;  // permission bits, no file type; 0 for what we make in Windows images
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    // How the tar header it was read from differs from the one we would write (tree/layer_form.hpp); 0 for
    // everything we make. Not part of any identity.
    std::uint16_t tar_form = 0;

    void set_times(base::FileTime time) { created = modified = accessed = changed = time; }
};

}  // namespace mullion::tree
