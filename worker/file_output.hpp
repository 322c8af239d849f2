// The files of a build's result as one tree, for the exporters that write files. Internal to the room.
#pragma once

#include <optional>

#include "worker/exporter.hpp"
#include "worker/plain_files.hpp"

namespace mullion::worker {

// "windows(10.0.20348.2700)_amd64": the directory that holds a platform's files.
std::string platform_directory(const oci::Platform& platform);

// Is there a directory per platform? As `wanted` says, else if the build makes an index.
bool splits_platforms(const ExportInput& input, std::optional<bool> wanted);

// The files of all platforms: in a directory each if `split`, else in one tree, where Exists says which file
// two platforms have. With a SOURCE_DATE_EPOCH all times are that.
PlainFiles output_files(const ExportInput& input, bool split, const base::CancelToken& cancel);

}  // namespace mullion::worker
