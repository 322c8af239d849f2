// A Dockerfile that is looked at without building it: the file, its context's ignore file, the options for
// reading it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/dockerfile_report.hpp"
#include "frontend/convert.hpp"

namespace mullion::cli {

// Options that check and outline share.
struct DockerfileFlags {
    std::string file;
    std::string platform = "windows/amd64";
    std::string target;
    std::string format = "text";
    std::vector<std::string> build_args;
};

// --platform, --target, --build-arg, --format and FILE.
void add_dockerfile_flags(CLI::App& command, DockerfileFlags& flags);

// Throws NotFound, Invalid: no such file, too large.
DockerfileText read_dockerfile(const std::string& file);

// Throws Invalid naming the flag. Reads no file.
frontend::Options frontend_options(const DockerfileFlags& flags);

// FILE.dockerignore, else .dockerignore next to FILE: its folder is the context.
void read_ignore_file(const std::string& file, frontend::Options& options);

}  // namespace mullion::cli
