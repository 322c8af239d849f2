// The front end's entry point: a Dockerfile and the options of a build become a graph of vertices, an image
// configuration and its history (dockerfile.md §1, §12, §13).
//
//     frontend::Options options;
//     options.platform = oci::Platform::parse("windows/amd64");
//     auto conversion = frontend::convert(text, options, resolver, cancel);
//     // solve conversion.target; layers[i] made the i-th new layer; write conversion.config
//
// Converting reads no context and runs nothing; only the resolver and Options::source_time may block. Equal
// text, options and resolved images give an equal Conversion.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.hpp"
#include "base/file_time.hpp"
#include "base/source_range.hpp"
#include "frontend/image_resolver.hpp"
#include "frontend/lint.hpp"
#include "frontend/outline.hpp"
#include "oci/config.hpp"
#include "oci/platform.hpp"
#include "solver/vertex.hpp"

namespace mullion::frontend {

enum class NetworkMode { Default, None, Host };

// Ordered "K=V" options; a later entry with the same key wins.
using KeyValues = std::vector<std::pair<std::string, std::string>>;

// The main context, if it is no directory (or tar file) of the client.
struct RemoteContext {
    // What an HTTP URL gives is known only when it has been fetched: a tar to unpack, or a Dockerfile.
    enum class Form { Git, Archive, File };
    std::string url;
    Form form = Form::Git;
};

struct Options {
    std::string file = "Dockerfile";  // how messages name the text
    std::string target;               // stage name; empty = the last stage
    // Convert what the target does not need too, to find its errors.
    bool every_stage = false;
    KeyValues build_args;
    KeyValues labels;                       // put on the final config, unexpanded
    oci::Platform build_platform;           // of the machine that builds
    std::optional<oci::Platform> platform;  // --platform; absent = build_platform, os.version from the base
    NetworkMode network = NetworkMode::Default;  // for RUN without --network
    KeyValues add_hosts;                         // --add-host: name, address

    // --no-cache: nullopt = use the cache, empty list = ignore it in every stage, else in these stages.
    std::optional<std::vector<std::string>> no_cache;

    // --build-context NAME=SPEC. SPEC: "docker-image://REF", "oci-layout://DIR[:TAG][@DIGEST]",
    // "local:NAME2" for a directory that the context source offers under NAME2, a git or an http(s) URL.
    KeyValues named_contexts;
    std::optional<RemoteContext> remote_context;

    // The lines of the ignore file per directory that the context source offers: "context" is the main one.
    std::map<std::string, std::vector<std::string>> ignore_patterns;

    bool windows_rules = true;  // lint by our own rules too, not only by the reference's
    // Nothing will be built: what only this engine cannot do becomes a warning (UnsupportedFeature).
    bool lint_only = false;
    bool windows_host = false;  // containers run on a Windows, not in the emulation

    // The result is an index: names of steps tell the platform.
    bool multi_platform = false;
    // The time of files that steps make; absent = the base's `created`, else 1980-01-01T00:00:00Z.
    std::optional<base::FileTime> file_time;
    // Directories that a layer only repeats get file_time instead of the base's times, so that layers do not
    // depend on which of several like bases they were made on.
    bool uniform_parents = false;
    // Evaluates a source and tells when it last changed, for SOURCE_DATE_EPOCH=NAME; nullopt: it does not
    // say.
    std::function<std::optional<base::FileTime>(const solver::Edge& source)> source_time;
};

struct Conversion {
    // The file system of the target stage.
    solver::Edge target;
    // The edges that each add one layer to `target`, bottom first, base image layers not included. Exactly
    // the history entries after the base's that are not `empty_layer`, in the same order.
    std::vector<solver::Edge> layers;
    // Complete but for `diff_ids`, which holds only the base image's: append one per entry of `layers`.
    oci::ImageConfig config;
    // The image the target stage stands on, through any chain of stages; nullopt for scratch.
    std::optional<ResolvedImage> base;
    // The time of new history entries and of WORKDIR's directories: SOURCE_DATE_EPOCH, else file_time. The
    // config's `created` is left to the exporter, which knows the whole history.
    base::FileTime epoch;
    std::optional<base::FileTime> source_date_epoch;
    // The time of files that steps make (Options::file_time).
    base::FileTime file_time;
    // Names of build arguments that an ARG of a converted stage, or the front end itself, made use of.
    std::vector<std::string> used_build_args;
    std::vector<Warning> warnings;
};

// What a conversion notes on its way. If it throws, that is what there was up to the error.
struct Findings {
    std::vector<Warning> warnings;
    Outline outline;
};

// Throws base::Error with a source range for whatever the text is to blame for; the messages are those of
// dockerfile.md §3-§11. What this engine cannot do is Unsupported, naming the feature.
Conversion convert(std::string_view text, const Options& options, ImageResolver& resolver,
                   const base::CancelToken& cancel);
Conversion convert(std::string_view text, const Options& options, ImageResolver& resolver,
                   const base::CancelToken& cancel, Findings& findings);

// Names under which the ignore file of `dockerfile` is looked up, best first: the specific one lies next to
// the Dockerfile, the general one in the context's root (dockerfile.md §14).
struct IgnoreFileNames {
    std::string next_to_dockerfile;
    std::string in_context;
};
IgnoreFileNames ignore_file_names(std::string_view dockerfile_name);

}  // namespace mullion::frontend
