#include "cli/build_request.hpp"

#include <algorithm>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/path_text.hpp"
#include "cli/annotation_option.hpp"
#include "cli/container_proxies.hpp"
#include "cli/image_names.hpp"
#include "cli/image_resolver.hpp"
#include "cli/key_values.hpp"
#include "cli/platform_choice.hpp"
#include "cli/unsupported_flags.hpp"
#include "frontend/multi_platform.hpp"
#include "frontend/remote_source.hpp"
#include "oci/reference.hpp"
#include "worker/exporter.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

constexpr const char* kSourceDateEpoch = "SOURCE_DATE_EPOCH";
constexpr std::string_view kLayoutScheme = "oci-layout://";
constexpr std::string_view kImageScheme = "docker-image://";

bool is_remote(std::string_view context) {
    return frontend::is_git_context(context) || frontend::is_url_source(context);
}

bool has_scheme(std::string_view context) {
    return context.find("://") != std::string_view::npos;
}

void set_ca_file(const std::string& file, BuildRequest& request) {
    if (!std::filesystem::is_regular_file(base::to_path(file))) {
        throw fail(ErrorCode::Invalid, "--ca-file {}: there is no such file", file);
    }
    request.worker.http.ca_file = request.worker.git.ca_file = std::filesystem::absolute(base::to_path(file));
}

void set_context(const std::string& context, BuildRequest& request) {
    request.context = context;
    std::error_code code;
    if (context == "-" || std::filesystem::is_directory(base::to_path(context), code)) return;
    using Form = frontend::RemoteContext::Form;
    if (is_remote(context)) {
        Form form = frontend::is_git_context(context) ? Form::Git : Form::File;
        request.frontend.remote_context = frontend::RemoteContext{context, form};
    } else if (has_scheme(context)) {
        throw fail(ErrorCode::Unsupported, "context {}: neither a git repository nor an http(s) URL",
                   context);
    }
}

frontend::KeyValues parse_assignments(const std::vector<std::string>& texts, std::string_view option) {
    frontend::KeyValues pairs;
    for (const std::string& text : texts) {
        if (auto pair = parse_assignment(text, option)) pairs.push_back(std::move(*pair));
    }
    return pairs;
}

// A label without "=" is empty, as in docker and buildx.
frontend::KeyValues parse_labels(const std::vector<std::string>& texts) {
    frontend::KeyValues labels;
    for (const std::string& text : texts) {
        bool bare = !text.empty() && text.find('=') == std::string::npos;
        labels.push_back(*parse_assignment(bare ? text + "=" : text, "--label"));
    }
    return labels;
}

void add_build_context(const std::string& text, BuildRequest& request) {
    std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
        throw fail(ErrorCode::Invalid, "invalid --build-context \"{}\": expected NAME=SPEC", text);
    }
    std::string name = text.substr(0, equals);
    std::string spec = text.substr(equals + 1);
    if (name == "context" || name == "scratch") {
        throw fail(ErrorCode::Invalid, "--build-context {}: \"{}\" cannot be replaced", text, name);
    }
    if (spec.starts_with(kLayoutScheme)) {
        LayoutSpec layout = LayoutSpec::parse(spec.substr(kLayoutScheme.size()));
        request.worker.layouts[layout.path] = base::to_path(layout.path);
    } else if (spec.starts_with(kImageScheme)) {
        oci::Reference::parse(spec.substr(kImageScheme.size()));
    } else if (!std::filesystem::is_directory(base::to_path(spec)) && is_remote(spec)) {
        // The front end makes a source of it.
    } else if (has_scheme(spec)) {
        throw fail(
            ErrorCode::Unsupported,
            "--build-context {}: only directories, oci-layout://, docker-image://, git repositories and "
            "http(s):// can be given",
            text);
    } else {
        request.worker.contexts[name] = base::to_path(spec);
        spec = "local:" + name;
    }
    request.frontend.named_contexts.emplace_back(std::move(name), std::move(spec));
}

// -o VALUE: CSV, or a bare path, which means type=local (type=tar for "-"), as in buildx.
worker::Attributes parse_output(const std::string& text) {
    if (text == "-") return {{"type", "tar"}, {"dest", "-"}};
    if (text.find('=') == std::string::npos) return {{"type", "local"}, {"dest", text}};
    return parse_key_value_csv(text, "--output");
}

bool makes_image(const std::string& kind) {
    return kind == "image" || kind == "oci" || kind == "docker" || kind == "registry";
}

// Returns the type.
std::string add_output(const std::string& text, const std::vector<std::string>& names,
                       const worker::Attributes& annotations, BuildRequest& request) {
    worker::Attributes attributes = parse_output(text);
    auto type = std::find_if(attributes.begin(), attributes.end(),
                             [](const auto& pair) { return pair.first == "type"; });
    if (type == attributes.end()) throw fail(ErrorCode::Invalid, "--output {}: type is missing", text);
    std::string kind = type->second;
    attributes.erase(type);
    if (makes_image(kind)) attributes.insert(attributes.end(), annotations.begin(), annotations.end());
    request.exporters.push_back(worker::make_exporter(kind, attributes, names));
    return kind;
}

std::string add_push(const BuildFlags& flags, const std::vector<std::string>& names,
                     const worker::Attributes& annotations, BuildRequest& request) {
    if (names.empty()) throw fail(ErrorCode::Invalid, "--push: under which name? Give -t NAME");
    std::string output = "type=registry";
    if (flags.push_nondistributable) output += ",allow-nondistributable-artifacts=true";
    return add_output(output, names, annotations, request);
}

void check_image_flags(const BuildFlags& flags, bool has_image, bool quiet) {
    for (const auto& [flag, given] :
         {std::pair("--iidfile", !flags.iidfile.empty()), std::pair("--quiet", quiet),
          std::pair("--annotation", !flags.annotations.empty())}) {
        if (!given || has_image) continue;
        throw fail(ErrorCode::Invalid, "{} needs an image: give -t NAME or -o type=image|registry|oci|docker",
                   flag);
    }
    if (!flags.tags.empty() && !has_image) {
        throw fail(ErrorCode::Invalid, "-t {}: none of the outputs is an image that could have a name",
                   flags.tags.front());
    }
}

void add_outputs(const BuildFlags& flags, BuildRequest& request) {
    std::vector<std::string> names;
    for (const std::string& tag : flags.tags) names.push_back(worker::new_image_name(tag));
    worker::Attributes annotations = annotation_attributes(flags.annotations);
    std::vector<std::string> kinds;
    for (const std::string& output : flags.outputs) {
        kinds.push_back(add_output(output, names, annotations, request));
    }
    if (flags.load && names.empty()) {
        throw fail(ErrorCode::Invalid, "--load: under which name? Give -t NAME");
    }
    if (flags.push) kinds.push_back(add_push(flags, names, annotations, request));
    bool to_store = flags.load || (flags.outputs.empty() && !flags.push && !names.empty());
    if (to_store && std::find(kinds.begin(), kinds.end(), "image") == kinds.end()) {
        kinds.push_back(add_output("type=image", names, annotations, request));
    }
    bool quiet = request.display == DisplayMode::Quiet;
    check_image_flags(flags, std::any_of(kinds.begin(), kinds.end(), makes_image), quiet);
    auto to_stdout =
        std::count_if(request.exporters.begin(), request.exporters.end(),
                      [](const auto& exporter) { return exporter->writes_to_standard_output(); });
    if (to_stdout > 1) throw fail(ErrorCode::Invalid, "--output: only one output can go to standard output");
    if (to_stdout == 1 && quiet) {
        throw fail(ErrorCode::Invalid, "--quiet prints the digest where --output writes: to standard output")
            .hint("take the digest from --iidfile");
    }
}

// As buildx has it: the variable of our environment is a build argument nobody gave.
void add_source_date_epoch(frontend::KeyValues& build_args) {
    std::optional<std::string> text = base::environment_unless_empty(kSourceDateEpoch);
    if (!text) return;
    bool given = std::any_of(build_args.begin(), build_args.end(),
                             [](const auto& argument) { return argument.first == kSourceDateEpoch; });
    if (!given) build_args.emplace_back(kSourceDateEpoch, *text);
}

// nullopt: the cache is used everywhere.
std::optional<std::vector<std::string>> stages_without_cache(const BuildFlags& flags) {
    if (flags.no_cache && !flags.no_cache_filter.empty()) {
        throw fail(ErrorCode::Invalid, "--no-cache and --no-cache-filter cannot be used together");
    }
    if (flags.no_cache) return std::vector<std::string>();
    if (flags.no_cache_filter.empty()) return {};
    std::vector<std::string> stages;
    for (const std::string& option : flags.no_cache_filter) {
        for (std::string& stage : split_commas(option)) {
            if (stage.empty())
                throw fail(ErrorCode::Invalid, "invalid --no-cache-filter \"{}\": no stage", option);
            stages.push_back(std::move(stage));
        }
    }
    return stages;
}

frontend::Options frontend_options(const BuildFlags& flags) {
    frontend::Options options;
    options.target = flags.target;
    options.build_args = parse_assignments(flags.build_args, "--build-arg");
    options.labels = parse_labels(flags.labels);
    add_source_date_epoch(options.build_args);
    for (auto& proxy : configured_proxies(options.build_args)) options.build_args.push_back(std::move(proxy));
    options.no_cache = stages_without_cache(flags);
    return options;
}

void add_platforms(const BuildFlags& flags, BuildRequest& request) {
    request.platforms = parse_platforms(flags.platforms);
    std::optional<std::string> attribute;
    if (!flags.multi_platform.empty()) attribute = flags.multi_platform;
    request.makes_index =
        frontend::makes_index(request.frontend.build_args, attribute, request.platforms.size());
    request.frontend.multi_platform = request.makes_index;
}

}  // namespace

std::optional<BuildCall> parse_build_call(const std::string& text) {
    std::string_view rest = text;
    std::string_view method = rest.substr(0, rest.find(','));
    if (text == "build") return {};
    BuildCall call{};
    if (method == "check" || method == "lint") {
        call.method = BuildCall::Method::Check;
    } else if (method == "outline") {
        call.method = BuildCall::Method::Outline;
    } else if (method == "targets") {
        call.method = BuildCall::Method::Targets;
    } else {
        throw fail(ErrorCode::Invalid, "invalid --call \"{}\": expected build, check, outline or targets",
                   text);
    }
    rest.remove_prefix(std::min(method.size() + 1, rest.size()));
    if (!rest.empty() && rest != "format=json" && rest != "format=text") {
        throw fail(ErrorCode::Invalid,
                   "invalid --call \"{}\": expected format=text or format=json after the comma", text);
    }
    call.json = rest == "format=json";
    return call;
}

BuildRequest make_build_request(const BuildFlags& flags) {
    BuildRequest request;
    refuse_unsupported_flags(flags);
    request.call = parse_build_call(flags.check ? "check" : flags.call);
    request.dockerfile = flags.file;
    if (flags.context == "-" && flags.file == "-") {
        throw fail(ErrorCode::Invalid, "context and Dockerfile cannot both come from standard input");
    }
    request.frontend = frontend_options(flags);
    request.images = {parse_os_rule(flags.os), flags.pull};
    request.worker.host = container_host(request.images.rule);
    request.frontend.windows_host = request.worker.host.has_value();
    if (flags.push_nondistributable && !flags.push) {
        throw fail(ErrorCode::Invalid, "--allow-nondistributable-artifacts is about --push");
    }
    add_platforms(flags, request);
    set_context(flags.context, request);
    if (!flags.ca_file.empty()) set_ca_file(flags.ca_file, request);
    for (const std::string& text : flags.build_contexts) add_build_context(text, request);
    apply_run_options(flags.run, request);
    if (flags.quiet && flags.progress != "auto" && flags.progress != "quiet") {
        throw fail(ErrorCode::Invalid, "--quiet and --progress {} contradict each other", flags.progress);
    }
    request.display = parse_display_mode(flags.quiet ? "quiet" : flags.progress);
    add_outputs(flags, request);
    request.metadata_file = flags.metadata_file;
    request.iidfile = flags.iidfile;
    return request;
}

}  // namespace mullion::cli
