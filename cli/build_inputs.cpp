#include "cli/build_inputs.hpp"

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "worker/context_files.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

// Everything on standard input, as a file of the state.
fs::path save_stdin(Context& context) {
    fs::path path = context.state().temporary_directory() / "stdin";
    base::FileSource input(base::duplicate(base::kStandardInput), 0, UINT64_MAX);
    base::AtomicFile file(path);
    base::copy(input, file);
    file.finish();
    return path;
}

// By what it begins with: a Dockerfile begins like none of these.
bool is_archive(const fs::path& path) {
    std::string head(262, '\0');
    base::FileSource file(path);
    for (std::size_t at = 0, got = 1; got > 0 && at < head.size(); at += got) {
        got = file.read(head.data() + at, head.size() - at);
    }
    for (std::string_view magic : {"\x1f\x8b", "BZh",
                                   "\xfd"
                                   "7zXZ",
                                   "\x28\xb5\x2f\xfd"}) {
        if (head.starts_with(magic)) return true;
    }
    return head.compare(257, 5, "ustar") == 0;
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

// Standard input is the Dockerfile, or a tar with everything.
void load_stdin(Context& context, const BuildRequest& request, BuildInputs& inputs) {
    fs::path file = save_stdin(context);
    if (request.context == "-" && is_archive(file)) {
        inputs.context_tar = file;
        return;
    }
    if (request.context == "-" && !request.dockerfile.empty()) {
        throw fail(ErrorCode::Invalid, "ambiguous Dockerfile source: both stdin and -f {}",
                   request.dockerfile)
            .hint("give a tar on standard input, or a directory as context");
    }
    inputs.dockerfile = base::read_file(file, kMaxDockerfile);
    inputs.dockerfile_name = "Dockerfile";
}

}  // namespace

BuildInputs load_dockerfile(Context& context, const BuildRequest& request) {
    BuildInputs inputs;
    bool remote = request.frontend.remote_context.has_value();
    if (request.context == "-") {
        inputs.no_context = std::make_unique<base::TempDir>(context.state().temporary_directory(), "context");
        inputs.context = inputs.no_context->path();
    } else if (!remote) {
        inputs.context = base::to_path(request.context);
        require_directory(inputs.context, "context");
    }
    if (request.context == "-" || request.dockerfile == "-") {
        load_stdin(context, request, inputs);
    } else if (remote) {
        // load_fetched_context() reads it.
    } else if (request.dockerfile.empty()) {
        load_from_context(inputs);
    } else {
        inputs.dockerfile = base::read_file(base::to_path(request.dockerfile), kMaxDockerfile);
        inputs.dockerfile_name = base::to_path(request.dockerfile).filename().string();
    }
    return inputs;
}

void add_contexts(const BuildInputs& inputs, BuildRequest& request) {
    frontend::IgnoreFileNames names = frontend::ignore_file_names(inputs.dockerfile_name);
    fs::path beside = request.dockerfile.empty() || request.dockerfile == "-"
                          ? inputs.context
                          : fs::absolute(base::to_path(request.dockerfile)).parent_path();
    for (const auto& [name, directory] : request.worker.contexts) {
        require_directory(directory, "build context " + name);
        request.frontend.ignore_patterns[name] =
            worker::read_ignore_lines({}, directory / base::to_path(names.in_context));
    }
    request.frontend.file = inputs.dockerfile_name;
    // What is fetched or comes as a tar is taken whole (dockerfile.md §14).
    if (request.frontend.remote_context) return;
    request.worker.contexts["context"] = inputs.context_tar.empty() ? inputs.context : inputs.context_tar;
    if (!inputs.context_tar.empty()) return;
    request.frontend.ignore_patterns["context"] = worker::read_ignore_lines(
        beside / base::to_path(names.next_to_dockerfile), inputs.context / base::to_path(names.in_context));
}

}  // namespace mullion::cli
