// Single files of a solved file system, for the client: the Dockerfile of a context that is a vertex.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.hpp"
#include "base/file_time.hpp"
#include "worker/snapshot.hpp"
#include "worker/worker.hpp"

namespace mullion::worker {

// The bytes of a file, links followed inside the tree; nullopt if there is none. Throws Invalid if it is
// larger than `limit`, or no file.
std::optional<std::string> read_snapshot_file(Worker& worker, const Snapshot& snapshot, std::string_view path,
                                              std::size_t limit, const base::CancelToken& cancel);
// Is the file one that ADD would unpack?
bool is_archive_file(Worker& worker, const Snapshot& snapshot, std::string_view path,
                     const base::CancelToken& cancel);
// When its source last changed; else, for what an archive became, the newest time in it.
std::optional<base::FileTime> time_of_source(const Snapshot& snapshot, const base::CancelToken& cancel);

}  // namespace mullion::worker
