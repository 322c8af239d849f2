// The Dockerfile and the directories of a build, as found on the host.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/file.hpp"
#include "cli/build_request.hpp"
#include "cli/context.hpp"

namespace mullion::cli {

constexpr std::size_t kMaxDockerfile = 16 << 20;

struct BuildInputs {
    std::string dockerfile;                     // the text
    std::string dockerfile_name;                // how messages name it
    std::filesystem::path context;              // the main context's directory; empty for a remote one
    std::filesystem::path context_tar;          // came on standard input, and is the context
    std::unique_ptr<base::TempDir> no_context;  // an empty context, where none was given
};

// Reads the Dockerfile, unless it is in a context that has to be fetched first (remote_context.hpp). A tar on
// standard input becomes the context. Throws NotFound/Invalid naming what was looked for.
BuildInputs load_dockerfile(Context& context, const BuildRequest& request);

// Tells front end and worker about the directories and their ignore files. Throws NotFound for a context that
// is none.
void add_contexts(const BuildInputs& inputs, BuildRequest& request);

}  // namespace mullion::cli
