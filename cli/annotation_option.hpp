// `--annotation [TYPE[[PLATFORM]][,TYPE...]:]KEY=VALUE`, as buildx has it.
#pragma once

#include <string>
#include <vector>

#include "worker/exporter.hpp"

namespace mullion::cli {

// The exporter attributes these options stand for. TYPE is manifest (the default), manifest-descriptor, index
// or index-descriptor. Throws Invalid, quoting the option.
worker::Attributes annotation_attributes(const std::vector<std::string>& options);

}  // namespace mullion::cli
