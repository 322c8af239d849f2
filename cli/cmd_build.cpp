#include <memory>

#include "cli/build.hpp"
#include "cli/build_call.hpp"
#include "cli/build_request.hpp"
#include "cli/commands.hpp"

namespace mullion::cli {

void add_build(CLI::App& app, Context& context) {
    auto flags = std::make_shared<BuildFlags>();
    CLI::App* command = app.add_subcommand("build", "Build an image from a Dockerfile");
    auto list = [&](const char* names, std::vector<std::string>& values, const char* help) {
        command->add_option(names, values, help)->take_all()->allow_extra_args(false);
    };
    command
        ->add_option("CONTEXT", flags->context,
                     "Directory to copy from; \"-\": a Dockerfile on standard input")
        ->required();
    command->add_option("-f,--file", flags->file,
                        "Dockerfile (default: CONTEXT/Dockerfile; \"-\": standard input)");
    list("-t,--tag", flags->tags, "Name of the image");
    command->add_option("--target", flags->target, "Stage to build");
    list("--build-arg", flags->build_args, "NAME=VALUE for an ARG; NAME alone passes our variable on");
    list("--build-context", flags->build_contexts,
         "NAME=DIR, NAME=oci-layout://DIR[:TAG] or NAME=docker-image://REF: what NAME means in FROM and "
         "--from");
    command->add_option("--platform", flags->platform,
                        "Platform to build for: windows/amd64, windows(10.0.20348.2700)/amd64");
    list("--label", flags->labels, "NAME=VALUE label of the image");
    list("-o,--output", flags->outputs, "type=image|oci|docker|local|tar[,dest=PATH][,name=NAME]...");
    command->add_flag("--no-cache", flags->no_cache, "Run every RUN, COPY and ADD");
    command->add_option("--network", flags->network, "Network of RUN steps")
        ->check(CLI::IsMember({"default", "none"}));
    command->add_option("--memory", flags->memory, "Memory limit of a RUN step (512m, 2g)");
    command->add_option("--step-timeout", flags->step_timeout,
                        "Time limit of a RUN step (90s, 5m; default 1h)");
    command->add_flag("--allow-registry-loss", flags->allow_registry_loss,
                      "Let a RUN pass whose registry changes cannot be kept");
    command->add_option("--progress", flags->progress, "How progress is shown (default: auto)")
        ->check(CLI::IsMember({"auto", "tty", "plain", "rawjson", "quiet"}));
    command->add_flag("-q,--quiet", flags->quiet, "Print only the image's digest");
    command->add_option("--metadata-file", flags->metadata_file,
                        "Write what was built to this file, as JSON");
    command->add_option("--iidfile", flags->iidfile, "Write the image's digest to this file");
    command->add_option("--call", flags->call,
                        "build, or instead of building: check, outline, targets[,format=json]");
    command->add_flag("--check", flags->check, "Shorthand for --call=check");
    command->callback([&context, flags] {
        auto request = std::make_shared<BuildRequest>(make_build_request(*flags));
        context.action = [&context, request] {
            return request->call ? run_build_call(context, *request) : run_build(context, *request);
        };
    });
}

}  // namespace mullion::cli
