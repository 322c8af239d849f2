#include <memory>

#include "cli/build.hpp"
#include "cli/build_call.hpp"
#include "cli/build_request.hpp"
#include "cli/commands.hpp"

namespace mullion::cli {
namespace {

// Known, so that they are refused with a reason and not as unknown options.
template <typename List>
void add_unsupported(CLI::App& command, const List& list, BuildFlags& flags) {
    list("--attest", flags.attestations, "Only type=...,disabled=true");
    command.add_option("--provenance", flags.provenance, "Only false");
    command.add_option("--sbom", flags.sbom, "Only false");
    list("--cache-from", flags.cache_from, "Not supported");
    list("--cache-to", flags.cache_to, "Not supported");
}

}  // namespace

void add_build(CLI::App& app, Context& context) {
    auto flags = std::make_shared<BuildFlags>();
    CLI::App* command = app.add_subcommand("build", "Build an image from a Dockerfile");
    auto list = [&](const char* names, std::vector<std::string>& values, const char* help) {
        command->add_option(names, values, help)->take_all()->allow_extra_args(false);
    };
    command
        ->add_option(
            "CONTEXT", flags->context,
            "Directory to copy from, git or http(s) URL; \"-\": a Dockerfile or tar on standard input")
        ->required();
    command->add_option("-f,--file", flags->file,
                        "Dockerfile (default: CONTEXT/Dockerfile; \"-\": standard input)");
    list("-t,--tag", flags->tags, "Name of the image");
    command->add_option("--target", flags->target, "Stage to build");
    list("--build-arg", flags->build_args, "NAME=VALUE for an ARG; NAME alone passes our variable on");
    list(
        "--build-context", flags->build_contexts,
        "NAME=DIR, NAME=oci-layout://DIR[:TAG], NAME=docker-image://REF, NAME=GIT-URL or NAME=http(s)://URL: "
        "what NAME means in FROM and --from");
    list("--platform", flags->platforms,
         "Platforms to build for: windows/amd64, windows(10.0.20348.2700)/amd64; several make an index");
    command->add_option("--multi-platform", flags->multi_platform,
                        "true: make an index of one platform, too");
    list("--annotation", flags->annotations,
         "[TYPE:]KEY=VALUE; TYPE: manifest, manifest-descriptor, index, index-descriptor");
    list("--label", flags->labels, "NAME=VALUE label of the image");
    list("-o,--output", flags->outputs,
         "type=image|registry|oci|docker|local|tar[,dest=PATH][,name=NAME]...");
    command->add_flag("--load", flags->load, "Put the image into the local store (as -o type=image)");
    command->add_flag("--no-cache", flags->no_cache, "Run every RUN, COPY and ADD");
    list("--no-cache-filter", flags->no_cache_filter, "Run the steps of these stages");
    command->add_flag("--push", flags->push, "Push the image to its registry (as -o type=registry)");
    command->add_flag("--allow-nondistributable-artifacts", flags->push_nondistributable,
                      "With --push: also layers that have URLs of their own");
    command->add_flag("--pull", flags->pull,
                      "Ask the registries for base images, whatever the local store has");
    add_os_options(*command, flags->os);
    add_run_options(*command, flags->run);
    command->add_option("--progress", flags->progress, "How progress is shown (default: auto)")
        ->check(CLI::IsMember({"auto", "tty", "plain", "rawjson", "quiet"}));
    command->add_flag("-q,--quiet", flags->quiet, "Print only the image's digest");
    command->add_option("--metadata-file", flags->metadata_file,
                        "Write what was built to this file, as JSON");
    command->add_option("--iidfile", flags->iidfile, "Write the image's digest to this file");
    command->add_option("--call", flags->call,
                        "build, or instead of building: check, outline, targets[,format=json]");
    command->add_flag("--check", flags->check, "Shorthand for --call=check");
    add_unsupported(*command, list, *flags);
    command->callback([&context, flags] {
        flags->ca_file = context.ca_file;
        auto request = std::make_shared<BuildRequest>(make_build_request(*flags));
        context.action = [&context, request] {
            return request->call ? run_build_call(context, *request) : run_build(context, *request);
        };
    });
}

}  // namespace mullion::cli
