#include "cli/build_inputs.hpp"

#include <unistd.h>

#include "base/error.hpp"
#include "worker/context_files.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxDockerfile = 16 << 20;

std::string read_stdin() {
    base::FileSource input(base::UniqueFd(::dup(STDIN_FILENO)), 0, UINT64_MAX);
    std::string text = input.read_all(kMaxDockerfile, "the Dockerfile on standard input");
    // `build - < context.tar` works elsewhere; here it must not be mistaken for a Dockerfile.
    bool is_tar = text.size() > 262 && text.compare(257, 5, "ustar") == 0;
    if (is_tar || text.starts_with("\x1f\x8b")) {
        throw fail(ErrorCode::Unsupported,
                   "standard input is an archive: a context can only be a directory yet");
    }
    return text;
}

void require_directory(const fs::path& path, std::string_view what) {
    std::error_code code;
    if (fs::is_directory(path, code)) return;
    throw fail(ErrorCode::NotFound, "{} \"{}\" {}", what, path.string(),
               fs::exists(path, code) ? "is not a directory" : "does not exist");
}

void load_from_context(BuildInputs& inputs) {
    for (const char* name : {"Dockerfile", "dockerfile"}) {
        if (auto text = worker::read_context_file(inputs.context, name, kMaxDockerfile)) {
            inputs.dockerfile = std::move(*text);
            inputs.dockerfile_name = name;
            return;
        }
    }
    throw fail(ErrorCode::NotFound, "no Dockerfile in {}", inputs.context.string())
        .hint("name it with -f FILE, or give the directory that has it");
}

}  // namespace

BuildInputs load_dockerfile(Context& context, const BuildRequest& request) {
    BuildInputs inputs;
    bool no_context = request.context == "-";
    if (no_context) {
        inputs.no_context = std::make_unique<base::TempDir>(context.state().temporary_directory(), "context");
        inputs.context = inputs.no_context->path();
    } else {
        inputs.context = request.context;
        require_directory(inputs.context, "context");
    }
    if (request.dockerfile == "-" || (no_context && request.dockerfile.empty())) {
        inputs.dockerfile = read_stdin();
        inputs.dockerfile_name = "Dockerfile";
    } else if (request.dockerfile.empty()) {
        load_from_context(inputs);
    } else {
        inputs.dockerfile = base::read_file(request.dockerfile, kMaxDockerfile);
        inputs.dockerfile_name = fs::path(request.dockerfile).filename().string();
    }
    return inputs;
}

void add_contexts(const BuildInputs& inputs, BuildRequest& request) {
    frontend::IgnoreFileNames names = frontend::ignore_file_names(inputs.dockerfile_name);
    fs::path beside = request.dockerfile.empty() || request.dockerfile == "-"
                          ? inputs.context
                          : fs::absolute(request.dockerfile).parent_path();
    for (const auto& [name, directory] : request.worker.contexts) {
        require_directory(directory, "build context " + name);
        request.frontend.ignore_patterns[name] = worker::read_ignore_lines({}, directory / names.in_context);
    }
    request.worker.contexts["context"] = inputs.context;
    request.frontend.ignore_patterns["context"] =
        worker::read_ignore_lines(beside / names.next_to_dockerfile, inputs.context / names.in_context);
    request.frontend.file = inputs.dockerfile_name;
}

}  // namespace mullion::cli
