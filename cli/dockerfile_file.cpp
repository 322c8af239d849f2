#include "cli/dockerfile_file.hpp"

#include "base/file.hpp"
#include "base/path_text.hpp"
#include "cli/build_inputs.hpp"
#include "cli/key_values.hpp"
#include "worker/context_files.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;

}  // namespace

void add_dockerfile_flags(CLI::App& command, DockerfileFlags& flags) {
    command.add_option("FILE", flags.file, "Dockerfile; its folder is the context")->required();
    command.add_option("--platform", flags.platform, "Platform to build on and for (default: windows/amd64)");
    command.add_option("--target", flags.target, "Stage to look at");
    command
        .add_option("--build-arg", flags.build_args,
                    "NAME=VALUE for an ARG; NAME alone passes our variable on")
        ->take_all()
        ->allow_extra_args(false);
    command.add_option("--format", flags.format, "text or json")->check(CLI::IsMember({"text", "json"}));
}

DockerfileText read_dockerfile(const std::string& file) {
    return {file, base::read_file(base::to_path(file), kMaxDockerfile)};
}

frontend::Options frontend_options(const DockerfileFlags& flags) {
    frontend::Options options;
    options.file = flags.file;
    options.target = flags.target;
    options.platform = oci::Platform::parse(flags.platform);
    options.build_platform = *options.platform;
    for (const std::string& text : flags.build_args) {
        if (auto pair = parse_assignment(text, "--build-arg")) options.build_args.push_back(std::move(*pair));
    }
    return options;
}

void read_ignore_file(const std::string& file, frontend::Options& options) {
    fs::path path = fs::absolute(base::to_path(file));
    auto names = frontend::ignore_file_names(path.filename().string());
    options.ignore_patterns["context"] =
        worker::read_ignore_lines(path.parent_path() / base::to_path(names.next_to_dockerfile),
                                  path.parent_path() / base::to_path(names.in_context));
}

}  // namespace mullion::cli
