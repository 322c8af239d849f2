// What one `mullion build` is asked to do, checked: everything that can be wrong without reading the context
// is a usage error by now.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/display.hpp"
#include "cli/image_resolver.hpp"
#include "cli/os_options.hpp"
#include "cli/run_options.hpp"
#include "frontend/convert.hpp"
#include "worker/exporter.hpp"
#include "worker/worker.hpp"

namespace mullion::cli {

// The flags as typed.
struct BuildFlags {
    std::string context;
    std::string file;
    std::string target;
    std::string progress = "auto";
    std::string metadata_file;
    std::string iidfile;
    std::string ca_file;
    std::string multi_platform;
    std::string provenance;
    std::string sbom;
    std::vector<std::string> platforms;
    std::vector<std::string> no_cache_filter;
    std::vector<std::string> annotations;
    std::vector<std::string> attestations;
    std::vector<std::string> cache_from;
    std::vector<std::string> cache_to;
    std::vector<std::string> tags;
    std::vector<std::string> build_args;
    std::vector<std::string> labels;
    std::vector<std::string> build_contexts;
    std::vector<std::string> outputs;
    bool no_cache = false;
    bool quiet = false;
    bool load = false;
    bool push = false;
    bool pull = false;
    bool push_nondistributable = false;
    OsFlags os;
    RunFlags run;
    std::string call = "build";
    bool check = false;
};

// --call: look at the Dockerfile instead of building it.
struct BuildCall {
    enum class Method { Check, Outline, Targets };
    Method method;
    bool json = false;
};

// "build" (nullopt), or "check|outline|targets[,format=text|json]"; "lint" is "check". Throws Invalid.
std::optional<BuildCall> parse_build_call(const std::string& text);

struct BuildRequest {
    std::string context;                   // a directory, "-", or a URL (then frontend.remote_context is set)
    std::string dockerfile;                // a file, "-" for standard input, empty for the context's own
    frontend::Options frontend;            // for any one of `platforms`
    std::vector<oci::Platform> platforms;  // empty: the one that the options and the base give
    bool makes_index = false;
    ImageChoice images;
    worker::WorkerOptions worker;
    std::vector<std::unique_ptr<worker::Exporter>> exporters;
    DisplayMode display;
    std::string metadata_file;
    std::string iidfile;
    std::optional<BuildCall> call;
};

// Throws Invalid or Unsupported, naming the flag.
BuildRequest make_build_request(const BuildFlags& flags);

}  // namespace mullion::cli
