// SOURCE_DATE_EPOCH taken from a source (dockerfile.md §20).
#pragma once

#include <optional>
#include <string>

#include "base/file_time.hpp"
#include "frontend/convert.hpp"
#include "frontend/stages.hpp"

namespace mullion::frontend {

// Does `name` name the context, a named context or a stage?
bool names_source(const std::string& name, const Options& options, const BuildFile& file);

// The time of that source: a commit's, a Last-Modified, an archive's newest entry; nullopt for one that has
// none, such as a directory of the client. A stage must be FROM scratch with one ADD of one URL or git
// repository and nothing else; else Invalid.
std::optional<base::FileTime> source_epoch(const std::string& name, const Options& options,
                                           const BuildFile& file);

}  // namespace mullion::frontend
